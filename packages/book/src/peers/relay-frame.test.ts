import { createHash, randomBytes } from 'node:crypto';
import { bookStatusSchema, MAX_RELAY_PAYLOAD_BYTES, RELAY_HEADER_BYTES } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BookBench, createAgent, openBench } from '../book-bench.fixture.ts';
import {
  createPeer,
  introduce,
  openChannel,
  openLink,
  settled,
  type TestLink,
  type TestPeer,
} from './peer-bench.fixture.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What the kernel may hold between two ends on loopback, beyond what the book does. */
const KERNEL_BYTES = 12 * MIB;

const [alice, bob, carol, dave] = [createPeer('alice'), createPeer('bob'), createPeer('carol'), createPeer('dave')];
const status = async (bench: BookBench) => bookStatusSchema.parse((await bench.get('/v1/status')).body);

/** The clock stands still here, so that a rate would be used up for good. */
const unlimited = { relayBytesPerSecond: 1e12, relayBytesPerSecondPerAddress: 1e12 };

interface Relayed {
  readonly from: TestLink;
  /** By which the sender knows the channel, and the receiver. */
  readonly channel: number;
  readonly number: number;
}

async function openRelay(
  bench: BookBench,
  peer: TestPeer,
  to: { readonly peer: TestPeer; readonly link: TestLink },
  channel = 1,
): Promise<Relayed> {
  const from = await openLink(bench, peer, { accepts: false });
  return { from, channel, number: await openChannel(from, channel, to) };
}

/** Sends so many bytes in frames of 64 KiB. */
function flood({ from, channel }: Relayed, bytes: number): void {
  const payload = Buffer.alloc(64 * KIB);
  for (let sent = 0; sent < bytes; sent += payload.byteLength) from.relay(channel, payload);
}

/** Lets a link read nothing, and fills what the kernel and its socket hold, by a channel that is over then. */
async function clog(bench: BookBench, to: { readonly peer: TestPeer; readonly link: TestLink }): Promise<void> {
  const filling = await openRelay(bench, createPeer(`filling ${to.peer.key}`), to);
  to.link.socket.pause();
  flood(filling, KERNEL_BYTES + 8 * MIB);
  await closedWord(filling.from, 1);
  filling.from.socket.terminate();
}

/** The next message of this kind, for this channel. */
async function closedWord(link: TestLink, channel: number) {
  for (;;) {
    const told = await link.next();
    if (told.kind === 'closed' && told.channel === channel) return told;
  }
}

