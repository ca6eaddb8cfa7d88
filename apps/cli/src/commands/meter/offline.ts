import type { Command } from '@commander-js/extra-typings';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showTime } from '../../screen/show-cluster.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { payAhead } from './pay-ahead.ts';
import { readDurationMs } from './read-duration.ts';

/** `latent meter offline CLUSTER --for 8h` */
export function addMeterOffline(meter: Command): void {
  meter
    .command('offline')
    .summary('pay a cluster ahead, so that this machine can be switched off')
    .description(
      'Signs one large voucher for all machines and hands it to each. The contract pays it second by second, so that it is a stream and no payment in advance: who stops is not paid on, and latent down ends it at any time.',
    )
    .argument('[cluster]', 'cluster; by default the one that runs')
    .requiredOption('--for <time>', 'how long you are away: 30m, 8h, 2d')
    .option('-y, --yes', 'do not ask before it is signed')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent meter offline digits --for 8h')
    .action((name, flags) => runCommand(flags, (context) => goOffline(context, name, flags)));
}

async function goOffline(
  context: CommandContext,
  name: string | undefined,
  flags: { readonly for: string; readonly yes?: true | undefined },
): Promise<undefined> {
  const { output, store } = context;
  const forMs = readDurationMs(flags.for);
  const cluster = chooseCluster(store, name);
  const { untilMs, perHourUp, fromNowUp, inAllUp, handed } = await payAhead(context, cluster, {
    forMs,
    yes: flags.yes ?? false,
  });
  output.line(
    `Every rank that runs holds the voucher. You can switch this machine off until ${showTime(untilMs)}; when you are back: latent status ${cluster.name}`,
  );
  const amounts = { mostPerHour: perHourUp, mostFromNow: fromNowUp, mostInAll: inAllUp };
  output.result({ cluster: cluster.name, untilMs, ...amounts, handed });
}
