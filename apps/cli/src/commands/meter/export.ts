import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { isRunning, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { formatMeterFile, handOverMeter } from '@latent/sdk';
import { loadNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showTime } from '../../screen/show-cluster.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { openMeterFileSlot } from './meter-file-on-disk.ts';
import { payAhead } from './pay-ahead.ts';
import { readDurationMs } from './read-duration.ts';

/** How long the own meter is waited for. It signs nothing any more from the moment that the record says so. */
const METER_ENDS_WITHIN_MS = 30_000;
const POLL_MS = 100;

/** `latent meter export CLUSTER --to FILE` */
export function addMeterExport(meter: Command): void {
  meter
    .command('export')
    .summary('hand the meter of a cluster to another machine, or to somebody else')
    .description(
      'Pays the cluster ahead until the other meter has surely begun, stops the meter of this machine and writes all that another one needs to a file that only you can read.\nWhoever has the file can pay the machines of this lease up to its deposit, by the clock, and can look into the job and stop it.\nThey cannot withdraw money, pay anybody else, or open another lease.',
    )
    .argument('<cluster>')
    .requiredOption('--to <file>', 'file to write; must not be there yet')
    .option('--within <time>', 'how long the other meter may take to begin: 5m, 2h', '15m')
    .option('-y, --yes', 'do not ask before it is signed')
    .option('--again', 'write it anew: the first file was lost before anybody used it')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent meter export digits --to digits.meter')
    .action((name, flags) => runCommand(flags, (context) => exportMeter(context, name, flags)));
}

async function exportMeter(
  context: CommandContext,
  name: string,
  flags: {
    readonly to: string;
    readonly within: string;
    readonly yes?: true | undefined;
    readonly again?: true | undefined;
  },
): Promise<undefined> {
  const { home, store, output, signal } = context;
  const path = resolve(flags.to);
  const forMs = readDurationMs(flags.within);
  const cluster = store.load(name);
  const { network } = cluster;
  const { chainId, escrow } = (await loadNetwork(home, network)).deployment;
  await refuseIfThere(path);
  const slot = await openMeterFileSlot(path, randomBytes(6).toString('hex'));
  try {
    if (!flags.again) await payAhead(context, cluster, { forMs, yes: flags.yes ?? false });
    const record = handOverMeter(store, name, { nowMs: systemClock.nowMs(), again: flags.again ?? false });
    store.tell(name, { kind: 'phase', text: 'the meter is handed over; this machine signs nothing more' });
    const untilMs = systemClock.nowMs() + METER_ENDS_WITHIN_MS;
    for (let meter = store.meter(name); meter !== undefined && isRunning(meter); ) {
      if (systemClock.nowMs() > untilMs) {
        output.warn(`the meter of this machine (pid ${meter.pid}) has not ended yet; it signs nothing any more`);
        break;
      }
      await systemClock.sleep(POLL_MS, { signal });
      meter = store.meter(name);
    }
    await slot.write(formatMeterFile(record, { chainId, escrow }));
    const until = record.offline === undefined ? '' : ` before ${showTime(record.offline.untilMs)}`;
    output.line(`The meter of ${name} is in ${path}. None runs for it now: start it${until}.`);
  } finally {
    await slot.close();
  }
  output.line(`On the other machine: latent meter run --file ${flags.to}`);
  output.line(`The end is still yours: latent down ${name}`);
  output.result({ cluster: name, file: path });
}

async function refuseIfThere(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new LatentError('CONFIG_INVALID', `The meter’s file ${path}: there is a file already.`);
}
