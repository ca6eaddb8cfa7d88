import type { Command } from '@commander-js/extra-typings';
import { toLatentError } from '@latent/protocol';
import { readSession, returnEther, revokeSession } from '@latent/sdk';
import { formatEther } from 'viem';
import { loadRenter } from '../../home/network.ts';
import { findSession, forgetSession, type StoredSession } from '../../home/session-store.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { reachNetwork } from './reach-network.ts';

/** `latent session revoke NAME` */
export function addSessionRevoke(session: Command): void {
  session
    .command('revoke')
    .summary('end a session; its open leases go on')
    .argument('<name>', 'session, or the address of its key')
    .option('--network <name>', 'network that it is for', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent session revoke session-1')
    .action((name, flags) => runCommand(flags, (context) => revoke(context, name, flags)));
}

async function revoke(context: CommandContext, given: string, flags: { readonly network: string }): Promise<undefined> {
  const { home, output } = context;
  const { chain, network, place } = await reachNetwork(context, flags.network);
  const session = await findSession(home, place, given);
  const renter = await loadRenter(network);
  const { validUntil } = await readSession(chain, renter.address, session.key);
  if (validUntil !== 0) await revokeSession(chain, renter, session.key);
  const { name } = session;
  const open = openClusters(context, session);
  if (open.length > 0) {
    output.line(
      `Session "${name}" opens no more leases. Its key stays here until these are closed: ${open.join(', ')}.`,
    );
    output.result({ name, revoked: true, removed: false, returnedWei: 0n });
    return;
  }
  const returnedWei = await returnEther(chain, session.account, renter.address).catch((thrown: unknown) => {
    output.warn(`The ether of the session key stays with it: ${toLatentError(thrown).message}`);
    return undefined;
  });
  // A key that still holds something is kept.
  if (returnedWei !== undefined) await forgetSession(home, flags.network, name);
  output.line(`Session "${name}" is ended. ${formatEther(returnedWei ?? 0n)} ether came back to your wallet.`);
  output.line('Your balance is untouched: latent balance withdraw gets it out.');
  output.result({ name, revoked: true, removed: returnedWei !== undefined, returnedWei: returnedWei ?? 0n });
}

/** Those that the key still has to close. */
function openClusters({ store }: CommandContext, { key }: StoredSession): readonly string[] {
  const open = store.list().filter(({ phase, terms }) => phase !== 'ended' && terms.order.session === key);
  return open.map(({ name }) => name);
}
