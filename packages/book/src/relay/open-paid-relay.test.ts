import { createServer } from 'node:http';
import { type PeerLinkMessage, recoverClose, voucherHandedSchema } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { domain, NOW, openBench } from '../book-bench.fixture.ts';
import { HOLD_MS } from '../peers/held-frames.ts';
import { createPeer, openChannel, openLink, settled, type TestLink } from '../peers/peer-bench.fixture.ts';
import { FOLLOW_MS } from './open-paid-relay.ts';
import { accountOf, draftPaid, MIB, openRelayBench, type RelayBench } from './relay-bench.fixture.ts';

const [alice, bob, mallory] = [createPeer('alice'), createPeer('bob'), createPeer('mallory')];
const KIB = 1024;
/** With its header a frame of 64 KiB: sixteen make up a unit. */
const PAYLOAD = 64 * KIB - 4;

interface Relayed {
  readonly from: TestLink;
  readonly to: TestLink;
}

async function openRelayed(bench: RelayBench): Promise<Relayed> {
  const from = await openLink(bench, alice, { accepts: false, pays: true });
  const to = await openLink(bench, bob);
  await openChannel(from, 1, { peer: bob, link: to });
  return { from, to };
}

/** Sends so many frames of a sixteenth of a unit, each with its own number in front. */
function send({ from }: Relayed, count: number, first = 0): void {
  for (let number = first; number < first + count; number += 1) {
    const payload = Buffer.alloc(PAYLOAD);
    payload.writeUInt32BE(number);
    from.relay(1, payload);
  }
}

/** Takes so many frames, which have to come in order. */
async function take({ to }: Relayed, count: number, first = 0): Promise<void> {
  for (let number = first; number < first + count; number += 1) {
    expect(Buffer.from((await to.nextFrame()).payload).readUInt32BE(0)).toBe(number);
  }
}

/** The next message that is not about what was relayed, which is told every now and then. */
async function nextButUsage(link: TestLink) {
  for (;;) {
    const told = await link.next();
    if (told.kind !== 'relayed') return told;
  }
}

/** What the book answers to a payment. */
async function answered(link: TestLink, message: PeerLinkMessage) {
  link.send(message);
  return link.next();
}

