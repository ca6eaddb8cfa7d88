import { bookStatusSchema, FIRST_BOOK_CHANNEL, type PeerLinkMessage } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BookBench, openBench } from '../book-bench.fixture.ts';
import { ANSWER_MS, TEND_MS } from './open-peers.ts';
import { createPeer, introduce, meeting, openChannel, openLink, settled, type TestLink } from './peer-bench.fixture.ts';

const [alice, bob, carol] = [createPeer('alice'), createPeer('bob'), createPeer('carol')];
const status = async (bench: BookBench) => bookStatusSchema.parse((await bench.get('/v1/status')).body);
const untilChannels = async (bench: BookBench, channels: number): Promise<void> => {
  while ((await status(bench)).channels !== channels);
};

/** Alice and Bob are linked; she asks, he can be asked. */
async function openTwo(bench: BookBench) {
  return { asking: await openLink(bench, alice, { accepts: false }), asked: await openLink(bench, bob) };
}

describe('an introduction', () => {
  it('tells the one who is asked who asks, and takes the answer back', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    const token = introduce(asking, 5, bob);
    const told = await asked.next();
    expect(told).toEqual({ kind: 'introduction', channel: FIRST_BOOK_CHANNEL, from: alice.key, token, ...meeting });
    const mine = { addresses: ['[2001:db8::7]:4433', '192.0.2.1:1'], streamId: 9 };
    asked.send({ kind: 'answer', channel: FIRST_BOOK_CHANNEL, ...mine });
    expect(await asking.next()).toEqual({ kind: 'answer', channel: 5, ...mine });
    expect(await status(bench)).toMatchObject({ links: 2, channels: 1 });
  });

  it('lets either side tell the other when it is to be found elsewhere', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    const number = await openChannel(asking, 5, { peer: bob, link: asked });
    asking.send({ kind: 'answer', channel: 5, addresses: [], streamId: 1 });
    expect(await asked.next()).toEqual({ kind: 'answer', channel: number, addresses: [], streamId: 1 });
    asked.send({ kind: 'answer', channel: number, addresses: [], streamId: 2 });
    expect(await asking.next()).toEqual({ kind: 'answer', channel: 5, addresses: [], streamId: 2 });
  });

  it('relays what follows right behind it, before the answer', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    introduce(asking, 5, bob);
    asking.relay(5, Buffer.from('first'));
    expect(await asked.next()).toMatchObject({ kind: 'introduction', channel: FIRST_BOOK_CHANNEL });
    const { channel, payload } = await asked.nextFrame();
    expect([channel, Buffer.from(payload).toString()]).toEqual([FIRST_BOOK_CHANNEL, 'first']);
    asked.relay(FIRST_BOOK_CHANNEL, Buffer.from('second'));
    expect(await asking.nextFrame()).toMatchObject({ channel: 5 });
  });

  it('fails for a peer that is not there, or only asks itself, and for oneself', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    await openLink(bench, bob, { accepts: false });
    const refusals = [];
    for (const [channel, to] of [bob, carol, alice].entries()) {
      introduce(link, channel + 1, to);
      refusals.push(await link.next());
    }
    expect(refusals).toMatchObject([
      { kind: 'closed', channel: 1, code: 'PEER_ABSENT' },
      { kind: 'closed', channel: 2, code: 'PEER_ABSENT' },
      { kind: 'closed', channel: 3, code: 'NOT_ALLOWED' },
    ]);
    expect(await status(bench)).toMatchObject({ channels: 0 });
  });

  it('is over when nobody answers in time; one that was answered, or over which bytes came back, goes on', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    await openChannel(asking, 1, { peer: bob, link: asked });
    introduce(asking, 2, bob);
    introduce(asking, 3, bob);
    const numbers = [await asked.next(), await asked.next()].map(
      (told) => told.kind === 'introduction' && told.channel,
    );
    if (numbers[1]) asked.relay(numbers[1], Buffer.from('here'));
    await asking.nextFrame();
    await bench.clock.advance(ANSWER_MS - TEND_MS);
    expect(await status(bench)).toMatchObject({ channels: 3 });
    await bench.clock.advance(TEND_MS);
    expect(await asking.next()).toMatchObject({ kind: 'closed', channel: 2, code: 'PEER_ABSENT' });
    expect(await asked.next()).toMatchObject({ kind: 'closed', channel: numbers[0], code: 'PEER_ABSENT' });
    expect(await status(bench)).toMatchObject({ channels: 2 });
  });
});

