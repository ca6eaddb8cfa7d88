import { LatentError, type LeaseTerms } from '@latent/protocol';
import { type ChainClient, type Funding, readBalances, readSession, sessionShortfall, weiForGas } from '@latent/sdk';
import type { Address, LocalAccount } from 'viem';
import type { LatentHome } from '../home/latent-home.ts';
import { findRenter, loadRenter, type Network } from '../home/network.ts';
import { listSessions, type StoredSession } from '../home/session-store.ts';

/** To open and close one lease. A session key with less is passed over. */
const GAS_OF_ONE_LEASE = 800_000n;

/** Who could pay for a lease, all of one renter. */
export interface Purses {
  readonly renter: Address;
  /** The renter's own key; undefined where only sessions are here. */
  readonly wallet: LocalAccount | undefined;
  /** The newest first. */
  readonly sessions: readonly StoredSession[];
}

/** Who pays, and what that makes of the terms. */
export interface ChosenPayer {
  readonly terms: LeaseTerms;
  readonly funding: Funding;
  /** Undefined where the wallet pays. */
  readonly session: { readonly name: string; readonly leftToSpend: bigint; readonly validUntil: number } | undefined;
  /** Why sessions were passed over, if any are here and none could pay; for people. */
  readonly passedOver: string | undefined;
}

/** Finds the renter's key and its sessions. @throws LatentError CONFIG_INVALID where there is neither */
export async function findPurses(home: LatentHome, name: string, network: Network): Promise<Purses> {
  const { escrow, chainId } = network.deployment;
  const [wallet, all] = await Promise.all([
    findRenter(network),
    listSessions(home, { network: name, escrow, chainId }),
  ]);
  // The message says what is wrong with the renter's key.
  const renter = wallet?.address ?? all[0]?.renter ?? (await loadRenter(network)).address;
  return { renter, wallet, sessions: all.filter((session) => session.renter === renter) };
}

/**
 * The newest session that allows the lease and can pay for it and for its gas; else the wallet.
 * @param draft the terms with a session key in the order, or without
 * @throws LatentError SESSION_LIMIT where no session can and the wallet's key is not here
 */
export async function choosePayer(
  chain: ChainClient,
  { renter, wallet, sessions }: Purses,
  draft: (session?: Address) => LeaseTerms,
): Promise<ChosenPayer> {
  const reasons: string[] = [];
  for (const session of sessions) {
    const terms = draft(session.key);
    const [onChain, balances, purse, gasMoney] = await Promise.all([
      readSession(chain, renter, session.key),
      readBalances(chain, renter),
      readBalances(chain, session.key),
      weiForGas(chain, GAS_OF_ONE_LEASE, 1n),
    ]);
    const why =
      sessionShortfall(onChain, balances.inEscrow, terms)?.text ??
      (purse.ether < gasMoney ? 'its key has too little ether for gas' : undefined);
    if (why === undefined) {
      const leftToSpend = onChain.spendLimit - onChain.spent - terms.order.deposit;
      const { name, account } = session;
      return {
        terms,
        funding: { kind: 'session', session: account },
        session: { name, leftToSpend, validUntil: onChain.validUntil },
        passedOver: undefined,
      };
    }
    reasons.push(`session "${session.name}" does not pay: ${why}`);
  }
  const passedOver = reasons.length === 0 ? undefined : reasons.join('; ');
  if (wallet !== undefined) {
    return { terms: draft(), funding: { kind: 'authorization', renter: wallet }, session: undefined, passedOver };
  }
  throw new LatentError(
    'SESSION_LIMIT',
    `The renter's own key is not here, and ${passedOver ?? 'there is no session'}.`,
    {
      hint: 'Order less, or where the renter’s key is: latent session create, latent balance deposit.',
    },
  );
}
