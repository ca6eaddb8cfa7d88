import type { Command } from '@commander-js/extra-typings';
import { forgetNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent devnet down` */
export function addDevnetDown(devnet: Command): void {
  devnet
    .command('down')
    .summary('stop the local network; its state stays for the next time')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent devnet down')
    .action((flags) =>
      runCommand(flags, async (context) => {
        await stopNetwork(context);
        context.output.line('Down. Its chain and keys are kept for the next `latent devnet up`.');
        context.output.result({ down: true });
      }),
    );
}

export async function stopNetwork({ home }: Pick<CommandContext, 'home'>): Promise<void> {
  const { stopDevnet } = await import('@latent/devnet');
  await stopDevnet({ dataDir: home.devnet });
  await forgetNetwork(home, 'devnet');
}
