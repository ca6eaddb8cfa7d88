import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { forgetNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { endClusters } from './end-clusters.ts';

/** `latent devnet down` */
export function addDevnetDown(devnet: Command): void {
  devnet
    .command('down')
    .summary('close the clusters on the local network and stop it; its state stays for the next time')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent devnet down')
    .action((flags) =>
      runCommand(flags, async (context) => {
        if (await isUp(context)) await endClusters(context);
        await stopNetwork(context);
        context.output.line('Down. Its chain and keys are kept for the next `latent devnet up`.');
        context.output.result({ down: true });
      }),
    );
}

async function isUp({ home }: CommandContext): Promise<boolean> {
  const { devnetStatus } = await import('@latent/devnet');
  try {
    return devnetStatus(home.devnet).length > 0;
  } catch (thrown) {
    if (thrown instanceof LatentError && thrown.code === 'DEVNET_NOT_RUNNING') return false;
    throw thrown;
  }
}

export async function stopNetwork({ home }: Pick<CommandContext, 'home'>): Promise<void> {
  const { stopDevnet } = await import('@latent/devnet');
  await stopDevnet({ dataDir: home.devnet });
  await forgetNetwork(home, 'devnet');
}
