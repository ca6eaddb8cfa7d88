import { LatentError, type Order } from '@latent/protocol';
import { type LocalAccount, zeroAddress } from 'viem';
import type { LatentHome } from './latent-home.ts';
import { findRenter, loadRenter, type Network } from './network.ts';
import { listSessions } from './session-store.ts';

/**
 * Who pays the gas for what a cluster does on chain: the session key that opened its lease, else the renter. Both may
 * stop it.
 * @throws LatentError CONFIG_INVALID if neither key is here
 */
export async function loadPayer(
  home: LatentHome,
  { name, network }: { readonly name: string; readonly network: Network },
  order: Pick<Order, 'session'>,
): Promise<LocalAccount> {
  if (order.session === zeroAddress) return loadRenter(network);
  const { escrow, chainId } = network.deployment;
  const sessions = await listSessions(home, { network: name, escrow, chainId });
  const payer = sessions.find(({ key }) => key === order.session)?.account ?? (await findRenter(network));
  if (payer !== undefined) return payer;
  throw new LatentError('CONFIG_INVALID', `Neither the session key ${order.session} nor the renter's key is here.`, {
    hint: `Put one of them back: below ${home.sessionsFolder(name)}, or ${network.renterKeyFile}.`,
  });
}
