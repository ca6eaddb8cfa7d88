import type { Address } from 'viem';
import type { ChainClient } from './connect-chain.ts';

const turns = new WeakMap<ChainClient, Map<Address, Promise<unknown>>>();

/**
 * Runs `work` when what the same client does for this account before has ended: who reads a nonce while another transaction of
 * the account is about to be sent reads the same one.
 */
export async function takeTurn<Result>(
  client: ChainClient,
  account: Address,
  work: () => Promise<Result>,
): Promise<Result> {
  const ofClient = turns.get(client) ?? new Map<Address, Promise<unknown>>();
  turns.set(client, ofClient);
  const mine = (ofClient.get(account) ?? Promise.resolve()).then(work, work);
  ofClient.set(account, mine);
  try {
    return await mine;
  } finally {
    if (ofClient.get(account) === mine) ofClient.delete(account);
  }
}
