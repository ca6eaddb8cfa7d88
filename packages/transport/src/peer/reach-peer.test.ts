import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type BookLinkMessage, decodeDiscoveryQuestion, encodeDiscoveryAnswer } from '@latent/protocol';
import { expect, test } from 'vitest';
import { CHALLENGE, type HostileEnd, openHostileBook, WELCOME } from '../link/hostile-book.fixture.ts';
import { afterTest, keyPairOf } from '../udp/raw-socket.fixture.ts';
import { createPeerTransport } from './peer-transport.ts';

const SEEN = '203.0.113.9:4433';

/** A book's discovery that answers when it is told to. */
async function openSilentDiscovery() {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
  const asked: (() => void)[] = [];
  let answers = false;
  for (const socket of sockets) {
    socket.on('message', (packet, { address, port }) => {
      const nonce = decodeDiscoveryQuestion(packet)?.nonce;
      if (nonce === undefined) return;
      const answer = encodeDiscoveryAnswer({ nonce, address: Uint8Array.of(203, 0, 113, 9), port: 4433 });
      const send = () => socket.send(answer, port, address);
      if (answers) send();
      else asked.push(send);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  afterTest(async () => {
    for (const socket of sockets) socket.close();
  });
  const challenge: BookLinkMessage = {
    kind: 'challenge',
    challenge: `0x${'11'.repeat(32)}`,
    discovery: { ports: [sockets[0].address().port, sockets[1].address().port] },
  };
  const answer = () => {
    answers = true;
    for (const send of asked.splice(0)) send();
  };
  return { challenge, answer };
}

function dial(book: string) {
  const dialler = createPeerTransport({ keyPair: keyPairOf(1), handshakeTimeoutMs: 60_000 });
  afterTest(() => dialler.close());
  return (byte: number) => dialler.prepare({ peers: [{ key: keyPairOf(byte).key, hints: [`book+${book}`] }] });
}

const nextIntroduction = (end: HostileEnd) => end.expectNextOf(['introduce']);

test('what is relayed does not wait for a book to say where we are seen, nor for its welcome', async () => {
  const book = await openHostileBook();
  const discovery = await openSilentDiscovery();
  dial(book.url)(2);
  const end = await book.nextLink();
  end.tell(discovery.challenge);
  await end.expectNext('hello');
  const relayed = await nextIntroduction(end);
  expect(relayed).toMatchObject({ to: keyPairOf(2).key, addresses: [] });
  end.tell(WELCOME);
  discovery.answer();
  const direct = await nextIntroduction(end);
  expect(direct).toMatchObject({ to: keyPairOf(2).key, addresses: expect.arrayContaining([SEEN]) });
  expect(direct.channel).not.toBe(relayed.channel);
  expect(direct.token).not.toBe(relayed.token);
});

test('one introduction is enough once it is known where we are seen', async () => {
  const book = await openHostileBook();
  const discovery = await openSilentDiscovery();
  const call = dial(book.url);
  discovery.answer();
  call(2);
  const end = await book.nextLink();
  end.tell(discovery.challenge);
  await nextIntroduction(end);
  await nextIntroduction(end);
  call(3);
  call(4);
  for (const byte of [3, 4]) {
    const introduction = await nextIntroduction(end);
    expect(introduction.to).toBe(keyPairOf(byte).key);
    expect(introduction.addresses).toContain(SEEN);
  }
});

test('one introduction is enough where a book cannot say where we are seen', async () => {
  const book = await openHostileBook();
  const call = dial(book.url);
  call(2);
  const end = await book.nextLink();
  end.tell(CHALLENGE);
  expect((await nextIntroduction(end)).to).toBe(keyPairOf(2).key);
  call(3);
  expect((await nextIntroduction(end)).to).toBe(keyPairOf(3).key);
});
