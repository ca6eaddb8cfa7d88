import {
  bookStatusSchema,
  FIRST_BOOK_CHANNEL,
  MAX_LINK_MESSAGE_BYTES,
  MAX_RELAY_PAYLOAD_BYTES,
} from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BookBench, openBench } from '../book-bench.fixture.ts';
import { HELLO_MS, PING_MS, TEND_MS } from './open-peers.ts';
import { createPeer, dial, introduce, openChannel, openLink, settled, type TestLink } from './peer-bench.fixture.ts';

const [alice, bob] = [createPeer('alice'), createPeer('bob')];
const status = async (bench: BookBench) => bookStatusSchema.parse((await bench.get('/v1/status')).body);

/** Resolves when the book says that there are so many links: it hears of a closed one in its own time. */
async function untilLinks(bench: BookBench, links: number): Promise<void> {
  while ((await status(bench)).links !== links);
}

const hello = (bench: BookBench, link: TestLink, changes: object = {}) => ({
  kind: 'hello' as const,
  key: alice.key,
  signature: alice.signHello(bench.book.url, link.challenge),
  accepts: true,
  ...changes,
});

describe('a peer', () => {
  it('is challenged, shows its key, and is told where it comes from and what is relayed for it', async () => {
    await using bench = await openBench({ relayFreeBytesPerKey: 700, relayFreeBytesPerAddress: 600 });
    const link = await dial(bench, { localAddress: '127.0.0.9' });
    link.send(hello(bench, link));
    expect(await link.next()).toEqual({ kind: 'welcome', observed: '127.0.0.9', freeRelayBytes: 600 });
    expect(await status(bench)).toMatchObject({ links: 1, channels: 0 });
  });

  it('may have dialled any URL of the book, with whatever path', async () => {
    await using bench = await openBench({ publicUrls: ['https://book.example/latent/', 'https://other.example'] });
    for (const url of ['https://book.example', 'https://book.example/v1/peers', 'https://other.example:443/x']) {
      const link = await dial(bench);
      link.send(hello(bench, link, { signature: alice.signHello(url, link.challenge) }));
      expect(await link.next()).toMatchObject({ kind: 'welcome' });
    }
  });

  it('has one link that accepts, the newest, and others beside it', async () => {
    await using bench = await openBench();
    const old = await openLink(bench, bob);
    const asking = [
      await openLink(bench, bob, { accepts: false }),
      await openLink(bench, bob, { accepts: false }),
      await openLink(bench, alice, { accepts: false }),
    ];
    const young = await openLink(bench, bob);
    expect(await old.closed).toBe(1006);
    await untilLinks(bench, 4);
    introduce(asking[2]!, 1, bob);
    expect(await young.next()).toMatchObject({ kind: 'introduction', from: alice.key });
    for (const link of [...asking, young]) expect(link.socket.readyState).toBe(link.socket.OPEN);
  });

  it('that is linked anew loses the channels of its old link, and those who had them are told', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    const old = await openLink(bench, bob);
    await openChannel(link, 1, { peer: bob, link: old });
    const young = await openLink(bench, bob);
    expect(await link.next()).toMatchObject({ kind: 'closed', channel: 1, code: 'PEER_ABSENT' });
    expect(await openChannel(link, 1, { peer: bob, link: young })).toBe(FIRST_BOOK_CHANNEL);
  });

  it('is pinged, and dropped when it gives no sign of life until the next ping is due', async () => {
    await using bench = await openBench();
    const silent = await openLink(bench, alice);
    const other = await openLink(bench, bob);
    silent.socket.pause();
    const pinged = new Promise((resolve) => other.socket.once('ping', resolve));
    await bench.clock.advance(PING_MS);
    await pinged;
    // The answer to the ping is on its way before this is.
    await settled(other);
    await bench.clock.advance(PING_MS);
    await untilLinks(bench, 1);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });
});