describe('a channel', () => {
  it.each(['the one who asked', 'the one who was asked'])(
    'is closed by %s, and the other side is told',
    async (who) => {
      await using bench = await openBench();
      const { asking, asked } = await openTwo(bench);
      const number = await openChannel(asking, 5, { peer: bob, link: asked });
      const ends = [
        { link: asking, channel: 5 },
        { link: asked, channel: number },
      ];
      const [one, other] = who === 'the one who asked' ? ends : ends.toReversed();
      one?.link.send({ kind: 'close', channel: one.channel });
      expect(await other?.link.next()).toMatchObject({
        kind: 'closed',
        channel: other?.channel,
        code: 'STREAM_CLOSED',
      });
      expect(await status(bench)).toMatchObject({ channels: 0 });
    },
  );

  it('is over when either side goes away', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    const third = await openLink(bench, carol);
    await openChannel(asking, 5, { peer: bob, link: asked });
    const number = await openChannel(asking, 6, { peer: carol, link: third });
    asked.socket.terminate();
    expect(await asking.next()).toMatchObject({ kind: 'closed', channel: 5, code: 'PEER_ABSENT' });
    asking.socket.close();
    expect(await third.next()).toMatchObject({ kind: 'closed', channel: number, code: 'PEER_ABSENT' });
    await untilChannels(bench, 0);
  });

  it('is nobody else’s: what others send for its number is lost, or their own', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    const number = await openChannel(asking, 5, { peer: bob, link: asked });
    const stranger = await openLink(bench, carol);
    for (const channel of [5, number, number + 1, 2 ** 32 - 1]) {
      stranger.relay(channel, Buffer.from('forged'));
      stranger.send({ kind: 'answer', channel, ...meeting });
      stranger.send({ kind: 'close', channel });
    }
    await settled(stranger);
    asking.relay(5, Buffer.from('mine'));
    expect(Buffer.from((await asked.nextFrame()).payload).toString()).toBe('mine');
    await Promise.all([settled(asking), settled(asked)]);
    expect([asking.frames(), asked.frames()]).toEqual([[], []]);
    expect(await status(bench)).toMatchObject({ channels: 1 });
  });

  it('has another number than those that are open, however often they change', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    const open = new Map<number, number>();
    for (let round = 1; round <= 40; round += 1) {
      const number = await openChannel(asking, round, { peer: bob, link: asked });
      expect([...open.values()]).not.toContain(number);
      open.set(round, number);
      const closing = [...open.keys()].find((one) => one % 3 === round % 3);
      if (closing === undefined || closing === round) continue;
      asking.send({ kind: 'close', channel: closing });
      expect(await asked.next()).toMatchObject({ kind: 'closed', channel: open.get(closing) });
      open.delete(closing);
    }
    expect(await status(bench)).toMatchObject({ channels: open.size });
  });

  it('cannot be opened under a number that is in use, or is the book’s to give', async () => {
    await using bench = await openBench();
    const { asking, asked } = await openTwo(bench);
    await openChannel(asking, 5, { peer: bob, link: asked });
    introduce(asking, 5, bob);
    expect(await asking.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
    for (const channel of [0, -1, 1.5, FIRST_BOOK_CHANNEL, 2 ** 32]) {
      introduce(asking, channel, bob);
      expect(await asking.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
    }
    asking.send({ kind: 'close', channel: 5 });
    await openChannelAfterClose(asking, asked);
  });
});

async function openChannelAfterClose(asking: TestLink, asked: TestLink): Promise<void> {
  expect(await asked.next()).toMatchObject({ kind: 'closed' });
  await openChannel(asking, 5, { peer: bob, link: asked });
}

