import type { FollowedLease } from '@latent/chain';
import { hashRoster, type LeaseId } from '@latent/protocol';
import { zeroHash } from 'viem';
import { readWeiPerGas } from '../chain/gas-price.ts';
import { decideLease, type Wish } from '../policy/decide-lease.ts';
import { type BatchLimits, costUp, type GasPrice, type PricedWish, selectBatch } from '../policy/select-batch.ts';
import { turnOf } from '../policy/take-turn.ts';
import type { WatchContext } from '../watch-context.ts';
import { type Deed, type ExpectedRow, leasesOf } from './deed-store.ts';
import { changedOf, encodeBatch, markOf } from './encode-batch.ts';
import { estimateGas, gasLimit, guessGas } from './estimate-gas.ts';
import { simulateBatch } from './simulate-batch.ts';

const DAY_MS = 86_400_000;
const DEEDS = ['checkpoint', 'close', 'leave', 'finalize'] as const satisfies readonly Wish['deed'][];

/**
 * One look at all leases: decides what is to be done, asks the chain whether it would be, weighs it against the gas, and
 * writes down what is worth it: at most one deed of each kind. Sends nothing.
 * @param feeBps of the escrow
 * @returns what was written down, to be carried out
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG, CHAIN_DISAGREES
 */
export async function lookOnce(context: WatchContext, feeBps: number): Promise<readonly Deed[]> {
  const { deeds, clock } = context;
  const wishes = findWishes(context, feeBps);
  if (wishes.length === 0) return [];
  const weiPerGas = await readWeiPerGas(context.endpoints);
  const price = { weiPerGas, unitsPerEther: context.options.unitsPerEther };
  const made: Deed[] = [];
  for (const deed of DEEDS) {
    const likely = wishes.filter((wish) => wish.deed === deed && mayBeWorth(wish, price, context));
    const batch = await assemble(context, likely, price);
    if (batch === undefined) continue;
    // From here to the write nothing waits: what was decided and what is written down are the same.
    const { chosen, gas, mostWei } = batch;
    const worth = chosen.reduce((sum, wish) => sum + wish.worth, 0n);
    const call = encodeBatch(context.domain, chosen);
    made.push(deeds.create({ deed, rows: chosen.map(expectedRow), call, gas, worth, mostWei }, clock.nowMs()));
    const what = chosen.map(({ lease, why }) => ({ leaseId: lease.leaseId, why }));
    context.logger.info({ deed, what, worth, mostWei, weiPerGas }, 'decided on a deed');
  }
  return made;
}

/** One wish per lease that no deed is under way for, and that the contract has not refused lately. */
function findWishes({ follower, chainClock, papers, policy, deeds, account, clock }: WatchContext, feeBps: number) {
  const nowSeconds = chainClock.nowSeconds();
  if (nowSeconds === undefined) return [];
  const busy = new Set<LeaseId>(deeds.open().flatMap(leasesOf));
  const withPapers = new Set<LeaseId>(papers.leases());
  return follower.openLeases().flatMap((lease): readonly Wish[] => {
    const { leaseId } = lease;
    if (busy.has(leaseId) || !isOurs(lease, policy)) return [];
    const kept = withPapers.has(leaseId) ? papers.of(leaseId) : { vouchers: [], claims: [] };
    const moment = { nowSeconds, turn: turnOf(leaseId, account.address), feeBps };
    const good = decideLease(lease, kept, policy, moment).find((wish) => !deeds.isBad(markOf(wish), clock.nowMs()));
    return good === undefined ? [] : [good];
  });
}

function isOurs({ terms, members }: FollowedLease, { worksFor }: WatchContext['policy']): boolean {
  return (terms !== undefined && worksFor(terms.order.renter)) || members.some(({ operator }) => worksFor(operator));
}

/** Nobody is asked about rows that are far from being worth it. */
function mayBeWorth(wish: Wish, price: GasPrice, { policy }: WatchContext): boolean {
  const guessed = costUp(guessGas(wish) / 4n, price);
  return wish.isDue ? wish.worth >= guessed : wish.worth >= policy.minWorth && wish.worth >= guessed * policy.gasTimes;
}

/**
 * Rows that the contract would carry out, each alone and all together, and that are worth their gas, each and together.
 * Rows that it would skip are remembered, and left out for a while.
 */
async function assemble(
  context: WatchContext,
  wishes: readonly Wish[],
  price: GasPrice,
): Promise<{ readonly chosen: readonly Wish[]; readonly gas: bigint; readonly mostWei: bigint } | undefined> {
  const { options } = context;
  const priced: PricedWish[] = [];
  // As many as can matter: the rest is looked at when these are done.
  for (const wish of wishes.slice(0, 2 * options.mostRows)) {
    const gas = await gasIfGood(context, [wish]);
    if (gas !== undefined) priced.push({ wish, gas: gasLimit(gas) });
  }
  let batch = selectBatch(priced, price, limitsOf(context));
  // Halved until what is left goes through together; the rest has its turn at the next look.
  while (batch !== undefined && batch.rows.length > 1) {
    const chosen = batch.rows.map(({ wish }) => wish);
    if ((await judge(context, chosen)) !== 'skipped') break;
    const half = batch.rows.slice(0, Math.ceil(batch.rows.length / 2));
    batch = selectBatch(half, price, limitsOf(context));
  }
  if (batch === undefined) return undefined;
  return { chosen: batch.rows.map(({ wish }) => wish), gas: batch.gas, mostWei: batch.mostWei };
}

async function gasIfGood(context: WatchContext, wishes: readonly [Wish]): Promise<bigint | undefined> {
  const { deeds, clock, logger, endpoints, account, domain } = context;
  const [wish] = wishes;
  const judged = await judge(context, wishes);
  if (judged === 'unsure' && !wish.isDue) return undefined;
  if (judged === 'skipped') {
    deeds.markBad(markOf(wish), clock.nowMs());
    logger.info({ leaseId: wish.lease.leaseId, deed: wish.deed, why: wish.why }, 'the contract would skip it');
    return undefined;
  }
  return estimateGas(endpoints, { call: encodeBatch(domain, wishes), wishes, from: account.address });
}

function judge({ endpoints, domain, account }: WatchContext, wishes: readonly Wish[]) {
  const call = encodeBatch(domain, wishes);
  return simulateBatch(endpoints, { call, rows: wishes.length, from: account.address });
}

function limitsOf({ policy, options, deeds, clock }: WatchContext): BatchLimits {
  const budget = options.budgetWeiPerDay;
  const spent = budget === undefined ? 0n : deeds.spentSince(clock.nowMs() - DAY_MS);
  return {
    ...{ minWorth: policy.minWorth, gasTimes: policy.gasTimes },
    ...{ mostRows: options.mostRows, mostGas: BigInt(options.mostGas) },
    leftWei: budget === undefined ? undefined : budget > spent ? budget - spent : 0n,
  };
}

function expectedRow(wish: Wish): ExpectedRow {
  const { leaseId, charged } = wish.lease;
  const changed = changedOf(wish.lease);
  const rosterHashBefore = changed === undefined ? zeroHash : hashRoster(changed);
  return { leaseId, chargedBefore: charged, rosterHashBefore, mark: markOf(wish) };
}