describe('the relay', () => {
  it('carries every byte both ways, in order, whatever the size of the frames', async () => {
    await using bench = await openBench(unlimited);
    const link = await openLink(bench, bob);
    const { from, channel, number } = await openRelay(bench, alice, { peer: bob, link });
    const sizes = [0, 1, 125, 126, 4_096, 65_535, 65_536, MAX_RELAY_PAYLOAD_BYTES];
    const payloads = Array.from({ length: 200 }, (_, at) => randomBytes(sizes[at % sizes.length] ?? 0));
    for (const payload of payloads) {
      from.relay(channel, payload);
      link.relay(number, payload);
    }
    const digest = (parts: readonly Uint8Array[]) =>
      parts.map((part) => createHash('sha256').update(part).digest('hex'));
    for (const [receiver, asNumber] of [
      [link, number],
      [from, channel],
    ] as const) {
      const received = [];
      for (const _ of payloads) {
        const frame = await receiver.nextFrame();
        expect(frame.channel).toBe(asNumber);
        received.push(frame.payload);
      }
      expect(digest(received)).toEqual(digest(payloads));
    }
    const bytes = 2 * payloads.reduce((sum, { byteLength }) => sum + byteLength + RELAY_HEADER_BYTES, 0);
    expect(await status(bench)).toMatchObject({ relayedBytes: bytes });
  });

  it('delivers what was sent before a channel was closed, then says that it is closed', async () => {
    await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: 64 * MIB });
    const link = await openLink(bench, bob);
    const relayed = await openRelay(bench, alice, { peer: bob, link });
    link.socket.pause();
    flood(relayed, KERNEL_BYTES + 8 * MIB);
    relayed.from.send({ kind: 'close', channel: relayed.channel });
    await settled(relayed.from);
    relayed.from.socket.terminate();
    link.socket.resume();
    expect(await link.next()).toMatchObject({ kind: 'closed', channel: relayed.number, code: 'STREAM_CLOSED' });
    expect(link.frames()).toHaveLength((KERNEL_BYTES + 8 * MIB) / (64 * KIB));
    expect(await status(bench)).toMatchObject({ channels: 0 });
  });

  it('goes on for others when a link vanishes in the middle of it', async () => {
    await using bench = await openBench(unlimited);
    const link = await openLink(bench, bob);
    const [one, other] = [
      await openRelay(bench, alice, { peer: bob, link }),
      await openRelay(bench, carol, { peer: bob, link }),
    ];
    flood(one, 4 * MIB);
    link.relay(one.number, Buffer.alloc(64 * KIB));
    one.from.socket.terminate();
    expect(await closedWord(link, one.number)).toMatchObject({ code: 'PEER_ABSENT' });
    link.relay(one.number, Buffer.from('too late'));
    other.from.relay(other.channel, Buffer.from('still here'));
    for (;;) {
      const { channel, payload } = await link.nextFrame();
      if (channel !== other.number) continue;
      expect(Buffer.from(payload).toString()).toBe('still here');
      break;
    }
  });

  it('leaves the book able to answer, and to take agents in, while it is under way as fast as it goes', async () => {
    await using bench = await openBench(unlimited);
    const link = await openLink(bench, bob);
    const { from, channel, number } = await openRelay(bench, alice, { peer: bob, link });
    // What arrives is sent back: 4 MiB are under way all the time.
    let turns = 0;
    link.socket.on('message', (data, isBinary) => {
      if (isBinary) link.socket.send(data);
    });
    from.socket.on('message', (data, isBinary) => {
      if (!isBinary) return;
      turns += 1;
      from.socket.send(data);
    });
    expect(number).not.toBe(channel);
    flood({ from, channel, number }, 4 * MIB);
    for (let round = 0; round < 6; round += 1) {
      const before = turns;
      const agent = createAgent(`agent ${round}`, bench.registry);
      await bench.present(agent, await agent.ask());
      expect(await status(bench)).toMatchObject({ present: round + 1 });
      while (turns === before) await settled(from);
    }
  });
});

