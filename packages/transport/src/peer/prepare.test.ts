import { afterEach, describe, expect, it, vi } from 'vitest';
import { createKeyPair } from '../key-pair.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import { openSmallBook } from '../link/small-book.fixture.ts';
import type { EncryptedStream, Transport } from '../transport.ts';
import { createPeerTransport } from './peer-transport.ts';
import { createRelayTransport } from './relay-transport.ts';

const { signal } = new AbortController();
const closing: Transport[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((transport) => transport.close()));
});

function opened<Opened extends Transport>(transport: Opened): Opened {
  closing.push(transport);
  return transport;
}

const keyPairOf = (byte: number) => createKeyPair(new Uint8Array(32).fill(byte));

/** Somebody who sends back what comes, and is found by a book. */
async function openListener(book: string) {
  const listener = opened(createPeerTransport({ keyPair: keyPairOf(1), books: [book] }));
  const echo = async (stream: EncryptedStream) => {
    for await (const message of stream.messages()) await stream.send(message);
  };
  const at = { address: '127.0.0.1', port: 0 };
  await (await listener.listen((stream) => void echo(stream).catch(() => undefined), at)).settled;
  return { key: listener.key, hints: [`book+${book}`] };
}

async function ask(stream: EncryptedStream): Promise<string> {
  await stream.send(Buffer.from('hello'));
  for await (const message of stream.messages()) return Buffer.from(message).toString();
  return 'nothing';
}

describe.each([
  ['with UDP', () => opened(createPeerTransport({ keyPair: keyPairOf(2) }))],
  [
    'through books alone',
    () => opened(createRelayTransport({ keyPair: keyPairOf(2), openSocket: openNodeLinkSocket })),
  ],
])('what a transport %s is told to prepare', (_, open) => {
  it('is a link to a book, which a peer is then dialled by', async () => {
    await using book = await openSmallBook();
    const peer = await openListener(book.url);
    const dialler = open();
    dialler.prepare({ books: [book.url] });
    await vi.waitFor(() => expect(book.links).toBe(2));
    expect(book.introductions).toBe(0);
    expect(await ask(await dialler.connect(peer, { signal }))).toBe('hello');
    expect(book.links).toBe(2);
  });

  it('is a connection to a peer, which the next stream takes', async () => {
    await using book = await openSmallBook();
    const peer = await openListener(book.url);
    const dialler = open();
    dialler.prepare({ peers: [peer, peer] });
    await vi.waitFor(() => expect(dialler.routeTo(peer.key)).toBeDefined());
    const before = book.introductions;
    expect(await ask(await dialler.connect(peer, { signal }))).toBe('hello');
    expect(book.introductions).toBe(before);
  });

  it('spoils nothing where it cannot be had', async () => {
    await using book = await openSmallBook();
    const dialler = open();
    const absent = { key: keyPairOf(1).key, hints: [`book+${book.url}`] };
    dialler.prepare({ books: ['nonsense', 'ftp://127.0.0.1', 'http://127.0.0.1:1'], peers: [absent] });
    await expect(dialler.connect(absent, { signal })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    const peer = await openListener(book.url);
    expect(peer.key).toBe(absent.key);
    expect(await ask(await dialler.connect(peer, { signal }))).toBe('hello');
  });

  it('is nothing once it is closed', async () => {
    await using book = await openSmallBook();
    const peer = await openListener(book.url);
    const dialler = open();
    await dialler.close();
    dialler.prepare({ books: [book.url], peers: [peer] });
    await expect(dialler.connect(peer, { signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(book.links).toBe(1);
  });
});
