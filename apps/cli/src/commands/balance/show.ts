import type { Command } from '@commander-js/extra-typings';
import { formatDollars } from '@latent/protocol';
import { readBalances } from '@latent/sdk';
import { type Address, formatEther } from 'viem';
import { findRenter, loadRenter } from '../../home/network.ts';
import { listSessions } from '../../home/session-store.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { type ReachedNetwork, reachNetwork } from '../session/reach-network.ts';

/** `latent balance show` */
export function addBalanceShow(balance: Command): void {
  balance
    .command('show')
    .summary('show what you can spend: in the escrow, and in your wallet')
    .option('--network <name>', 'network to look at', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent balance show')
    .action((flags) => runCommand(flags, (context) => show(context, flags)));
}

async function show(context: CommandContext, flags: { readonly network: string }): Promise<undefined> {
  const { output } = context;
  const reached = await reachNetwork(context, flags.network);
  const renter = await ownAddress(context, reached);
  const { inEscrow, inWallet, ether } = await readBalances(reached.chain, renter);
  output.line(`in the escrow  ${formatDollars(inEscrow)}   what sessions rent from, and where their refunds go`);
  output.line(`in the wallet  ${formatDollars(inWallet)}   and ${formatEther(ether)} ether for gas (${renter})`);
  output.result({ renter, inEscrow, inWallet, etherWei: ether });
}

/** The renter's, also where a session alone is here. @throws LatentError CONFIG_INVALID if neither is */
async function ownAddress({ home }: CommandContext, { network, place }: ReachedNetwork): Promise<Address> {
  const wallet = await findRenter(network);
  if (wallet !== undefined) return wallet.address;
  const [session] = await listSessions(home, place);
  return session?.renter ?? (await loadRenter(network)).address;
}
