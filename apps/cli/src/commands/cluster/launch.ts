import type { Command } from '@commander-js/extra-typings';
import { formatDollars, LatentError, parseDollars } from '@latent/protocol';
import { type LaunchObserver, type LaunchOptions, launchJob } from '../../launch/launch-job.ts';
import { ensureMeter } from '../../launch/spawn-meter.ts';
import { watchCluster } from '../../launch/watch-cluster.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { askLeave } from '../../screen/ask-leave.ts';
import { showOrder } from '../../screen/show-order.ts';
import { showRelayPrices } from '../../screen/show-relay.ts';
import { JSON_OPTION } from './common-options.ts';

/** What relaying costs where machines are rented by the month is a tenth of it, what large clouds ask twice as much. */
const DEFAULT_RELAY_PRICE_CAP = '0.05';

/** `latent launch FILE` */
export function addLaunch(program: Command): void {
  program
    .command('launch')
    .summary('rent a cluster and run a job on it')
    .description(
      'Order machines for a SkyPilot task file, open one lease over all of them, run the job and show it.\nCtrl-C at any moment closes the lease and says what was paid.',
    )
    .argument('<file>', 'job file (SkyPilot task YAML)')
    .option('--name <name>', 'name of the cluster (default: the job’s)')
    .option('--price-cap <dollars>', 'most to pay per device-hour, e.g. 0.60')
    .option('--hours <hours>', 'longest lease, e.g. 1.5')
    .option('--env <NAME=VALUE...>', 'variables of the job')
    .option('--book <url...>', 'books to ask instead of the network’s')
    .option(
      '--relay-budget <dollars>',
      'most to pay books for relaying beyond what is free, e.g. 0.50 (default: nothing)',
    )
    .option('--relay-price-cap <dollars>', 'most to pay per GiB relayed', DEFAULT_RELAY_PRICE_CAP)
    .option('--isolation <level>', 'none accepts machines that run jobs without isolation')
    .option('--down', 'close the lease as soon as the job has ended')
    .option('-d, --detach', 'return once the lease is open')
    .option('-y, --yes', 'do not ask before money is locked')
    .option('--network <name>', 'network to rent from', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent launch examples/digits/task.yaml --price-cap 0.60 --down')
    .action((file, flags) => runCommand(flags, (context) => launch(context, file, flags)));
}

interface LaunchFlags {
  readonly name?: string | undefined;
  readonly priceCap?: string | undefined;
  readonly hours?: string | undefined;
  readonly env?: string[] | undefined;
  readonly book?: string[] | undefined;
  readonly isolation?: string | undefined;
  readonly relayBudget?: string | undefined;
  readonly relayPriceCap: string;
  readonly down?: true | undefined;
  readonly detach?: true | undefined;
  readonly yes?: true | undefined;
  readonly network: string;
}

async function launch(context: CommandContext, file: string, flags: LaunchFlags): Promise<undefined> {
  const { home, store, output, signal } = context;
  const options = readLaunchFlags(file, flags);
  const opened = await launchJob(options, {
    home,
    store,
    observer: launchObserver(context, flags.yes ?? false, options.relay),
    signal,
  });
  const { name } = opened;
  if (flags.detach) {
    output.line(`${name} is starting. Next: latent logs -f ${name}`);
    output.result({ cluster: name, leaseId: opened.leaseId, phase: opened.phase });
    return;
  }
  const record = await watchCluster(context, name);
  output.result({ cluster: name, leaseId: record.leaseId, phase: record.phase, outputs: record.outputsFolder });
  output.line(
    record.phase === 'ended'
      ? `Done. What it cost: latent bill ${name}`
      : `The job has ended; the machines are still yours and still cost. Next: latent exec ${name} -- ls · latent down ${name}`,
  );
}

/** @throws LatentError CONFIG_INVALID */
function readLaunchFlags(file: string, flags: LaunchFlags): LaunchOptions {
  const { isolation } = flags;
  if (isolation !== undefined && isolation !== 'none' && isolation !== 'namespaces') {
    throw new LatentError('CONFIG_INVALID', `--isolation is none or namespaces, not "${isolation}".`);
  }
  return {
    jobFile: file,
    name: flags.name,
    network: flags.network,
    books: flags.book ?? [],
    envs: Object.fromEntries((flags.env ?? []).map(readVariable)),
    downWhenDone: flags.down ?? false,
    maxPricePerDeviceHour: flags.priceCap === undefined ? undefined : parseDollars(flags.priceCap),
    seconds: flags.hours === undefined ? undefined : readHours(flags.hours),
    isolation,
    relay: readRelay(flags),
  };
}

function readRelay({ relayBudget, relayPriceCap }: LaunchFlags): LaunchOptions['relay'] {
  if (relayBudget === undefined) return undefined;
  return { budget: parseDollars(relayBudget), priceCap: parseDollars(relayPriceCap) };
}

function readVariable(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new LatentError('CONFIG_INVALID', `--env wants NAME=VALUE, not "${text.slice(0, 40)}".`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function readHours(text: string): number {
  const seconds = Math.floor(Number(text) * 3_600);
  if (!/^\d{1,4}(\.\d{1,4})?$/.test(text) || seconds < 60) {
    throw new LatentError(
      'CONFIG_INVALID',
      `--hours wants a number of hours, at least one minute, not "${text.slice(0, 40)}".`,
    );
  }
  return seconds;
}

/** Prints what happens before the lease is open, and asks for leave when a person is there to give it. */
export function launchObserver(
  { home, store, output, signal }: CommandContext,
  yes: boolean,
  relay?: LaunchOptions['relay'],
): LaunchObserver {
  return {
    onOrdered: (requirements, order) => {
      for (const fault of order.faults) output.warn(`${fault.code}: ${fault.message}`);
      output.line(showOrder(requirements, order));
    },
    onHoldRefused: (agentKey, error) =>
      output.warn(`agent ${agentKey} would not keep its machine free: ${error.message}`),
    onRelayPrices: (prices) => {
      for (const line of showRelayPrices(prices, relay?.budget ?? 0n, relay?.priceCap ?? 0n)) output.line(line);
    },
    onSessionsPassedOver: (why) => output.line(`\nYour wallet pays: ${why}.`),
    confirm: async ({ machines, seconds, deposit, perHour, session }) => {
      const locked = `${formatDollars(deposit)} is locked now; what is not used comes back.`;
      output.line(
        `\nLease: ${machines} machines for up to ${formatSeconds(seconds)}, ${formatDollars(perHour)}/h in all. ${locked}`,
      );
      // Who granted a session has said yes to all that is within its limits.
      if (session !== undefined) {
        output.line(`Session "${session.name}" pays; ${formatDollars(session.leftToSpend)} of it is left to spend.`);
        return;
      }
      await askLeave({ output, signal }, 'Open it?', { yes, refused: 'Nothing was opened, nothing was paid.' });
    },
    onOpened: (record) => {
      output.line(`Lease ${record.leaseId} is open.\n`);
      // The signal may have come while the transaction was on its way: then nobody is going to watch.
      if (signal.aborted)
        store.update(record.name, (before) => ({ ...before, stopRequested: 'the renter pressed Ctrl-C' }));
      ensureMeter(home, store, record.name);
    },
    onWaiting: (message) => output.warn(`Waiting for the chain: ${message}`),
  };
}

function formatSeconds(seconds: number): string {
  return seconds % 3_600 === 0 ? `${seconds / 3_600} h` : `${Math.floor(seconds / 60)} min`;
}
