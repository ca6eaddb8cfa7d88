import {
  addressSchema,
  LatentError,
  leaseIdSchema,
  openDigestSigner,
  type SignedVoucher,
  signVoucher,
} from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promiseUp } from './fit-budget.ts';
import { createVoucherEngine, type MeteredLease, type VoucherEngineOptions } from './voucher-engine.ts';
import { covers } from './voucher-order.ts';
import type { VoucherStore } from './voucher-store.ts';

const domain = { chainId: 31_337, escrow: addressSchema.parse(`0x${'e5'.repeat(20)}`) };
const leaseId = leaseIdSchema.parse(`0x${'ab'.repeat(32)}`);
const signer = openDigestSigner(`0x${'11'.repeat(32)}`);
const stranger = openDigestSigner(`0x${'22'.repeat(32)}`);
const OPENED = 1_800_000_000;
const NOW_MS = OPENED * 1000;
/** One base unit for each device-second. */
const RATE = 1_000_000_000n;

function leaseOf(devices: readonly number[], change: Partial<MeteredLease> = {}): MeteredLease {
  const members = devices.map((count) => ({ devices: count, rate: RATE }));
  const maxSeconds = 1_000;
  const deposit = BigInt(devices.reduce((sum, count) => sum + count * maxSeconds, 0));
  const order = { meterKey: signer.address, deposit, maxSeconds, prepay: 10 };
  return { leaseId, order, members, openedAt: OPENED, stopAt: 0, ...change };
}

/** A disk: what was written to it is there for the next life, unless it is put back to an older state. */
function createDisk() {
  const states: (SignedVoucher | undefined)[] = [undefined];
  let dying: 'before' | 'after' | undefined;
  const store: VoucherStore = {
    load: () => states.at(-1),
    save: (voucher) => {
      const last = states.at(-1);
      if (last !== undefined && !covers(voucher, last)) throw new LatentError('VOUCHER_DECREASED', 'smaller');
      const death = dying;
      dying = undefined;
      if (death === 'before') throw new Error('killed');
      states.push(voucher);
      if (death === 'after') throw new Error('killed');
    },
  };
  return {
    store,
    dieAtNextSave: (when: 'before' | 'after') => {
      dying = when;
    },
    restore: (steps: number) => {
      states.length = Math.max(1, states.length - steps);
    },
  };
}

const open = (options: Partial<VoucherEngineOptions> & Pick<VoucherEngineOptions, 'lease'>) =>
  createVoucherEngine({ domain, signer, store: createDisk().store, ...options });

describe('a voucher engine', () => {
  it('signs what was counted, for every member, and stores it', async () => {
    const { store } = createDisk();
    const voucher = await open({ lease: leaseOf([1, 2]), store }).sign({ nowMs: NOW_MS, units: [10n, 20n] });
    expect(voucher).toMatchObject({ leaseId, units: [10n, 20n], accrueFrom: [0, 0] });
    expect(store.load()).toEqual(voucher);
  });

  it('gives the same voucher again where nothing more was counted', async () => {
    const engine = open({ lease: leaseOf([1]) });
    const first = await engine.sign({ nowMs: NOW_MS, units: [10n] });
    expect(await engine.sign({ nowMs: NOW_MS + 1, units: [9n] })).toBe(first);
  });

  it('signs nothing new while the clock stands before where it stood', async () => {
    const engine = open({ lease: leaseOf([1]) });
    const first = await engine.sign({ nowMs: NOW_MS, units: [10n] });
    expect(await engine.sign({ nowMs: NOW_MS - 1, units: [900n] })).toBe(first);
    expect((await engine.sign({ nowMs: NOW_MS, units: [11n] })).units).toEqual([11n]);
  });

  it('promises no more than its budget, and no more than the deposit whatever its budget', async () => {
    const { deposit } = leaseOf([1, 1]).order;
    const small = await open({ lease: leaseOf([1, 1]), budget: 100n }).sign({ nowMs: NOW_MS, units: [80n, 80n] });
    expect(small.units).toEqual([50n, 50n]);
    const lease = leaseOf([1, 1], { order: { ...leaseOf([1, 1]).order, deposit: deposit / 2n } });
    const large = await open({ lease, budget: deposit * 2n }).sign({ nowMs: NOW_MS, units: [9_999n, 9_999n] });
    expect(large.units).toEqual([500n, 500n]);
  });

  it('promises nothing beyond the end of the lease, or a prepay beyond its stop', async () => {
    const wanted = { nowMs: NOW_MS, units: [9_999n] };
    expect((await open({ lease: leaseOf([2]) }).sign(wanted)).units).toEqual([2_000n]);
    expect((await open({ lease: leaseOf([2], { openedAt: undefined }) }).sign(wanted)).units).toEqual([2_000n]);
    expect((await open({ lease: leaseOf([2], { stopAt: OPENED + 50 }) }).sign(wanted)).units).toEqual([120n]);
    const late = { ...wanted, accrueFrom: [OPENED + 900] };
    expect((await open({ lease: leaseOf([2]) }).sign(late)).units).toEqual([200n]);
  });

  it('goes on when members are added, and never starts a member’s clock later than before', async () => {
    const { store } = createDisk();
    await open({ lease: leaseOf([1]), store }).sign({ nowMs: NOW_MS, units: [10n], accrueFrom: [OPENED] });
    const grown = open({ lease: leaseOf([1, 1]), store });
    const from = [OPENED + 5, OPENED + 60];
    const next = await grown.sign({ nowMs: NOW_MS, units: [10n, 3n], accrueFrom: from });
    expect(next).toMatchObject({ units: [10n, 3n], accrueFrom: [OPENED, OPENED + 60] });
    const shrunk = open({ lease: leaseOf([1]), store });
    await expect(shrunk.sign({ nowMs: NOW_MS, units: [99n] })).rejects.toMatchObject({ code: 'LEASE_MISMATCH' });
  });

  it('takes over what it signed itself and has forgotten', async () => {
    const { store, restore } = createDisk();
    const engine = open({ lease: leaseOf([1, 1]), store });
    await engine.sign({ nowMs: NOW_MS, units: [10n, 10n] });
    const held = await engine.sign({ nowMs: NOW_MS, units: [90n, 90n] });
    restore(1);
    expect(engine.current()?.units).toEqual([10n, 10n]);
    expect(await engine.adopt([held])).toBe(true);
    expect(engine.current()).toEqual(held);
    expect(await engine.adopt([held])).toBe(false);
    expect((await engine.sign({ nowMs: NOW_MS, units: [50n, 95n] })).units).toEqual([90n, 95n]);
  });

  it('covers both where agents hold vouchers of two lines', async () => {
    const { store, restore } = createDisk();
    const engine = open({ lease: leaseOf([1, 1]), store });
    const one = await engine.sign({ nowMs: NOW_MS, units: [50n, 5n] });
    restore(1);
    const other = await engine.sign({ nowMs: NOW_MS, units: [5n, 50n] });
    expect(await engine.adopt([one, other])).toBe(true);
    expect(engine.current()?.units).toEqual([50n, 50n]);
  });

  it('believes nobody: not another key, another lease, other numbers, or more members', async () => {
    const engine = open({ lease: leaseOf([1]) });
    await engine.sign({ nowMs: NOW_MS, units: [10n] });
    const content = { leaseId, units: [900n], accrueFrom: [0] };
    const own = await signVoucher(signer, domain, content);
    const lies = [
      await signVoucher(stranger, domain, content),
      await signVoucher(signer, { ...domain, chainId: 1 }, content),
      { ...own, units: [901n] },
      { ...own, leaseId: leaseIdSchema.parse(`0x${'cd'.repeat(32)}`) },
      await signVoucher(signer, domain, { leaseId, units: [900n, 900n], accrueFrom: [0, 0] }),
    ];
    expect(await engine.adopt(lies)).toBe(false);
    expect(engine.current()?.units).toEqual([10n]);
  });
});

