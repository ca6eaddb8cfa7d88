import type { Command } from '@commander-js/extra-typings';
import { runCommand } from '../../run-command.ts';
import { runWatch } from '../../watch/run-watch.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent watchtower start` */
export function addWatchtowerStart(watchtower: Command): void {
  watchtower
    .command('start')
    .summary('keep vouchers and post the last one where its operator is away, until Ctrl-C')
    .requiredOption('--config <file>', 'settings, as in docs/guide/keeper.md')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent watchtower start --config watchtower.json')
    .action((flags) =>
      runCommand(flags, async (context) => {
        const { watchtowerOptionsSchema, readSettings, startWatchtower } = await import('@latent/watch');
        return runWatch(
          context,
          'watchtower',
          await readSettings(flags.config, watchtowerOptionsSchema),
          startWatchtower,
        );
      }),
    );
}
