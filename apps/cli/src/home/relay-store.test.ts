import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaseIdSchema, RELAY_UNIT_BYTES } from '@latent/protocol';
import { promisedUp, type RelayLease, relayBudgetLeft, relayLeaseSchema } from '@latent/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { showRelayed, showRelayLeases, showRelayPrices } from '../screen/show-relay.ts';
import { openRelayStore } from './relay-store.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeHome(): { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'relays-'));
  folders.push(root);
  return { root };
}

const idOf = (byte: string) => leaseIdSchema.parse(`0x${byte.repeat(32)}`);
const ACCOUNT = `0x${'22'.repeat(20)}`;
const BOOK = 'https://book.example';

function leaseOf(byte: string, units: bigint | undefined, change: Partial<RelayLease> = {}): RelayLease {
  const [leaseId, signature] = [idOf(byte), `0x${'33'.repeat(65)}`];
  const limits = { maxSeconds: 3_600, closeWindow: 900, prepay: 10, maxFeeBps: 50 };
  const member = { ask: leaseId, operator: ACCOUNT, agentKey: ACCOUNT, devices: 14, rate: '9765625000' };
  const order = { renter: ACCOUNT, session: ACCOUNT, meterKey: ACCOUNT, deposit: '1', openBy: 1, ...limits };
  return relayLeaseSchema.parse({
    ...{ leaseId, book: BOOK, meterSecret: leaseId, phase: 'open', openedAt: 1, countedBefore: 0, charged: null },
    terms: { order: { ...order, workload: leaseId, salt: '1' }, members: [member] },
    offer: {
      ask: { ...member, resource: leaseId, ...limits, validUntil: 1, epoch: 0, salt: '1' },
      relay: { book: BOOK, unitBytes: RELAY_UNIT_BYTES },
      signature,
    },
    voucher: units === undefined ? null : { leaseId, units: [units], accrueFrom: [0], signature },
    usedBytes: 0,
    ...change,
  });
}

describe('what a renter keeps of relaying', () => {
  it('is nothing allowed unless it was, for each cluster apart, and is there in the next life', () => {
    const home = makeHome();
    const first = openRelayStore(home);
    first.allow(idOf('aa'), 500_000n, 50_000n);
    first.of(idOf('aa')).save(leaseOf('01', 1_024n));
    first.close();
    const again = openRelayStore(home);
    const [own, other] = [again.of(idOf('aa')), again.of(idOf('bb'))];
    expect([own.budget(), own.priceCap(), other.budget(), other.priceCap()]).toEqual([500_000n, 50_000n, 0n, 0n]);
    expect(own.leases()).toEqual([leaseOf('01', 1_024n)]);
    expect(other.leases()).toEqual([]);
    again.close();
  });

  it('adds up what all processes have counted of a book', () => {
    const home = makeHome();
    const [meter, logs] = [openRelayStore(home), openRelayStore(home)];
    meter.of(idOf('aa')).count(BOOK, 5);
    logs.of(idOf('aa')).count(BOOK, 7);
    logs.of(idOf('aa')).count('http://other', 1);
    expect(meter.of(idOf('aa')).counted(BOOK)).toBe(12);
    expect(meter.of(idOf('bb')).counted(BOOK)).toBe(0);
    meter.close();
    logs.close();
  });

  it('hands what commands note to the meter, once', () => {
    const home = makeHome();
    const [meter, logs] = [openRelayStore(home), openRelayStore(home)];
    const noting = logs.of(idOf('aa'));
    for (const kind of ['cut', 'low', 'cut'] as const) noting.note({ book: BOOK, kind });
    expect(meter.of(idOf('bb')).takeNeeds()).toEqual([]);
    expect([...meter.of(idOf('aa')).takeNeeds()].map(({ kind }) => kind).sort()).toEqual(['cut', 'low']);
    expect(meter.of(idOf('aa')).takeNeeds()).toEqual([]);
    meter.close();
    logs.close();
  });

  it('counts of the budget what was promised, or what it cost once it is closed', () => {
    const leases = [leaseOf('01', 1_024n, { phase: 'closed', charged: 4_000n }), leaseOf('02', 1_024n)];
    leases.push(leaseOf('03', undefined, { phase: 'opening' }), leaseOf('04', 1_024n, { phase: 'void' }));
    expect(leases.map(promisedUp)).toEqual([4_000n, 10_000n, 0n, 0n]);
    expect(relayBudgetLeft({ budget: () => 15_000n, leases: () => leases })).toBe(1_000n);
    expect(relayBudgetLeft({ budget: () => 1_000n, leases: () => leases })).toBe(0n);
  });

  it('is shown: what it may cost, what it has cost, and where the bills are', () => {
    const prices = [
      { book: BOOK, perGib: 10_000n, fault: undefined },
      { book: 'https://dear.example', perGib: 90_000n, fault: undefined },
      { book: 'https://free.example', perGib: undefined, fault: undefined },
    ];
    const shown = showRelayPrices(prices, 500_000n, 50_000n).join('\n');
    expect(shown).toContain('at most $0.50');
    expect(shown).toContain(`${BOOK}: $0.01 per GiB`);
    expect(shown).toContain('$0.09 per GiB, more than the $0.05 allowed: not paid');
    expect(shown).toContain('https://free.example: relays nothing beyond');
    const lease = leaseOf('01', 1_024n, { usedBytes: 1_000 * RELAY_UNIT_BYTES });
    expect(showRelayed({ budget: () => 500_000n, leases: () => [lease] })).toEqual([
      'relay: 1000 MiB relayed beyond what is free, for up to $0.01 of $0.50',
    ]);
    expect(showRelayed({ budget: () => 0n, leases: () => [] })).toEqual([]);
    expect(showRelayLeases([lease]).join('\n')).toContain(`open, up to $0.01; in full: latent bill ${lease.leaseId}`);
    expect(showRelayLeases([])).toEqual([]);
  });
});
