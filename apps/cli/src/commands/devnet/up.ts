import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { saveNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** As the devnet's plan allows. */
const MAX_OPERATORS = 64;

/** `latent devnet up` */
export function addDevnetUp(devnet: Command): void {
  devnet
    .command('up')
    .summary('start a network on this machine: chain, two books, operators')
    .option('--operators <count>', 'how many operators (default: 6, or as many as there were)')
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
  flags: { readonly operators?: string | undefined; readonly seed?: string | undefined },
) {
  const operators = readCount(flags.operators);
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

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d{1,2}$/.test(text) && count >= 1 && count <= MAX_OPERATORS) return count;
  throw new LatentError(
    'CONFIG_INVALID',
    `--operators is a number from 1 to ${MAX_OPERATORS}, not "${text.slice(0, 20)}".`,
  );
}