describe('introductions are limited', () => {
  it('per minute for one key, whatever its links and addresses', async () => {
    await using bench = await openBench({ introductionsPerMinutePerKey: 3 });
    const { asked } = await openTwo(bench);
    const link = await openLink(bench, carol, { accepts: false });
    const elsewhere = await openLink(bench, carol, { accepts: false, localAddress: '127.0.0.2' });
    for (const channel of [1, 2]) await openChannel(link, channel, { peer: bob, link: asked });
    await openChannel(elsewhere, 3, { peer: bob, link: asked });
    introduce(elsewhere, 4, bob);
    expect(await elsewhere.next()).toMatchObject({ kind: 'closed', channel: 4, code: 'BOOK_RATE_LIMITED' });
    await bench.clock.advance(20_000);
    await openChannel(link, 5, { peer: bob, link: asked });
  });

  it('per minute for one address, whatever its keys', async () => {
    await using bench = await openBench({ introductionsPerMinutePerAddress: 3 });
    const { asked } = await openTwo(bench);
    for (const name of ['one', 'two', 'three']) {
      const link = await openLink(bench, createPeer(name), { localAddress: '127.0.0.2' });
      await openChannel(link, 1, { peer: bob, link: asked });
    }
    const fourth = await openLink(bench, createPeer('four'), { localAddress: '127.0.0.2' });
    introduce(fourth, 1, bob);
    expect(await fourth.next()).toMatchObject({ kind: 'closed', code: 'BOOK_RATE_LIMITED' });
    await openChannel(await openLink(bench, createPeer('four')), 1, { peer: bob, link: asked });
  });

  it('in those that wait for an answer, of one who asks and of one who is asked', async () => {
    await using bench = await openBench({ unansweredPerLink: 2 });
    const { asking, asked } = await openTwo(bench);
    const other = await openLink(bench, carol);
    introduce(asking, 1, bob);
    introduce(asking, 2, carol);
    introduce(asking, 3, bob);
    expect(await asking.next()).toMatchObject({ kind: 'closed', channel: 3, code: 'BOOK_RATE_LIMITED' });
    const impatient = await openLink(bench, createPeer('dave'));
    introduce(impatient, 1, bob);
    introduce(impatient, 2, bob);
    expect(await impatient.next()).toMatchObject({ kind: 'closed', channel: 2, code: 'BOOK_RATE_LIMITED' });
    const told = await asked.next();
    if (told.kind === 'introduction') asked.send({ kind: 'answer', channel: told.channel, ...meeting });
    expect(await asking.next()).toMatchObject({ kind: 'answer', channel: 1 });
    introduce(asking, 4, bob);
    await settled(asking);
    expect((await status(bench)).channels).toBe(4);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });

  it('in the channels that one link has, either way', async () => {
    await using bench = await openBench({ channelsPerLink: 4 });
    const { asking, asked } = await openTwo(bench);
    const others = await Promise.all(['x', 'y'].map((name) => openLink(bench, createPeer(name))));
    for (const channel of [1, 2, 3]) await openChannel(asking, channel, { peer: bob, link: asked });
    await openChannel(asking, 4, { peer: createPeer('x'), link: others[0]! });
    introduce(asking, 5, createPeer('y'));
    expect(await asking.next()).toMatchObject({ kind: 'closed', channel: 5, code: 'BOOK_RATE_LIMITED' });
    await openChannel(others[0]!, 1, { peer: bob, link: asked });
    introduce(others[1]!, 1, bob);
    expect(await others[1]!.next()).toMatchObject({ kind: 'closed', channel: 1, code: 'BOOK_RATE_LIMITED' });
  });

  it('in the channels that come from one address: nobody can take all that a peer has', async () => {
    await using bench = await openBench({ channelsPerLink: 64 });
    const asked = await openLink(bench, bob);
    const greedy = [1, 2].map((at) => openLink(bench, createPeer(`greedy ${at}`), { localAddress: '127.0.0.2' }));
    for (const [at, link] of (await Promise.all(greedy)).entries()) {
      for (let channel = 1; channel <= 8; channel += 1) await openChannel(link, channel, { peer: bob, link: asked });
      if (at === 0) continue;
      introduce(link, 9, bob);
      expect(await link.next()).toMatchObject({ kind: 'closed', channel: 9, code: 'BOOK_RATE_LIMITED' });
    }
    await openChannel(await openLink(bench, alice), 1, { peer: bob, link: asked });
  });

  it('and whoever goes on asking for more is dropped', async () => {
    await using bench = await openBench({ introductionsPerMinutePerKey: 1 });
    const { asking, asked } = await openTwo(bench);
    const asks: PeerLinkMessage[] = Array.from({ length: 150 }, (_, at) => ({
      kind: 'introduce',
      channel: at + 1,
      to: bob.key,
      token: '0'.repeat(32),
      ...meeting,
    }));
    for (const message of asks) asking.send(message);
    expect(await asking.closed).toBe(1008);
    expect(await asked.next()).toMatchObject({ kind: 'introduction' });
    expect(await asked.next()).toMatchObject({ kind: 'closed', code: 'PEER_ABSENT' });
    await untilChannels(bench, 0);
  });
});
