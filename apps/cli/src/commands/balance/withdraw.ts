import type { Command } from '@commander-js/extra-typings';
import { formatDollars, LatentError, parseDollars } from '@latent/protocol';
import { readBalances, withdrawBalance } from '@latent/sdk';
import { loadRenter } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { askLeave } from '../../screen/ask-leave.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { reachNetwork } from '../session/reach-network.ts';

/** `latent balance withdraw [AMOUNT]` */
export function addBalanceWithdraw(balance: Command): void {
  balance
    .command('withdraw')
    .summary('move money from the escrow back to your wallet')
    .argument('[dollars]', 'how much; all of it by default')
    .option('-y, --yes', 'do not ask')
    .option('--network <name>', 'network of the escrow', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent balance withdraw 12.50')
    .action((dollars, flags) => runCommand(flags, (context) => withdraw(context, dollars, flags)));
}

interface WithdrawFlags {
  readonly yes?: true | undefined;
  readonly network: string;
}

async function withdraw(
  context: CommandContext,
  dollars: string | undefined,
  flags: WithdrawFlags,
): Promise<undefined> {
  const { output } = context;
  const { chain, network } = await reachNetwork(context, flags.network);
  const renter = await loadRenter(network);
  const { inEscrow } = await readBalances(chain, renter.address);
  const amount = dollars === undefined ? inEscrow : parseDollars(dollars);
  if (amount === 0n || amount > inEscrow) {
    throw new LatentError('FUNDS_TOO_LOW', `Your balance in the escrow holds ${formatDollars(inEscrow)}.`, {
      hint: 'What open leases hold comes back when they are closed: latent status',
    });
  }
  output.line(
    `${formatDollars(amount)} of ${formatDollars(inEscrow)} moves to your wallet. Sessions can rent from the rest only.`,
  );
  await askLeave(context, 'Move it?', { yes: flags.yes ?? false, refused: 'Nothing was moved.' });
  await withdrawBalance(chain, renter, amount);
  const after = await readBalances(chain, renter.address);
  output.line(`Your wallet holds ${formatDollars(after.inWallet)}.`);
  output.result({ withdrawn: amount, inEscrow: after.inEscrow, inWallet: after.inWallet });
}
