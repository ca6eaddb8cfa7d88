import type { Command } from '@commander-js/extra-typings';
import { formatDollars, hourlyFromRateUp } from '@latent/protocol';
import { readBalances, readChainTime, readSession } from '@latent/sdk';
import { formatEther } from 'viem';
import { listSessions } from '../../home/session-store.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showTime } from '../../screen/show-cluster.ts';
import { textTable } from '../../screen/text-table.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { reachNetwork } from './reach-network.ts';

/** `latent session list` */
export function addSessionList(session: Command): void {
  session
    .command('list')
    .summary('show the sessions on this machine: what they allow, and what they have used')
    .option('--network <name>', 'network to look at', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent session list')
    .action((flags) => runCommand(flags, (context) => list(context, flags)));
}

async function list(context: CommandContext, flags: { readonly network: string }): Promise<undefined> {
  const { home, output } = context;
  const { chain, place } = await reachNetwork(context, flags.network);
  const [sessions, nowSeconds] = await Promise.all([listSessions(home, place), readChainTime(chain)]);
  const seen = await Promise.all(
    sessions.map(async ({ name, renter, key }) => {
      const [onChain, { ether }] = await Promise.all([readSession(chain, renter, key), readBalances(chain, key)]);
      const isValid = onChain.validUntil >= nowSeconds;
      return { name, renter, key, ...onChain, isValid, gasMoneyWei: ether };
    }),
  );
  if (seen.length === 0) output.line('No sessions yet. Make one: latent session create --spend 50 --per-hour 2.50');
  else {
    const rows = seen.map((one) => [
      one.name,
      one.isValid ? showTime(one.validUntil * 1000) : 'not valid',
      `${formatDollars(one.spent)} of ${formatDollars(one.spendLimit)}`,
      formatDollars(hourlyFromRateUp(one.maxRate)),
      String(one.maxDevices),
      formatEther(one.gasMoneyWei),
      one.key,
    ]);
    output.line(textTable(['name', 'until', 'used', '$/device-h', 'devices', 'ether', 'key'], rows, ['devices']));
  }
  output.result(seen);
}
