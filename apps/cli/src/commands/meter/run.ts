import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { identifyProcess, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { connectChain, openRenterTransport, tendCluster, unpackFiles, withChain } from '@latent/sdk';
import { hexToBytes } from 'viem';
import { loadNetwork, loadRenter } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';

/**
 * `latent meter run NAME`, started by `launch` as a process of its own: it carries one cluster from its opening to its end. Not
 * listed in the help, as no person needs it; any command that finds a cluster without its meter starts it again.
 */
export function addMeterRun(program: Command): void {
  program
    .command('meter', { hidden: true })
    .command('run')
    .argument('<name>')
    .action((name) => runCommand({}, (context) => runMeter(context, name)));
}

async function runMeter({ home, store, output, signal }: CommandContext, name: string): Promise<number> {
  if (!store.claimMeter(name, () => identifyProcess(process.pid))) {
    throw new LatentError('CLUSTER_EXISTS', `Another process meters ${name} already.`);
  }
  const record = store.load(name);
  const network = await loadNetwork(home, record.network);
  const renter = await loadRenter(network);
  const onWaiting = (error: Error) =>
    store.tell(name, { kind: 'warning', text: `Waiting for the chain: ${error.message}` });
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  const transport = openRenterTransport(hexToBytes(record.peerSeed));
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
    output.line(`${name}: ${ended.phase}`);
    return 0;
  } finally {
    await transport.close();
  }
}
