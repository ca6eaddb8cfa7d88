import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { clusterLinks, execOnMember } from '@latent/sdk';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { openCountingTransport } from '../../relay/open-counting-transport.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from './common-options.ts';
import { readRank } from './read-rank.ts';

/** `latent exec [NAME] -- COMMAND…` */
export function addExec(program: Command): void {
  program
    .command('exec')
    .summary('run a command beside the job of one rank')
    .description(
      'Runs a command in the job’s surroundings (same files, environment and limits). Ends with its exit status.',
    )
    .argument('<name>', 'cluster')
    .argument('<command...>', 'command and its arguments, after --')
    .option('--rank <rank>', 'rank to run it on', '0')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent exec digits --rank 2 -- ls -l')
    .action((name, command, flags) => runCommand(flags, (context) => exec(context, name, command, flags)));
}

async function exec(
  { home, store, output, signal }: CommandContext,
  name: string,
  argv: readonly string[],
  flags: { readonly rank: string },
): Promise<number> {
  const record = chooseCluster(store, name);
  const rank = readRank(flags.rank, record.members.length) ?? 0;
  const transport = openCountingTransport(home, record);
  const captured = { stdout: '', stderr: '' };
  try {
    const link = clusterLinks(transport, record)[rank];
    if (link === undefined) throw new LatentError('CONFIG_INVALID', `There is no rank ${rank}.`);
    const { code, reason } = await execOnMember(link, record.leaseId, {
      argv,
      stdin: process.stdin.isTTY ? noInput() : process.stdin,
      signal,
      onOutput: async (stream, bytes) => {
        if (output.isJson) captured[stream] += Buffer.from(bytes).toString();
        else process[stream].write(bytes);
      },
    });
    if (reason !== undefined) output.warn(reason);
    output.result({ rank, code, ...captured });
    return code < 0 ? 1 : code;
  } finally {
    await transport.close();
    process.stdin.destroy();
  }
}

/** Without a pipe there is no input: the command sees the end of it at once. */
async function* noInput(): AsyncGenerator<Uint8Array> {}