describe('a book that relays for payment', () => {
  it('offers it, signed, once its key belongs to its operator; the same ask however often it starts', async () => {
    const publicUrls = ['https://book.example'];
    await using bench = await openRelayBench({ publicUrls });
    expect(bench.offer.relay).toEqual({ book: 'https://book.example', unitBytes: MIB });
    expect(bench.offer.ask).toMatchObject({ devices: 1_024, rate: 9_765_625_000n, prepay: 10, epoch: 0 });
    const { dataDir, registry, clock, chain } = bench;
    await bench.book.close();
    await using again = await openRelayBench({ dataDir, registry, clock, chain, publicUrls });
    expect(again.offer.ask).toEqual(bench.offer.ask);
  });

  it('relays what a lease covers when nothing is free, claims whole units, and relays nothing for it then', async () => {
    await using bench = await openRelayBench();
    const relayed = await openRelayed(bench);
    const { pay, leaseId } = draftPaid(bench);
    const { from } = relayed;
    expect(await answered(from, await pay(alice.key, 1_000n))).toEqual({
      ...{ kind: 'relayed', leaseId, usedBytes: 0, coveredUnits: 1_000n },
    });
    send(relayed, 56);
    await take(relayed, 56);
    const claimed = await answered(from, { kind: 'claim', leaseId });
    if (claimed.kind !== 'claimed') expect.unreachable(JSON.stringify(claimed.kind));
    expect(claimed.claim).toMatchObject({ leaseId, member: 0, units: 3n });
    expect(await recoverClose(domain, claimed.claim)).toBe(bench.offer.ask.agentKey);
    expect(await answered(from, { kind: 'claim', leaseId })).toEqual(claimed);
    send(relayed, 1);
    expect(await from.next()).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
    expect(await answered(from, await pay(alice.key, 200n))).toMatchObject({
      kind: 'unpaid',
      code: 'LEASE_NOT_ACTIVE',
    });
  });

  it('asks for the next voucher when half of what is ahead is used, and holds back what none covers until it comes', async () => {
    await using bench = await openRelayBench();
    const relayed = await openRelayed(bench);
    const { from, to } = relayed;
    const { pay, leaseId } = draftPaid(bench, { devices: 1 });
    await answered(from, await pay(alice.key, 4n));
    send(relayed, 80);
    expect(await from.next()).toMatchObject({ kind: 'relayed', coveredUnits: 4n, usedBytes: 64 * KIB });
    await take(relayed, 64);
    await settled(from);
    expect(to.frames()).toEqual([]);
    expect(await answered(from, await pay(alice.key, 6n))).toMatchObject({
      kind: 'relayed',
      leaseId,
      usedBytes: 4 * MIB,
    });
    await take(relayed, 16, 64);
  });

  it('lets the channel go when no voucher comes', async () => {
    await using bench = await openRelayBench();
    const relayed = await openRelayed(bench);
    const { from, to } = relayed;
    const { pay } = draftPaid(bench);
    await answered(from, await pay(alice.key, 1n));
    send(relayed, 17);
    expect(await from.next()).toMatchObject({ kind: 'relayed' });
    await take(relayed, 16);
    await settled(from);
    await bench.clock.advance(HOLD_MS + 1_000);
    expect(await nextButUsage(from)).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
    expect(await to.next()).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
  });

  it('ends a channel of which more waits than may', async () => {
    await using bench = await openRelayBench({ relayQueueBytesPerChannel: 262_144 });
    const relayed = await openRelayed(bench);
    const { pay } = draftPaid(bench);
    await answered(relayed.from, await pay(alice.key, 0n));
    send(relayed, 4);
    await settled(relayed.from);
    expect(relayed.to.frames()).toEqual([]);
    send(relayed, 1, 4);
    expect(await relayed.from.next()).toMatchObject({ kind: 'closed', code: 'RELAY_OVERFLOW' });
    expect(await relayed.to.next()).toMatchObject({ kind: 'closed', code: 'RELAY_OVERFLOW' });
    // Others are not held up by what is gone.
    const number = await openChannel(relayed.from, 2, { peer: bob, link: relayed.to });
    await answered(relayed.from, await pay(alice.key, 1_000n));
    relayed.from.relay(2, Buffer.from('on'));
    expect(await relayed.to.nextFrame()).toMatchObject({ channel: number });
  });

  it('goes no faster than the devices of the lease: what comes faster waits for the clock', async () => {
    await using bench = await openRelayBench();
    const relayed = await openRelayed(bench);
    const { pay } = draftPaid(bench, { devices: 1, openedAt: Math.floor(bench.clock.nowMs() / 1_000) });
    await answered(relayed.from, await pay(alice.key, 1_000n));
    send(relayed, 200);
    // Ten seconds of prepay are ten units.
    await take(relayed, 160);
    await settled(relayed.from);
    expect(relayed.to.frames()).toEqual([]);
    await bench.clock.advance(1_000);
    await take(relayed, 16, 160);
    await settled(relayed.from);
    expect(relayed.to.frames()).toEqual([]);
    await bench.clock.advance(2_000);
    await take(relayed, 24, 176);
  });

  it('uses what is free first, and tells a peer that pays when little of it is left', async () => {
    await using bench = await openRelayBench({ relayFreeBytesPerKey: 2 * MIB });
    const relayed = await openRelayed(bench);
    send(relayed, 16);
    expect(await relayed.from.next()).toMatchObject({ kind: 'allowance', freeRelayBytes: 2 * MIB - 64 * KIB });
    const { pay, leaseId } = draftPaid(bench);
    expect(await answered(relayed.from, await pay(alice.key, 10n))).toMatchObject({ kind: 'relayed', usedBytes: 0 });
    send(relayed, 48, 16);
    await take(relayed, 64);
    const claimed = await answered(relayed.from, { kind: 'claim', leaseId });
    expect(claimed).toMatchObject({ kind: 'relayed' });
    expect(await relayed.from.next()).toMatchObject({ kind: 'claimed', claim: { units: 2n } });
  });

  it('goes on after it was killed, and claims no more than it relayed', async () => {
    const bench = await openRelayBench();
    const before = await openRelayed(bench);
    const { pay, leaseId } = draftPaid(bench);
    await answered(before.from, await pay(alice.key, 1_000n));
    send(before, 40);
    await take(before, 40);
    const { dataDir, registry, clock, chain } = bench;
    await bench.book.close();
    await using again = await openRelayBench({ dataDir, registry, clock, chain });
    const after = await openRelayed(again);
    // The lease is known still: nobody has to show it again.
    send(after, 16);
    await take(after, 16);
    expect(await answered(after.from, { kind: 'claim', leaseId })).toMatchObject({ claim: { units: 3n } });
  });
});

