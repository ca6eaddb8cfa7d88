import {
  checkVoucher,
  type DigestSigner,
  type EscrowDomain,
  LatentError,
  type LeaseId,
  type Member,
  type Order,
  type SignedVoucher,
  signVoucher,
} from '@latent/protocol';
import { fitBudget, promiseUp } from './fit-budget.ts';
import { covers, joined } from './voucher-order.ts';
import type { VoucherStore } from './voucher-store.ts';

/** A lease as far as vouchers for it are bounded. Times in unix seconds. */
export interface MeteredLease {
  readonly leaseId: LeaseId;
  readonly order: Pick<Order, 'meterKey' | 'deposit' | 'maxSeconds' | 'prepay'>;
  /** All members, in the order of the lease; later ones may have been added while it runs. */
  readonly members: readonly Pick<Member, 'devices' | 'rate'>[];
  /** Undefined if it is not known: then the lease's length alone bounds units. */
  readonly openedAt?: number | undefined;
  /** 0 until the lease is stopped. */
  readonly stopAt: number;
}

export interface VoucherEngineOptions {
  readonly domain: EscrowDomain;
  readonly lease: MeteredLease;
  /** The meter key. */
  readonly signer: DigestSigner;
  readonly store: VoucherStore;
  /** Most base units that this signer may promise in all. The deposit unless given; never more than that. */
  readonly budget?: bigint | undefined;
}

/** Counted for every member, in the order of the lease. */
export interface Counted {
  /** Unix milliseconds at which it was counted. */
  readonly nowMs: number;
  /** Device-seconds to cover. */
  readonly units: readonly bigint[];
  /** Unix seconds; a member's clock starts at max(openedAt, accrueFrom). All 0 unless given. */
  readonly accrueFrom?: readonly number[] | undefined;
}

/**
 * Signs the vouchers of one lease. What it gives out is stored, within the budget, payable before the lease ends, and covers
 * everything that it gave out before, also in an earlier life. One engine per lease: two would sign past each other.
 */
export interface VoucherEngine {
  /** The last one; undefined before the first. */
  current(): SignedVoucher | undefined;
  /**
   * The voucher to hand out now: a new one if more was counted than was signed for, else the last. Nothing new is signed when
   * the clock stands before where it stood at the last call.
   * @throws LatentError LEASE_MISMATCH (fewer members than were signed for), and those of `VoucherStore.save`
   */
  sign(counted: Counted): Promise<SignedVoucher>;
  /**
   * Takes over what agents hold, if that is more than what is stored: the store was brought back from an old copy. Only what the
   * own key signed for this lease counts.
   * @returns whether anything was taken over
   * @throws LatentError those of `VoucherStore.save`
   */
  adopt(held: readonly SignedVoucher[]): Promise<boolean>;
}

export function createVoucherEngine(options: VoucherEngineOptions): VoucherEngine {
  const { domain, lease, signer, store } = options;
  const { leaseId, order, members } = lease;
  const budget = options.budget === undefined || options.budget > order.deposit ? order.deposit : options.budget;
  let clockMs = Number.NEGATIVE_INFINITY;

  const issue = async (content: Pick<SignedVoucher, 'units' | 'accrueFrom'>) => {
    const voucher = await signVoucher(signer, domain, { leaseId, ...content });
    store.save(voucher, 'signed');
    return voucher;
  };

  return {
    current: () => store.load(),
    sign: async (counted) => {
      const current = store.load();
      if (counted.nowMs < clockMs && current !== undefined) return current;
      clockMs = counted.nowMs;
      const next = nextContent(lease, current, counted, budget);
      return current !== undefined && covers(current, next) ? current : issue(next);
    },
    adopt: async (held) => {
      const own = await ownVouchers(options, held);
      const current = store.load();
      const all = current === undefined ? own : [...own, current];
      const largest = all.find((voucher) => all.every((other) => covers(voucher, other)));
      if (all.length === 0 || (largest !== undefined && current !== undefined && covers(current, largest)))
        return false;
      if (largest !== undefined) {
        store.save(largest, 'held');
        return true;
      }
      // Two lines of vouchers: some agents hold more of the one, some of the other. All of it was promised already.
      const both = all.reduce<Pick<SignedVoucher, 'units' | 'accrueFrom'>>(joined, { units: [], accrueFrom: [] });
      if (promiseUp(members, both.units) > budget) return false;
      await issue(both);
      return true;
    },
  };
}

/** What the next voucher promises: what was counted, within lease and budget, and nothing less than before. */
function nextContent(
  lease: MeteredLease,
  current: SignedVoucher | undefined,
  counted: Counted,
  budget: bigint,
): Pick<SignedVoucher, 'units' | 'accrueFrom'> {
  const { members } = lease;
  const promised = promisedTo(lease, current);
  const before = members.map((_, index) => promised.units[index] ?? 0n);
  const accrueFrom = members.map((_, index) =>
    Math.min(counted.accrueFrom?.[index] ?? 0, promised.accrueFrom[index] ?? Number.POSITIVE_INFINITY),
  );
  const wanted = members.map((member, index) => {
    const bounded = smaller(counted.units[index] ?? 0n, mostUnits(lease, member, accrueFrom[index] ?? 0));
    return larger(bounded, before[index] ?? 0n);
  });
  return { units: [...fitBudget(members, before, wanted, budget)], accrueFrom };
}

function promisedTo(
  { leaseId, members }: MeteredLease,
  voucher: SignedVoucher | undefined,
): Pick<SignedVoucher, 'units' | 'accrueFrom'> {
  if (voucher === undefined) return { units: [], accrueFrom: [] };
  if (voucher.units.length <= members.length) return voucher;
  throw new LatentError(
    'LEASE_MISMATCH',
    `A voucher for ${voucher.units.length} members was signed; the lease is said to have ${members.length}.`,
    { details: { leaseId } },
  );
}

/** No voucher is worth more: the contract's clock pays nothing beyond the end, or a prepay beyond the stop. */
function mostUnits(lease: MeteredLease, { devices }: Pick<Member, 'devices'>, accrueFrom: number): bigint {
  const { openedAt, order, stopAt } = lease;
  if (openedAt === undefined) return BigInt(devices) * BigInt(order.maxSeconds);
  const end = openedAt + order.maxSeconds;
  const until = stopAt === 0 ? end : Math.min(end, stopAt + order.prepay);
  return BigInt(devices) * BigInt(Math.max(0, until - Math.max(openedAt, accrueFrom)));
}

/** What agents say is not believed: a voucher has to be of the own key, for this lease and its members. */
async function ownVouchers(
  { domain, lease }: Pick<VoucherEngineOptions, 'domain' | 'lease'>,
  held: readonly SignedVoucher[],
): Promise<readonly SignedVoucher[]> {
  const { leaseId, order, members } = lease;
  const checked = await Promise.all(
    held.map(async (voucher) => {
      if (voucher.units.length > members.length) return undefined;
      try {
        await checkVoucher(domain, { leaseId, order, memberCount: voucher.units.length }, voucher);
        return voucher;
      } catch {
        // A lie, or another lease's. Agents gain nothing by it: the voucher that is stored stays.
        return undefined;
      }
    }),
  );
  return checked.filter((voucher) => voucher !== undefined);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