describe('who takes what is relayed too slowly', () => {
  it('loses that channel, as does the other side, and no other one', async () => {
    await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: MIB });
    const slow = await openLink(bench, bob);
    const [greedy, modest] = [
      await openRelay(bench, alice, { peer: bob, link: slow }),
      await openRelay(bench, carol, { peer: bob, link: slow }),
    ];
    slow.socket.pause();
    flood(greedy, KERNEL_BYTES + 4 * MIB);
    expect(await greedy.from.next()).toMatchObject({ kind: 'closed', channel: 1, code: 'RELAY_OVERFLOW' });
    modest.from.relay(modest.channel, Buffer.from('here'));
    slow.socket.resume();
    expect(await closedWord(slow, greedy.number)).toMatchObject({ code: 'RELAY_OVERFLOW' });
    for (;;) {
      const frame = await slow.nextFrame();
      if (frame.channel === modest.number) break;
    }
    // Fewer than were sent: what waited in the book was let go.
    expect(slow.frames().length).toBeLessThan((KERNEL_BYTES + 4 * MIB) / (64 * KIB));
    expect(await status(bench)).toMatchObject({ channels: 1 });
  });

  it('loses it to the smallest frames too, which cost more than their bytes', async () => {
    await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: 256 * KIB });
    const slow = await openLink(bench, bob);
    const tiny = await openRelay(bench, carol, { peer: bob, link: slow });
    await clog(bench, { peer: bob, link: slow });
    for (let sent = 0; sent < 1_024; sent += 1) tiny.from.relay(1, Buffer.alloc(1));
    expect(await closedWord(tiny.from, 1)).toMatchObject({ code: 'RELAY_OVERFLOW' });
    expect(await status(bench)).toMatchObject({ channels: 0 });
  });

  it('still hears what is not relayed, ahead of what waits', async () => {
    await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: 64 * MIB });
    const slow = await openLink(bench, bob);
    const greedy = await openRelay(bench, alice, { peer: bob, link: slow });
    const asking = await openLink(bench, carol);
    const frames = (KERNEL_BYTES + 28 * MIB) / (64 * KIB);
    slow.socket.pause();
    flood(greedy, frames * 64 * KIB);
    await settled(greedy.from);
    const opened = openChannel(asking, 1, { peer: bob, link: slow });
    await settled(asking);
    slow.socket.resume();
    await opened;
    expect(slow.frames().length).toBeLessThan(frames / 2);
  });

  it('is told no more than it takes: a channel over which somebody tells it more is over, and it is asked nothing new', async () => {
    await using bench = await openBench({ ...unlimited, messagesPerMinute: 100_000 });
    const slow = await openLink(bench, bob);
    const talking = await openRelay(bench, alice, { peer: bob, link: slow });
    const asking = await openLink(bench, carol);
    await clog(bench, { peer: bob, link: slow });
    const addresses = Array.from({ length: 12 }, (_, at) => `[2001:db8:1111:2222:3333:4444:5555:${at + 1_000}]:40000`);
    for (let sent = 0; sent < 3_000; sent += 1)
      talking.from.send({ kind: 'answer', channel: 1, addresses, streamId: 1 });
    expect(await closedWord(talking.from, 1)).toMatchObject({ code: 'RELAY_OVERFLOW' });
    introduce(asking, 1, bob);
    expect(await asking.next()).toMatchObject({ kind: 'closed', channel: 1, code: 'BOOK_RATE_LIMITED' });
    expect(slow.socket.readyState).toBe(slow.socket.OPEN);
    slow.socket.resume();
    expect(await closedWord(slow, talking.number)).toMatchObject({ code: 'RELAY_OVERFLOW' });
    await settled(slow);
    await openChannel(asking, 1, { peer: bob, link: slow });
  });

  it('gets what others send in turns: who sends little does not wait for all of who sends much', async () => {
    await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: 64 * MIB });
    const slow = await openLink(bench, bob);
    const [greedy, modest] = [
      await openRelay(bench, alice, { peer: bob, link: slow }),
      await openRelay(bench, carol, { peer: bob, link: slow }),
    ];
    const frames = (KERNEL_BYTES + 28 * MIB) / (64 * KIB);
    slow.socket.pause();
    flood(greedy, frames * 64 * KIB);
    await settled(greedy.from);
    modest.from.relay(modest.channel, Buffer.from('little'));
    await settled(modest.from);
    slow.socket.resume();
    let before = 0;
    while ((await slow.nextFrame()).channel !== modest.number) before += 1;
    expect(before).toBeLessThan(frames / 2);
  });

  it('cannot make the book hold more than it wants to, nor have others pay for it', async () => {
    await using bench = await openBench({
      ...unlimited,
      relayQueueBytesPerChannel: 4 * MIB,
      relayQueueBytesPerLink: 6 * MIB,
    });
    const slow = await openLink(bench, bob);
    const elsewhere = await openLink(bench, dave, { accepts: false, localAddress: '127.0.0.2' });
    const number = await openChannel(elsewhere, 1, { peer: bob, link: slow });
    const greedy = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      greedy.push(await openRelay(bench, createPeer(name), { peer: bob, link: slow }));
    }
    await clog(bench, { peer: bob, link: slow });
    // Each within what a channel may have, and together just within what the link may have.
    for (const relayed of greedy) flood(relayed, 1.25 * MIB);
    await Promise.all(greedy.map(({ from }) => settled(from)));
    const frames = 24;
    for (let sent = 0; sent < frames; sent += 1) elsewhere.relay(1, Buffer.alloc(64 * KIB));
    const closed = await Promise.race(greedy.map(({ from }) => closedWord(from, 1)));
    expect(closed).toMatchObject({ code: 'RELAY_OVERFLOW' });
    slow.socket.resume();
    for (let arrived = 0; arrived < frames; ) if ((await slow.nextFrame()).channel === number) arrived += 1;
    await settled(elsewhere);
    expect(await status(bench)).toMatchObject({ channels: 4 });
  });
});

