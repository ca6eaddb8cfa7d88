import { afterEach, describe, expect, it, vi } from 'vitest';
import { createKeyPair } from '../key-pair.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import { openSmallBook } from '../link/small-book.fixture.ts';
import type { EncryptedStream, Transport } from '../transport.ts';
import { createRelayTransport } from './relay-transport.ts';

const { signal } = new AbortController();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

function open(seed: number, books: readonly string[] = []) {
  const keyPair = createKeyPair(new Uint8Array(32).fill(seed));
  const transport = createRelayTransport({ keyPair, openSocket: openNodeLinkSocket, books });
  closing.push(transport.close);
  return transport;
}

/** Sends back what it is sent. @returns how its streams ended, in order */
async function echo(transport: Transport): Promise<string[]> {
  const ends: string[] = [];
  const serve = async (stream: EncryptedStream) => {
    try {
      for await (const message of stream.messages()) await stream.send(message);
      ends.push('ended');
    } catch (thrown) {
      ends.push(String(thrown));
    }
  };
  await (await transport.listen((stream) => void serve(stream), { address: '127.0.0.1', port: 0 })).settled;
  return ends;
}

async function sendThere(stream: EncryptedStream, text: string): Promise<string> {
  await stream.send(Buffer.from(text));
  for await (const message of stream.messages()) return Buffer.from(message).toString();
  return 'nothing';
}

describe('the transport through books alone', () => {
  it('opens a stream by the other book while the first one is gone', async () => {
    await using first = await openSmallBook();
    await using second = await openSmallBook();
    const [listener, dialler] = [open(1, [first.url, second.url]), open(2)];
    await echo(listener);
    const peer = { key: listener.key, hints: [`book+${first.url}`, `book+${second.url}`] };
    const before = await dialler.connect(peer, { signal });
    expect(before.route).toEqual({ kind: 'relayed', through: `book ${first.url}` });
    await first[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(before.route?.through).not.toBe(`book ${first.url}`));
    const after = await dialler.connect(peer, { signal });
    expect(after.route).toEqual({ kind: 'relayed', through: `book ${second.url}` });
    expect(await sendThere(after, 'hello')).toBe('hello');
    expect(await sendThere(before, 'still there')).toBe('still there');
  });

  it('asks for no second introduction while a path stands, as none could be better', async () => {
    await using book = await openSmallBook();
    const [listener, dialler] = [open(1, [book.url]), open(2)];
    await echo(listener);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const peer = { key: listener.key, hints: [`book+${book.url}`] };
    expect(await sendThere(await dialler.connect(peer, { signal }), 'now')).toBe('now');
    vi.advanceTimersByTime(40_000);
    expect(await sendThere(await dialler.connect(peer, { signal }), 'later')).toBe('later');
    expect(book.introductions).toBe(1);
  });

  it('hangs up with a word, and dials again for the next stream', async () => {
    await using book = await openSmallBook();
    const [listener, dialler] = [open(1, [book.url]), open(2)];
    const ends = await echo(listener);
    const peer = { key: listener.key, hints: [`book+${book.url}`] };
    await dialler.connect(peer, { signal });
    await dialler.hangUp();
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    expect(ends[0]).toContain('The peer ended the connection (CANCELLED)');
    expect(await sendThere(await dialler.connect(peer, { signal }), 'again')).toBe('again');
    expect(book.introductions).toBe(2);
  });
});
