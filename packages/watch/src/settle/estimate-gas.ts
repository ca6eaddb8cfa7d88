import type { Endpoints } from '@latent/chain';
import type { ContractCall } from '@latent/sdk';
import type { Address } from 'viem';
import type { Wish } from '../policy/decide-lease.ts';

/**
 * Gas of a row in a transaction of its own, from below and from above: with nothing to be paid, and with nothing stored
 * yet for anybody. Beyond them an endpoint is not believed. Above is twice what `contracts/snapshots` has for first payments.
 */
const LEAST_GAS = 40_000n;
const MOST_GAS = 150_000n;
const MOST_GAS_OF_MEMBER = 100_000n;

/** What is expected before anybody is asked. */
export function guessGas({ lease }: Wish): bigint {
  return 60_000n + 20_000n * BigInt(lease.members.length);
}

/**
 * Gas of a call, within what is possible for these rows: the middle one of what the endpoints say, or the larger of two.
 * @throws LatentError CHAIN_UNREACHABLE; viem's RpcRequestError where the call reverts
 */
export async function estimateGas(
  endpoints: Endpoints,
  { call, wishes, from }: { readonly call: ContractCall; readonly wishes: readonly Wish[]; readonly from: Address },
): Promise<bigint> {
  const said: bigint[] = [];
  await endpoints.agree({
    what: `the gas of ${wishes.length} rows`,
    work: async (endpoint) => {
      const answer = await endpoint.request('eth_estimateGas', [{ ...call, from }]);
      if (typeof answer === 'string' && /^0x[0-9a-f]{1,16}$/i.test(answer)) said.push(BigInt(answer));
      // They need not say the same: blocks differ, and so do their ways to estimate.
      return 'answered';
    },
    inWords: (answer) => answer,
  });
  const sorted = said.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  const gas = sorted[Math.floor(sorted.length / 2)] ?? 0n;
  const members = wishes.reduce((sum, { lease }) => sum + BigInt(lease.members.length), 0n);
  const most = MOST_GAS * BigInt(wishes.length) + MOST_GAS_OF_MEMBER * members;
  if (gas < LEAST_GAS) return LEAST_GAS;
  return gas > most ? most : gas;
}

/** The gas that a transaction is given: other transactions of the same block may change what storage costs. */
export function gasLimit(estimate: bigint): bigint {
  return (estimate * 13n) / 10n;
}