it('drops what waits for the place for which most waits, where it is too much altogether', async () => {
  await using bench = await openBench({ ...unlimited, relayQueueBytesPerChannel: 2 * MIB, relayQueueBytes: 4 * MIB });
  const honest = await openLink(bench, dave, { localAddress: '127.0.0.2' });
  const sending = await openRelay(bench, alice, { peer: dave, link: honest });
  await clog(bench, { peer: dave, link: honest });
  const hoards = [];
  for (const name of ['one', 'two', 'three']) {
    const to = { peer: createPeer(name), link: await openLink(bench, createPeer(name)) };
    hoards.push(await openRelay(bench, bob, to), await openRelay(bench, carol, to));
    await clog(bench, to);
  }
  flood(sending, MIB);
  await settled(sending.from);
  // Each within what a channel may have.
  for (const hoard of hoards) flood(hoard, MIB);
  await Promise.all(hoards.map(({ from }) => settled(from)));
  expect((await status(bench)).channels).toBeLessThan(1 + hoards.length);
  honest.socket.resume();
  for (let arrived = 0; arrived < MIB / (64 * KIB); ) {
    if ((await honest.nextFrame()).channel === sending.number) arrived += 1;
  }
});

describe('who sends faster than its rate', () => {
  it('is held back, and nobody else: a modest pair gets through at once', async () => {
    await using bench = await openBench({ relayBytesPerSecond: MIB });
    const link = await openLink(bench, bob);
    const [greedy, modest] = [
      await openRelay(bench, alice, { peer: bob, link }),
      await openRelay(bench, carol, { peer: bob, link }),
    ];
    const frames = 64;
    const startMs = bench.clock.nowMs();
    const arrived = new Map<number, number>();
    link.socket.on('message', (data, isBinary) => {
      if (!isBinary || !Buffer.isBuffer(data)) return;
      const channel = data.readUInt32BE(0);
      arrived.set(channel, (arrived.get(channel) ?? 0) + 1);
      if (channel === modest.number) link.socket.send(data);
    });
    flood(greedy, frames * 64 * KIB);
    // Time stands still: all of this happens while the greedy one waits. Each of these frames counts for 4 KiB.
    for (let turn = 0; turn < 12; turn += 1) {
      modest.from.relay(modest.channel, Buffer.from('little'));
      await modest.from.nextFrame();
    }
    expect(arrived.get(greedy.number) ?? 0).toBeLessThan(8);
    while ((arrived.get(greedy.number) ?? 0) < frames) await bench.clock.advance(10);
    expect(bench.clock.nowMs() - startMs).toBeGreaterThanOrEqual((1_000 * (frames - 8)) / 16);
  });

  it('shares it with all its links, and all keys of its address share one too', async () => {
    for (const limits of [
      { relayBytesPerSecond: MIB },
      { relayBytesPerSecondPerAddress: MIB, relayBytesPerSecond: 1e12 },
    ]) {
      await using bench = await openBench(limits);
      const link = await openLink(bench, bob, { localAddress: '127.0.0.3' });
      const peers = 'relayBytesPerSecondPerAddress' in limits ? [alice, carol] : [alice, alice];
      const links = [];
      for (const peer of peers) links.push(await openLink(bench, peer, { accepts: false, localAddress: '127.0.0.2' }));
      for (const [at, from] of links.entries()) await openChannel(from, at + 1, { peer: bob, link });
      let arrived = 0;
      link.socket.on('message', (_, isBinary) => {
        if (isBinary) arrived += 1;
      });
      for (const [at, from] of links.entries()) flood({ from, channel: at + 1, number: 0 }, 4 * MIB);
      // Nobody else is held back: meanwhile others have turn after turn.
      const elsewhere = await openLink(bench, dave, { accepts: false, localAddress: '127.0.0.4' });
      for (let channel = 1; channel <= 40; channel += 1) await openChannel(elsewhere, channel, { peer: bob, link });
      expect(arrived).toBeGreaterThanOrEqual(1);
      expect(arrived).toBeLessThan(16);
    }
  });

  it('is held back for frames that go nowhere as well', async () => {
    await using bench = await openBench({ relayBytesPerSecond: 64 * KIB });
    const link = await openLink(bench, alice);
    for (let sent = 0; sent < 200; sent += 1) link.relay(7, Buffer.alloc(KIB));
    let isSettled = false;
    const done = settled(link).then(() => {
      isSettled = true;
    });
    await openRelay(bench, carol, { peer: bob, link: await openLink(bench, bob) });
    expect(isSettled).toBe(false);
    while (!isSettled) await bench.clock.advance(100);
    await done;
  });
});
