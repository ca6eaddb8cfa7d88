import type { Command } from '@commander-js/extra-typings';
import { runCommand } from '../../run-command.ts';
import { textTable } from '../../screen/text-table.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent devnet status` */
export function addDevnetStatus(devnet: Command): void {
  devnet
    .command('status')
    .summary('show the processes of the local network')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent devnet status --json')
    .action((flags) =>
      runCommand(flags, async ({ home, output }) => {
        const { devnetStatus } = await import('@latent/devnet');
        const processes = devnetStatus(home.devnet);
        const rows = processes.map(({ name, kind, pid, alive, log }) => [
          name,
          kind,
          String(pid ?? ''),
          alive ? 'alive' : 'dead',
          log,
        ]);
        output.line(textTable(['name', 'kind', 'pid', 'state', 'log'], rows));
        output.result(processes);
        return undefined;
      }),
    );
}