type Step =
  | { readonly kind: 'tick'; readonly seconds: number; readonly ahead: number; readonly answer: readonly boolean[] }
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' | 'idle' }
  | { readonly kind: 'restore'; readonly steps: number };

const MEMBERS = [1, 3, 2] as const;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      seconds: fc.integer({ min: -300, max: 400 }),
      ahead: fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 900 })),
      answer: fc.array(fc.boolean(), { minLength: MEMBERS.length, maxLength: MEMBERS.length }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      when: fc.constantFrom('before' as const, 'after' as const, 'idle' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), steps: fc.integer({ min: 1, max: 4 }) }) },
);

describe('over any sequence of ticks, crashes and restores', () => {
  /**
   * A meter over the engine, which looks at what agents hold before it signs, and agents that keep the last voucher they were
   * given: none takes a smaller one.
   */
  async function live(steps: readonly Step[], budget: bigint): Promise<{ readonly given: readonly SignedVoucher[] }> {
    const lease = leaseOf(MEMBERS);
    const disk = createDisk();
    const start = () => open({ lease, store: disk.store, budget });
    let engine = start();
    let nowMs = NOW_MS;
    const held: (SignedVoucher | undefined)[] = MEMBERS.map(() => undefined);
    const given: SignedVoucher[] = [];
    for (const next of steps) {
      if (next.kind === 'crash') {
        if (next.when !== 'idle') disk.dieAtNextSave(next.when);
        else engine = start();
      } else if (next.kind === 'restore') {
        disk.restore(next.steps);
        engine = start();
      } else {
        nowMs += next.seconds * 1000;
        const seconds = BigInt(Math.max(0, nowMs - NOW_MS) / 1000 + next.ahead);
        const units = MEMBERS.map((devices) => BigInt(devices) * seconds);
        let voucher: SignedVoucher;
        try {
          const current = engine.current();
          const more = held.filter((one) => one !== undefined && (current === undefined || !covers(current, one)));
          if (more.length > 0) await engine.adopt(more.filter((one) => one !== undefined));
          voucher = await engine.sign({ nowMs, units });
        } catch {
          // Killed at the store; nothing has left the process.
          engine = start();
          continue;
        }
        expect(disk.store.load()).toEqual(voucher);
        given.push(voucher);
        for (const [index, answers] of next.answer.entries()) {
          if (!answers) continue;
          const before = held[index];
          if (before !== undefined) expect(covers(voucher, before)).toBe(true);
          held[index] = voucher;
        }
      }
    }
    return { given };
  }

  it('gives out only what is stored, within the budget and the lease, and nothing that an agent would refuse', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.bigInt({ min: 0n, max: 6_000n }),
        async (steps, budget) => {
          const lease = leaseOf(MEMBERS);
          const { given } = await live(steps, budget);
          for (const { units } of given) {
            expect(promiseUp(lease.members, units)).toBeLessThanOrEqual(budget);
            for (const [index, devices] of MEMBERS.entries())
              expect(units[index]).toBeLessThanOrEqual(BigInt(devices) * 1_000n);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('never gives out less than before, however often it is killed, while nobody puts the store back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { given } = await live(
          steps.filter(({ kind }) => kind !== 'restore'),
          6_000n,
        );
        for (const [index, voucher] of given.entries()) {
          const before = given[index - 1];
          if (before !== undefined) expect(covers(voucher, before)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});
