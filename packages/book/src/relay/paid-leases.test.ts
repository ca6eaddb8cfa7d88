import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@latent/kit';
import { payableUnits, peerKeySchema, relayUnitsDown } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW } from '../book-bench.fixture.ts';
import {
  judge,
  MAX_UNSAVED_UNITS,
  openPaidLeases,
  type PaidLease,
  relayLeasesMigration,
  roomBytes,
} from './paid-leases.ts';
import { draftPaid, MIB, openRelayBench } from './relay-bench.fixture.ts';

const PEER = peerKeySchema.parse(`0x${'aa'.repeat(32)}`);

async function makeLease(units: bigint): Promise<PaidLease> {
  await using bench = await openRelayBench();
  const { leaseId, terms, voucher } = draftPaid(bench, { devices: 4, seconds: 600 });
  return {
    ...{ leaseId, peerKey: PEER, terms, openedAt: NOW, usedBytes: 0, savedUnits: 0, voucher: await voucher(units) },
    ...{ claim: null, stopAt: 0, isEnding: false },
  };
}

describe('what is relayed for a lease', () => {
  it('is counted to the byte, claimed in whole units, and never counted twice, whenever the book is killed', async () => {
    const made = await makeLease(10_000n);
    const frame = fc.integer({ min: 4, max: 128 * 1024 + 4 });
    const step = fc.oneof({ weight: 40, arbitrary: frame }, { weight: 1, arbitrary: fc.constant('killed' as const) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const folder = mkdtempSync(join(tmpdir(), 'paid-'));
        const path = join(folder, 'book.sqlite');
        const open = () => {
          const store = openStore({ path, migrations: [relayLeasesMigration] });
          return { store, leases: openPaidLeases(store) };
        };
        let { store, leases } = open();
        try {
          leases.keep({ ...made });
          let relayed = 0;
          let kills = 0;
          for (const one of steps) {
            const lease = leases.find(made.leaseId) ?? expect.unreachable('the lease is gone');
            if (one === 'killed') {
              // Nothing is saved on purpose.
              store.close();
              ({ store, leases } = open());
              kills += 1;
              continue;
            }
            expect(leases.use(lease, one)).toBe(true);
            relayed += one;
            expect(lease.usedBytes).toBeLessThanOrEqual(relayed);
            expect(relayed - lease.usedBytes).toBeLessThan(kills * MAX_UNSAVED_UNITS * MIB + 1);
            if (kills === 0) expect(lease.usedBytes).toBe(relayed);
          }
          const units = relayUnitsDown(leases.find(made.leaseId)?.usedBytes ?? 0);
          expect(Number(units) * MIB).toBeLessThanOrEqual(relayed);
        } finally {
          store.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 15 },
    );
  });

  it('stays within what the voucher covers and the clock lets be paid, at any moment', async () => {
    const made = await makeLease(0n);
    const { order, members } = made.terms;
    fc.assert(
      fc.property(
        fc.record({
          units: fc.bigInt({ min: 0n, max: 3_000n }),
          seconds: fc.integer({ min: -20, max: 700 }),
          bytes: fc.integer({ min: 1, max: 128 * 1024 }),
          usedBytes: fc.integer({ min: 0, max: 3_000 * MIB }),
          stopAfter: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 600 })),
        }),
        ({ units, seconds, bytes, usedBytes, stopAfter }) => {
          const stopAt = stopAfter === undefined ? 0 : NOW + stopAfter;
          const lease = { ...made, usedBytes, stopAt, voucher: { ...made.voucher, units: [units] } };
          if (judge(lease, bytes, NOW + seconds) !== 'relay') return;
          const clock = { devices: members[0]?.devices ?? 0, openedAt: NOW, stopAt, accrueFrom: 0, ...order };
          const payable = payableUnits(units, clock, NOW + seconds);
          expect(BigInt(usedBytes + bytes)).toBeLessThanOrEqual(payable * BigInt(MIB));
          expect(roomBytes(lease, NOW + seconds)).toBeGreaterThanOrEqual(bytes);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is over at the end of the lease, when all of it is used up, and once it is claimed', async () => {
    const made = await makeLease(2_400n);
    expect(judge(made, 1, NOW + 599)).toBe('relay');
    expect(judge(made, 1, NOW + 600)).toBe('over');
    expect(judge({ ...made, usedBytes: 2_400 * MIB }, 1, NOW + 599)).toBe('over');
    expect(judge({ ...made, isEnding: true }, 1, NOW + 1)).toBe('over');
    // Ten seconds of prepay, and not one more, ahead of the clock.
    expect(judge({ ...made, usedBytes: 40 * MIB }, 1, NOW)).toBe('wait');
    expect(judge({ ...made, usedBytes: 40 * MIB, stopAt: NOW }, 1, NOW + 1)).toBe('over');
  });

  it('is not relayed where it cannot be written down', async () => {
    const made = await makeLease(10_000n);
    const folder = mkdtempSync(join(tmpdir(), 'paid-'));
    const store = openStore({ path: join(folder, 'book.sqlite'), migrations: [relayLeasesMigration] });
    let isFull = false;
    const failing: typeof store = {
      ...store,
      run: (sql, params) => {
        if (isFull) throw new Error('the disk is full');
        return store.run(sql, params);
      },
    };
    const leases = openPaidLeases(failing);
    leases.keep(made);
    isFull = true;
    expect(leases.use(made, MAX_UNSAVED_UNITS * MIB - 1)).toBe(true);
    expect(leases.use(made, 1)).toBe(false);
    expect(made.usedBytes).toBe(MAX_UNSAVED_UNITS * MIB - 1);
    isFull = false;
    expect(leases.use(made, 1)).toBe(true);
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
