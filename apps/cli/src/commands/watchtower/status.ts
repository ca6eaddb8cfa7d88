import type { Command } from '@commander-js/extra-typings';
import { runCommand } from '../../run-command.ts';
import { tellWatchStatus } from '../../watch/tell-status.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent watchtower status` */
export function addWatchtowerStatus(watchtower: Command): void {
  watchtower
    .command('status')
    .summary('show what the watchtower has kept and done')
    .requiredOption('--config <file>', 'the settings that it was started with')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent watchtower status --config watchtower.json')
    .action((flags) =>
      runCommand(flags, async (context) => {
        const { watchtowerOptionsSchema, readSettings } = await import('@latent/watch');
        const { dataDir } = await readSettings(flags.config, watchtowerOptionsSchema);
        return tellWatchStatus(context, dataDir);
      }),
    );
}
