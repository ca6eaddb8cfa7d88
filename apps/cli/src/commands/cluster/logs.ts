import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { clusterLinks } from '@latent/sdk';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { followLogs } from '../../launch/follow-logs.ts';
import { openCountingTransport } from '../../relay/open-counting-transport.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from './common-options.ts';
import { readRank } from './read-rank.ts';

/** `latent logs [NAME]` */
export function addLogs(program: Command): void {
  program
    .command('logs')
    .summary('print what the ranks of a cluster print')
    .argument('[name]', 'cluster; by default the one that runs')
    .option('-f, --follow', 'go on until the job has ended')
    .option('--rank <rank>', 'one rank only')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent logs -f digits --rank 0')
    .action((name, flags) => runCommand(flags, (context) => logs(context, name, flags)));
}

async function logs(
  { home, store, output, signal }: CommandContext,
  name: string | undefined,
  flags: { readonly follow?: true | undefined; readonly rank?: string | undefined },
): Promise<undefined> {
  const record = chooseCluster(store, name);
  const rank = readRank(flags.rank, record.members.length);
  const transport = openCountingTransport(home, record);
  const lines: { rank: number; line: string }[] = [];
  const lost: string[] = [];
  try {
    await followLogs({
      record,
      links: clusterLinks(transport, record),
      ranks: rank === undefined ? record.members.map((_, index) => index) : [rank],
      follow: flags.follow ?? false,
      signal,
      onLine: (from, line) => {
        if (output.isJson) lines.push({ rank: from, line });
        else output.line(`rank ${from} | ${line}`);
      },
      onLost: (from, message) => {
        lost.push(message);
        output.warn(`rank ${from}: ${message}`);
      },
    });
  } finally {
    await transport.close();
  }
  output.result(lines);
  if (lost.length === record.members.length) {
    throw new LatentError('CLUSTER_NOT_RUNNING', `No machine of ${record.name} has its output any more.`, {
      hint: 'Agents delete a lease’s files when it is settled.',
    });
  }
}
