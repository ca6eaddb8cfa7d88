import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { identifyProcess, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { connectChain, isMeteredElsewhere, isOver, tendCluster, unpackFiles, withChain } from '@latent/sdk';
import { loadPayer } from '../../home/load-payer.ts';
import { loadNetwork } from '../../home/network.ts';
import { openPayingTransport } from '../../relay/open-paying-transport.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { chooseSigning } from './choose-signing.ts';
import { runMeterFromFile } from './run-from-file.ts';

/**
 * `latent meter run NAME`, started by `launch` as a process of its own: it carries one cluster from its opening to its end, and
 * any command that finds a cluster without its meter starts it again. `latent meter run --file FILE` meters one that was handed
 * over.
 */
export function addMeterRun(meter: Command): void {
  meter
    .command('run')
    .summary('meter a cluster that was handed to you (those of your own are metered by themselves)')
    .argument('[cluster]', 'one of your own; started by launch')
    .option('--file <file>', 'a meter that was handed over with latent meter export')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent meter run --file digits.meter')
    .action((name, flags) =>
      runCommand(flags, async (context) => {
        if ((name === undefined) === (flags.file === undefined)) {
          throw new LatentError('CONFIG_INVALID', 'Give either a cluster of your own or --file FILE.');
        }
        await chooseSigning();
        return flags.file === undefined ? runMeter(context, name ?? '') : runMeterFromFile(context, flags.file);
      }),
    );
}

async function runMeter({ home, store, output, signal }: CommandContext, name: string): Promise<number> {
  if (isMeteredElsewhere(store.load(name))) {
    throw new LatentError('CLUSTER_HANDED_OVER', `The meter of ${name} was handed over; it does not run here.`);
  }
  if (!store.claimMeter(name, () => identifyProcess(process.pid))) {
    throw new LatentError('CLUSTER_EXISTS', `Another process meters ${name} already.`);
  }
  const record = store.load(name);
  const network = await loadNetwork(home, record.network);
  const renter = await loadPayer(home, { name: record.network, network }, record.terms.order);
  const onWaiting = (error: Error) =>
    store.tell(name, { kind: 'warning', text: `Waiting for the chain: ${error.message}` });
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  const paying = openPayingTransport(home, { record, journal: store, chain, account: renter, signal });
  const { transport } = paying;
  const outputs = join(home.clusterFolder(name), 'outputs');
  try {
    const ended = await tendCluster({
      name,
      journal: store,
      chain,
      transport,
      renter,
      clock: systemClock,
      signal,
      readArchive: (path) => createReadStream(path),
      saveOutputs: async (rank, archive) => {
        const folder = join(outputs, `rank-${rank}`);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await unpackFiles(archive, { folder, signal });
        return outputs;
      },
    });
    // Claims of machines may have come through a book.
    if (isOver(ended)) await paying.settle();
    output.line(`${name}: ${ended.phase}`);
    output.result({ cluster: name, phase: ended.phase });
    return 0;
  } finally {
    await paying.close();
  }
}