describe('a payment is refused', () => {
  const refusedWith = async (bench: RelayBench, message: PeerLinkMessage, peer = alice) => {
    const link = await openLink(bench, peer, { accepts: false, pays: true });
    const answer = await answered(link, message);
    return answer.kind === 'unpaid' ? answer.code : answer.kind;
  };

  it('when its voucher is forged, of another lease, for less than before, or counts from later', async () => {
    await using bench = await openRelayBench();
    const [own, other] = [draftPaid(bench), draftPaid(bench, { name: 'other' })];
    const good = await own.pay(alice.key, 50n);
    const forged = { ...good.voucher, units: [60n] };
    expect(await refusedWith(bench, { ...good, voucher: forged })).toBe('VOUCHER_BAD_SIGNATURE');
    expect(await refusedWith(bench, { ...good, voucher: await other.voucher(50n) })).toBe('LEASE_MISMATCH');
    expect(await refusedWith(bench, good)).toBe('relayed');
    expect(await refusedWith(bench, { ...good, voucher: forged })).toBe('VOUCHER_BAD_SIGNATURE');
    expect(await refusedWith(bench, { ...good, voucher: await own.voucher(49n) })).toBe('VOUCHER_DECREASED');
    expect(await refusedWith(bench, { ...good, voucher: await own.voucher(60n, NOW + 3_600) })).toBe(
      'VOUCHER_DECREASED',
    );
    expect(await refusedWith(bench, good)).toBe('relayed');
  });

  it('when the lease is not this relay’s, not open, or not shown by its meter key', async () => {
    await using bench = await openRelayBench();
    const own = draftPaid(bench);
    const good = await own.pay(alice.key, 50n);
    const [member] = own.terms.members;
    if (member === undefined) return expect.unreachable('no member');
    const twice = { ...good, terms: { ...own.terms, members: [member, member] } };
    const stranger = { ...good, terms: { ...own.terms, members: [{ ...member, agentKey: accountOf('x').address }] } };
    expect(await refusedWith(bench, twice)).toBe('LEASE_NOT_MINE');
    expect(await refusedWith(bench, stranger)).toBe('LEASE_NOT_MINE');
    // A lease pays for the peer that its meter key names, and for nobody else.
    expect(await refusedWith(bench, good, mallory)).toBe('NOT_ALLOWED');
    expect(bench.chain.reads).toBe(0);
    const unopened = draftPaid(bench, { name: 'unopened', isOpen: false });
    expect(await refusedWith(bench, await unopened.pay(alice.key, 50n))).toBe('LEASE_NOT_ACTIVE');
    const stopped = draftPaid(bench, { name: 'stopped' });
    bench.chain.leases.set(stopped.leaseId, { state: 'active', isChanged: false, openedAt: NOW, stopAt: NOW });
    expect(await refusedWith(bench, await stopped.pay(alice.key, 50n))).toBe('LEASE_NOT_ACTIVE');
    expect(await refusedWith(bench, good)).toBe('relayed');
    expect(await refusedWith(bench, { kind: 'claim', leaseId: own.leaseId }, mallory)).toBe('LEASE_NOT_MINE');
  });

  it('when one link sends many at once, or a peer has many leases', async () => {
    await using bench = await openRelayBench();
    const link = await openLink(bench, alice, { accepts: false, pays: true });
    const leases = Array.from({ length: 6 }, (_, at) => draftPaid(bench, { name: `lease ${at}` }));
    const answers = [];
    for (const lease of leases) answers.push(await answered(link, await lease.pay(alice.key, 1n)));
    expect(answers.map(({ kind }) => kind)).toEqual(['relayed', 'relayed', 'relayed', 'relayed', 'unpaid', 'unpaid']);
    expect(answers[4]).toMatchObject({ code: 'BOOK_RATE_LIMITED' });
    const flood = await Promise.all(Array.from({ length: 30 }, (_, at) => leases[0]!.pay(alice.key, BigInt(at + 2))));
    for (const message of flood) link.send(message);
    const kinds = new Map<string, number>();
    for (const _ of flood) {
      const answer = await link.next();
      const kind = answer.kind === 'unpaid' ? answer.code : answer.kind;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect((kinds.get('relayed') ?? 0) + (kinds.get('BOOK_RATE_LIMITED') ?? 0)).toBe(30);
  });

  it('by a book that relays nothing for payment', async () => {
    await using bench = await openRelayBench();
    const message = await draftPaid(bench).pay(alice.key, 1n);
    await using plain = await openBench();
    expect(await refusedWith({ ...bench, book: plain.book }, message)).toBe('NOT_ALLOWED');
  });
});

describe('the end of a lease', () => {
  it('is claimed when the chain says so, and both papers are handed to the keepers', async () => {
    const papers: { readonly path: string; readonly body: unknown }[] = [];
    const keeper = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body: { readonly leaseId?: unknown } = JSON.parse(Buffer.concat(chunks).toString());
        papers.push({ path: request.url ?? '', body });
        response.end(JSON.stringify({ leaseId: body.leaseId, state: 'kept' }));
      });
    });
    await new Promise<void>((resolve) => keeper.listen(0, '127.0.0.1', resolve));
    const at = keeper.address();
    if (at === null || typeof at === 'string') return expect.unreachable('no port');
    try {
      await using bench = await openRelayBench({ keepers: [`http://127.0.0.1:${at.port}`] });
      const relayed = await openRelayed(bench);
      const { leaseId, pay } = draftPaid(bench);
      await answered(relayed.from, await pay(alice.key, 1_000n));
      send(relayed, 33);
      await take(relayed, 33);
      const seen = { state: 'active', isChanged: false, openedAt: NOW } as const;
      bench.chain.leases.set(leaseId, { ...seen, stopAt: NOW + 1 });
      while (!papers.some(({ path }) => path === '/v1/closes')) {
        await bench.clock.advance(FOLLOW_MS);
        await settled(relayed.from);
      }
      expect(papers.map(({ path }) => path)).toEqual(['/v1/vouchers', '/v1/closes']);
      expect(voucherHandedSchema.parse(papers[0]?.body)).toMatchObject({ leaseId, units: [1_000n] });
      expect(papers[1]?.body).toMatchObject({ leaseId, member: 0, units: '2' });
      send(relayed, 1);
      expect(await nextButUsage(relayed.from)).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
      // Settled: forgotten, and nothing is asked of it any more.
      bench.chain.leases.set(leaseId, { ...seen, state: 'closed', stopAt: NOW + 1 });
      let { reads } = bench.chain;
      do {
        ({ reads } = bench.chain);
        await bench.clock.advance(2 * FOLLOW_MS);
        await settled(relayed.from);
      } while (bench.chain.reads > reads);
    } finally {
      keeper.close();
    }
  });
});
