import type { Command } from '@commander-js/extra-typings';
import { runCommand } from '../../run-command.ts';
import { runWatch } from '../../watch/run-watch.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent keeper start` */
export function addKeeperStart(keeper: Command): void {
  keeper
    .command('start')
    .summary('pay vouchers out, close and finalize leases, until Ctrl-C')
    .requiredOption('--config <file>', 'settings, as in docs/guide/keeper.md')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent keeper start --config keeper.json')
    .action((flags) =>
      runCommand(flags, async (context) => {
        const { keeperOptionsSchema, readSettings, startKeeper } = await import('@latent/watch');
        return runWatch(context, 'keeper', await readSettings(flags.config, keeperOptionsSchema), startKeeper);
      }),
    );
}
