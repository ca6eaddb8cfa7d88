import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { saveNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent devnet up` */
export function addDevnetUp(devnet: Command): void {
  devnet
    .command('up')
    .summary('start a network on this machine: chain, two books, operators')
    .option('--operators <count>', 'how many operators', '6')
    .option('--seed <seed>', 'decides prices, regions and sizes')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent devnet up')
    .action((flags) =>
      runCommand(flags, async (context) => {
        const devnet = await startNetwork(context, flags);
        context.output.line('Up. Next: latent launch examples/digits/task.yaml · latent devnet down');
        context.output.result(devnet);
      }),
    );
}

/** Starts the local network and makes it the network `devnet` of this renter. */
export async function startNetwork(
  { home, output, signal }: CommandContext,
  flags: { readonly operators: string; readonly seed?: string | undefined },
) {
  const operators = Number(flags.operators);
  if (!/^\d{1,3}$/.test(flags.operators) || operators < 1) {
    throw new LatentError(
      'CONFIG_INVALID',
      `--operators is a number from 1 to 999, not "${flags.operators.slice(0, 20)}".`,
    );
  }
  const { startDevnet } = await import('@latent/devnet');
  const started = await startDevnet({
    dataDir: home.devnet,
    settings: { operators, seed: flags.seed },
    signal,
    onProgress: ({ step, text }) => output.line(`${step.padEnd(10)} ${text}`),
  });
  const { deployment, books, renterKeyFile } = started;
  await saveNetwork(home, 'devnet', { deployment, books: [...books], renterKeyFile });
  return started;
}