describe('a stranger', () => {
  it.each([
    ['signs with another key', (bench: BookBench, link: TestLink) => bob.signHello(bench.book.url, link.challenge)],
    ['signs another challenge', (bench: BookBench) => alice.signHello(bench.book.url, `0x${'00'.repeat(32)}`)],
    [
      'passes on what was signed for another book',
      (_: BookBench, link: TestLink) => alice.signHello('http://127.0.0.1:1', link.challenge),
    ],
    ['signs nothing', () => `0x${'00'.repeat(64)}` as const],
  ])('is dropped who %s', async (_, signature) => {
    await using bench = await openBench();
    const link = await dial(bench);
    link.send(hello(bench, link, { signature: signature(bench, link) }));
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
    expect(await link.closed).toBe(1008);
    expect(await status(bench)).toMatchObject({ links: 0 });
  });

  it('is dropped who repeats the hello of another link', async () => {
    await using bench = await openBench();
    const first = await dial(bench);
    const heard = hello(bench, first);
    first.send(heard);
    expect(await first.next()).toMatchObject({ kind: 'welcome' });
    const second = await dial(bench);
    second.send(heard);
    expect(await second.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
    expect(await second.closed).toBe(1008);
    expect(first.socket.readyState).toBe(first.socket.OPEN);
  });

  it('is dropped whose key is none that signed this, and none that can sign', async () => {
    await using bench = await openBench();
    for (const key of [`0x${'ff'.repeat(32)}`, `0x${'00'.repeat(32)}`, `0x01${'00'.repeat(31)}`]) {
      const link = await dial(bench);
      link.socket.send(JSON.stringify(hello(bench, link, { key })));
      expect(await link.next()).toMatchObject({ kind: 'refused', code: 'NOT_ALLOWED' });
      expect(await link.closed).toBe(1008);
    }
  });

  it.each([
    ['another message', JSON.stringify({ kind: 'close', channel: 1 })],
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['bytes', Buffer.from('00000001cafe', 'hex')],
    ['nothing', ''],
  ])('is dropped who sends %s first', async (_, first) => {
    await using bench = await openBench();
    const link = await dial(bench);
    link.socket.send(first);
    expect(await link.next()).toMatchObject({ kind: 'refused' });
    expect(await link.closed).toBe(1008);
  });

  it('is dropped who says nothing for too long, and nobody else', async () => {
    await using bench = await openBench();
    const silent = await dial(bench);
    const link = await openLink(bench, alice);
    await bench.clock.advance(HELLO_MS);
    expect(silent.socket.readyState).toBe(silent.socket.OPEN);
    await bench.clock.advance(TEND_MS);
    await silent.closed;
    expect(link.socket.readyState).toBe(link.socket.OPEN);
  });

  it('cannot keep others out with connections that say nothing, even from the same address for long', async () => {
    await using bench = await openBench({ connectionsPerAddress: 20 });
    const silent = await Promise.all(Array.from({ length: 20 }, () => dial(bench)));
    await expect(dial(bench)).rejects.toThrow('429');
    await expect(bench.connect()).rejects.toThrow('429');
    await openLink(bench, alice, { localAddress: '127.0.0.2' });
    await bench.clock.advance(HELLO_MS + TEND_MS);
    await Promise.all(silent.map(({ closed }) => closed));
    const again = async (): Promise<TestLink> => openLink(bench, bob).catch(again);
    await again();
  });

  it('gets only so many attempts a minute', async () => {
    await using bench = await openBench({ requestsPerMinute: 3 });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const link = await dial(bench);
      link.socket.send('?');
      await link.closed;
    }
    await expect(dial(bench)).rejects.toThrow('429');
    await openLink(bench, alice, { localAddress: '127.0.0.2' });
  });
});

describe('a link', () => {
  it('has one hello', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    link.send(hello(bench, link, { key: bob.key }));
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
  });

  it('ends with a text that is too long', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    link.socket.send('x'.repeat(MAX_LINK_MESSAGE_BYTES));
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
    link.socket.send('x'.repeat(MAX_LINK_MESSAGE_BYTES + 1));
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_TOO_LARGE' });
    expect(await link.closed).toBe(1009);
  });

  it('ends with a frame that is too long', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    link.relay(1, Buffer.alloc(MAX_RELAY_PAYLOAD_BYTES));
    await settled(link);
    link.relay(1, Buffer.alloc(MAX_RELAY_PAYLOAD_BYTES + 1));
    expect(await link.closed).toBe(1009);
  });

  it('refuses what is too short to be a frame', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, alice);
    link.socket.send(Buffer.alloc(3));
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
  });

  it('is limited in its messages, and ends when it goes on', async () => {
    await using bench = await openBench({ messagesPerMinute: 10 });
    const link = await openLink(bench, alice);
    for (let sent = 0; sent < 10; sent += 1) link.send({ kind: 'close', channel: 1 });
    await settled(link);
    for (let sent = 0; sent < 5_000; sent += 1) link.send({ kind: 'close', channel: 1 });
    expect(await link.next()).toMatchObject({ kind: 'refused', code: 'BOOK_RATE_LIMITED' });
    await link.closed;
    await untilLinks(bench, 0);
    expect(await bench.get('/v1/status')).toMatchObject({ status: 200 });
  });

  it('that is sent rubbish is refused it all, then ended, and the book goes on', async () => {
    await using bench = await openBench();
    const other = await openLink(bench, bob);
    const rubbish = [
      '{',
      '{}',
      'null',
      '[[[[',
      '{"kind":"introduce"}',
      '{"kind":"answer","channel":0}',
      '"\u0000"',
      '{"kind":"__proto__"}',
    ];
    for (let round = 0; round < 3; round += 1) {
      const link = await openLink(bench, alice);
      for (let sent = 0; sent <= 100; sent += 1) link.socket.send(rubbish[sent % rubbish.length]!);
      for (let told = 0; told <= 100; told += 1) {
        expect(await link.next()).toMatchObject({ kind: 'refused', code: 'MESSAGE_INVALID' });
      }
      expect(await link.closed).toBe(1008);
    }
    await openChannel(await openLink(bench, alice), 1, { peer: bob, link: other });
  });
});
