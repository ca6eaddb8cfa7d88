import type { Command } from '@commander-js/extra-typings';
import { formatDollars, LatentError, parseDollars } from '@latent/protocol';
import { depositBalance, readBalances } from '@latent/sdk';
import { loadRenter } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { askLeave } from '../../screen/ask-leave.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { reachNetwork } from '../session/reach-network.ts';

/** `latent balance deposit AMOUNT` */
export function addBalanceDeposit(balance: Command): void {
  balance
    .command('deposit')
    .summary('move money from your wallet into the escrow, where sessions rent from')
    .argument('<dollars>', 'how much')
    .option('-y, --yes', 'do not ask')
    .option('--network <name>', 'network of the escrow', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent balance deposit 20')
    .action((dollars, flags) => runCommand(flags, (context) => deposit(context, dollars, flags)));
}

interface DepositFlags {
  readonly yes?: true | undefined;
  readonly network: string;
}

async function deposit(context: CommandContext, dollars: string, flags: DepositFlags): Promise<undefined> {
  const { output } = context;
  const amount = parseDollars(dollars);
  const { chain, network } = await reachNetwork(context, flags.network);
  const renter = await loadRenter(network);
  const { inEscrow, inWallet } = await readBalances(chain, renter.address);
  if (amount === 0n || amount > inWallet) {
    throw new LatentError(
      'FUNDS_TOO_LOW',
      `The wallet holds ${formatDollars(inWallet)}; you asked for ${formatDollars(amount)}.`,
      {
        hint: 'Give an amount above nothing and up to what the wallet holds.',
      },
    );
  }
  output.line(
    `${formatDollars(amount)} moves into your balance, which then holds ${formatDollars(inEscrow + amount)}.`,
  );
  await askLeave(context, 'Move it?', { yes: flags.yes ?? false, refused: 'Nothing was moved.' });
  await depositBalance(chain, renter, amount);
  const after = await readBalances(chain, renter.address);
  output.line(`Your balance holds ${formatDollars(after.inEscrow)}.`);
  output.result({ deposited: amount, inEscrow: after.inEscrow, inWallet: after.inWallet });
}
