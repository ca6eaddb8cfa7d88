import type { Command } from '@commander-js/extra-typings';
import { runCommand } from '../../run-command.ts';
import { tellWatchStatus } from '../../watch/tell-status.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent keeper status` */
export function addKeeperStatus(keeper: Command): void {
  keeper
    .command('status')
    .summary('show what the keeper has kept and done')
    .requiredOption('--config <file>', 'the settings that it was started with')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent keeper status --config keeper.json')
    .action((flags) =>
      runCommand(flags, async (context) => {
        const { keeperOptionsSchema, readSettings } = await import('@latent/watch');
        const { dataDir } = await readSettings(flags.config, keeperOptionsSchema);
        return tellWatchStatus(context, dataDir);
      }),
    );
}
