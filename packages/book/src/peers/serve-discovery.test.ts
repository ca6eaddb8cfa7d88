import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type DiscoveryQuestionKind, decodeDiscoveryAnswer, encodeDiscoveryQuestion } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type BenchOptions, openBench } from '../book-bench.fixture.ts';
import { dial } from './peer-bench.fixture.ts';

interface Asking extends AsyncDisposable {
  readonly port: number;
  /** Ports of the book. */
  readonly ports: readonly [number, number];
  readonly send: (packet: Uint8Array, to?: number) => void;
  readonly ask: (kind: DiscoveryQuestionKind, to?: number) => Promise<Heard>;
  /** The next packet. */
  readonly next: () => Promise<Heard>;
}

interface Heard {
  readonly packet: Buffer;
  readonly fromPort: number;
}

/** A book, and a UDP socket that asks it. */
async function openAsking(options: BenchOptions = {}, from = '127.0.0.1'): Promise<Asking> {
  const bench = await openBench(options);
  const { discovery } = await dial(bench);
  if (discovery === undefined) throw new Error('the challenge names no ports');
  const { ports } = discovery;
  const socket: Socket = createSocket(from.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  const to = from.includes(':') ? '::1' : '127.0.0.1';
  const send = (packet: Uint8Array, port = ports[0]) => socket.send(packet, port, to);
  const arrived: Heard[] = [];
  const waiting: ((heard: Heard) => void)[] = [];
  socket.on('message', (packet, { port }) => {
    const heard = { packet, fromPort: port };
    const waiter = waiting.shift();
    if (waiter === undefined) arrived.push(heard);
    else waiter(heard);
  });
  const next = () =>
    new Promise<Heard>((resolve) => {
      const heard = arrived.shift();
      if (heard === undefined) waiting.push(resolve);
      else resolve(heard);
    });
  return {
    port: socket.address().port,
    ports,
    send,
    next,
    ask: (kind, port) => {
      send(encodeDiscoveryQuestion({ kind, nonce: randomBytes(16) }), port);
      return next();
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      await bench[Symbol.asyncDispose]();
    },
  };
}

const addressIn = ({ packet }: Heard) => {
  const answer = decodeDiscoveryAnswer(packet);
  return answer && { address: [...answer.address], port: answer.port };
};

describe('address discovery', () => {
  it('tells on both ports where a question came from, and answers from the other one where it is asked to', async () => {
    await using asking = await openAsking();
    const [one, other] = asking.ports;
    expect(one).not.toBe(other);
    for (const [asked, notAsked] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const [kind, fromPort] of [
        ['same', asked],
        ['other', notAsked],
      ] as const) {
        const heard = await asking.ask(kind, asked);
        expect(heard.fromPort).toBe(fromPort);
        expect(addressIn(heard)).toEqual({ address: [127, 0, 0, 1], port: asking.port });
      }
    }
  });

  it('serves IPv6, and both on the address that means all', async () => {
    await using six = await openAsking({ address: '::1' }, '::1');
    expect(addressIn(await six.ask('same'))?.address).toEqual([...Array(15).fill(0), 1]);
    for (const [from, address] of [
      ['::1', [...Array(15).fill(0), 1]],
      ['127.0.0.1', [127, 0, 0, 1]],
    ] as const) {
      await using both = await openAsking({ discoveryAddress: '::' }, from);
      expect(addressIn(await both.ask('other'))).toEqual({ address, port: both.port });
    }
  });

  it('answers nothing but questions, and goes on', async () => {
    await using asking = await openAsking();
    const question = encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) });
    for (const packet of [Buffer.alloc(0), Buffer.alloc(64), question.subarray(0, 63), randomBytes(1_400)])
      asking.send(packet);
    asking.send(Buffer.concat([question, Buffer.alloc(1)]));
    asking.send(question);
    const { packet } = await asking.next();
    expect(decodeDiscoveryAnswer(packet)?.nonce).toEqual(question.slice(5, 21));
    asking.send(packet);
    // The answer to this one is the next that comes: the book did not answer an answer.
    const after = encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) });
    asking.send(after);
    expect(decodeDiscoveryAnswer((await asking.next()).packet)?.nonce).toEqual(after.slice(5, 21));
  });

  it('answers a flood from one address only so often a minute, over both ports, and others all the while', async () => {
    const limit = 6;
    await using asking = await openAsking({ discoveryQuestionsPerMinute: limit });
    let answers = 0;
    void (async () => {
      for (;;) {
        await asking.next();
        answers += 1;
      }
    })();
    for (let round = 0; round < 40; round += 1) {
      const port = asking.ports[round % 2] ?? 0;
      for (let sent = 0; sent < 50; sent += 1) {
        asking.send(encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) }), port);
      }
      // This one comes behind all of those, so that the book has seen them when it answers.
      const elsewhere = createSocket('udp4');
      elsewhere.bind(0, `127.0.1.${round + 1}`);
      await once(elsewhere, 'listening');
      elsewhere.send(encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) }), port, '127.0.0.1');
      await once(elsewhere, 'message');
      await new Promise<void>((resolve) => elsewhere.close(() => resolve()));
    }
    while (answers < limit) await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toBe(limit);
  });

  it('is named in the challenge as it is set, and absent where it is not wanted', async () => {
    await using without = await openBench({ discovery: false });
    expect((await dial(without)).discovery).toBeUndefined();
    await using named = await openBench({ discoveryHost: 'book.example' });
    expect((await dial(named)).discovery).toEqual({
      host: 'book.example',
      ports: [expect.any(Number), expect.any(Number)],
    });
  });

  it('keeps the book from starting where a port is taken, and leaves nothing behind', async () => {
    await using bench = await openBench();
    const taken = (await dial(bench)).discovery?.ports[1] ?? 0;
    const free = await openAsking();
    const [port] = free.ports;
    await free[Symbol.asyncDispose]();
    await expect(openBench({ discoveryPorts: [port, taken] })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`UDP port ${taken}`) }),
    );
    await using again = await openBench({ discoveryPorts: [port, 0] });
    expect((await dial(again)).discovery?.ports[0]).toBe(port);
  });
});
