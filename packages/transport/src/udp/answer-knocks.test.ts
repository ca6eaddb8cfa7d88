import type { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Admission, defaultConnectionLimits } from '../admission.ts';
import { randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { type AnswerKnocksOptions, answerKnocks } from './answer-knocks.ts';
import { knock } from './knock.ts';
import { COOKIE_BYTES, encodePeerPacket, NONCE_BYTES, type PeerPacket, TOKEN_BYTES } from './packet.ts';
import {
  addressOf,
  afterTest,
  dealtWith,
  failureOf,
  hintOf,
  keyPairOf,
  openPort,
  openRawSocket,
  type RawSocket,
  streamPacket,
  untilTestEnds,
} from './raw-socket.fixture.ts';
import type { UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

afterEach(() => {
  vi.useRealTimers();
});

const SERVER = keyPairOf(2);
const NO_COOKIE = new Uint8Array(COOKIE_BYTES);

interface Answering {
  readonly port: UdpPort;
  readonly to: UdpAddress;
  /** Streams that knocks have opened so far. */
  readonly streams: () => number;
  readonly nextPath: Promise<Path>;
  /** Why the first so many handshakes were refused. */
  readonly refusals: (count: number) => Promise<readonly LatentError[]>;
}

function answerAt(options: Partial<AnswerKnocksOptions> = {}): Answering {
  const port = openPort();
  let streams = 0;
  const counting: UdpPort = {
    ...port,
    createStream: (id) => {
      streams += 1;
      return port.createStream(id);
    },
  };
  const refused: LatentError[] = [];
  let refusal = Promise.withResolvers<void>();
  const first = Promise.withResolvers<Path>();
  answerKnocks(counting, {
    keyPair: SERVER,
    handshakeTimeoutMs: 20_000,
    admission: new Admission(defaultConnectionLimits),
    signal: untilTestEnds(),
    onPath: (path, release) => {
      release();
      afterTest(async () => path.destroy());
      first.resolve(path);
    },
    onRefused: ({ error }) => {
      refused.push(error);
      refusal.resolve();
      refusal = Promise.withResolvers();
    },
    ...options,
  });
  const refusals = async (count: number) => {
    while (refused.length < count) await refusal.promise;
    return refused;
  };
  return { port, to: addressOf(port), streams: () => streams, nextPath: first.promise, refusals };
}

async function cookieOf(socket: RawSocket, to: UdpAddress): Promise<Uint8Array> {
  socket.sendPacket({ kind: 'knock', token: randomBytes(TOKEN_BYTES), streamId: 1, cookie: NO_COOKIE }, to);
  return (await socket.nextPacket('cookie')).cookie;
}

const knockWith = (cookie: Uint8Array, token = randomBytes(TOKEN_BYTES)): PeerPacket => ({
  kind: 'knock',
  token,
  streamId: 1,
  cookie,
});

/** Knocks with a key, from an address. */
async function knockFrom(host: string, to: UdpAddress, byte = 1): Promise<Path> {
  const path = await knock(openPort({ address: host }), hintOf(to), SERVER.key, {
    keyPair: keyPairOf(byte),
    signal: untilTestEnds(),
  });
  afterTest(async () => path.destroy());
  return path;
}

describe('answering knocks', () => {
  test('opens a path to who receives the cookie', async () => {
    const { to, nextPath, streams } = answerAt();
    const path = await knockFrom('127.0.0.1', to);
    expect(path.remoteKey).toBe(SERVER.key);
    expect((await nextPath).remoteKey).toBe(keyPairOf(1).key);
    expect(streams()).toBe(1);
  });

  test('keeps nothing for those who do not show that they receive', async () => {
    const { port, to, streams } = answerAt();
    const forged = await openRawSocket();
    for (let count = 0; count < 100; count += 1) {
      forged.sendPacket(knockWith(count % 2 === 0 ? NO_COOKIE : randomBytes(COOKIE_BYTES)), to);
    }
    await dealtWith(port);
    expect(streams()).toBe(0);
  });

  test('refuses the cookie of another address, and of another port', async () => {
    const { port, to, streams } = answerAt();
    const [own, elsewhere, otherPort] = [
      await openRawSocket(),
      await openRawSocket('127.0.0.2'),
      await openRawSocket(),
    ];
    const cookie = await cookieOf(own, to);
    elsewhere.sendPacket(knockWith(cookie), to);
    otherPort.sendPacket(knockWith(cookie), to);
    await Promise.all([elsewhere.nextPacket('cookie'), otherPort.nextPacket('cookie')]);
    await dealtWith(port);
    expect(streams()).toBe(0);
    own.sendPacket(knockWith(cookie), to);
    await own.nextPacket('opened');
    expect(streams()).toBe(1);
  });

  test('honours a cookie until its secret was changed twice', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { to, streams } = answerAt();
    const own = await openRawSocket();
    const cookie = await cookieOf(own, to);
    vi.advanceTimersByTime(60_000);
    own.sendPacket(knockWith(cookie), to);
    await own.nextPacket('opened');
    vi.advanceTimersByTime(60_000);
    own.sendPacket(knockWith(cookie), to);
    const renewed = await own.nextPacket('cookie');
    expect(Buffer.compare(renewed.cookie, cookie)).not.toBe(0);
    expect(streams()).toBe(1);
  });

  test('gives a knock that is repeated the same answer, and opens nothing more', async () => {
    const { to, streams } = answerAt();
    const own = await openRawSocket();
    const again = knockWith(await cookieOf(own, to));
    const answers = [];
    for (let count = 0; count < 5; count += 1) {
      own.sendPacket(again, to);
      answers.push((await own.nextPacket('opened')).streamId);
    }
    expect(new Set(answers).size).toBe(1);
    expect(streams()).toBe(1);
  });

  test('hears nothing more once it was stopped', async () => {
    const stopping = new AbortController();
    const { port, to } = answerAt({ signal: stopping.signal });
    const own = await openRawSocket();
    await cookieOf(own, to);
    stopping.abort();
    const before = own.receivedBytes;
    own.sendPacket(knockWith(NO_COOKIE), to);
    await dealtWith(port);
    expect(own.receivedBytes).toBe(before);
  });
});

describe('floods of knocks', () => {
  test('one address gets a quarter of the handshakes, and others still get in', async () => {
    const admission = new Admission({ ...defaultConnectionLimits, maxHandshakes: 40 });
    const { port, to, streams } = answerAt({ admission });
    const flooding = await openRawSocket();
    const cookie = await cookieOf(flooding, to);
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 50; count += 1) flooding.sendPacket(knockWith(cookie), to);
      await dealtWith(port);
    }
    expect(streams()).toBe(10);
    const path = await knockFrom('127.0.0.2', to);
    expect(path.remoteKey).toBe(SERVER.key);
    expect(streams()).toBe(11);
  });

  test('all together get no more handshakes than the limit', async () => {
    const admission = new Admission({ ...defaultConnectionLimits, maxHandshakes: 8 });
    const { port, to, streams } = answerAt({ admission });
    for (let at = 2; at < 12; at += 1) {
      const flooding = await openRawSocket(`127.0.0.${at}`);
      const cookie = await cookieOf(flooding, to);
      for (let count = 0; count < 10; count += 1) flooding.sendPacket(knockWith(cookie), to);
      await dealtWith(port);
    }
    expect(streams()).toBe(8);
  });

  test('connections of one address are limited too, once their keys are proven', async () => {
    const admission = new Admission({ ...defaultConnectionLimits, maxConnectionsPerAddress: 2 });
    const { to, streams } = answerAt({ admission });
    await knockFrom('127.0.0.1', to, 1);
    await knockFrom('127.0.0.1', to, 3);
    const stopping = new AbortController();
    const third = openRawSocket();
    const knocking = failureOf(
      knock(openPort(), hintOf(to), SERVER.key, { keyPair: keyPairOf(4), signal: stopping.signal }),
    );
    // One that knocks after it is heard after it.
    const fence = await third;
    const cookie = await cookieOf(fence, to);
    fence.sendPacket(knockWith(cookie), to);
    await cookieOf(fence, to);
    stopping.abort();
    expect((await knocking).code).toBe('CANCELLED');
    expect(streams()).toBe(2);
    await knockFrom('127.0.0.2', to, 5);
  });

  test('handshakes that are not finished end at the time limit, and make room', async () => {
    const admission = new Admission({ ...defaultConnectionLimits, maxHandshakes: 4 });
    const { to, refusals } = answerAt({ admission, handshakeTimeoutMs: 100 });
    const flooding = await openRawSocket();
    flooding.sendPacket(knockWith(await cookieOf(flooding, to)), to);
    await flooding.nextPacket('opened');
    // From the same address, which has its one handshake: it gets in when that is over.
    await knockFrom('127.0.0.1', to);
    expect((await refusals(1)).map(({ code }) => code)).toEqual(['TIMED_OUT']);
  });

  test('a stream that is fed garbage is refused, and the port goes on', async () => {
    const { to, refusals } = answerAt();
    const hostile = await openRawSocket();
    const cookie = await cookieOf(hostile, to);
    const payloads = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0xff, 0xff, 0xff, 0]),
      Buffer.from([0, 0, 0]),
      Buffer.concat([Buffer.from([32, 0, 0]), Buffer.alloc(32)]),
    ];
    for (const payload of payloads) {
      hostile.sendPacket(knockWith(cookie), to);
      const { streamId } = await hostile.nextPacket('opened');
      hostile.send(streamPacket({ streamId, number: 0, payload }), to);
    }
    const refused = await refusals(payloads.length);
    expect(refused.map(({ code }) => code).sort()).toEqual([
      'MESSAGE_INVALID',
      'MESSAGE_TOO_LARGE',
      'MESSAGE_TOO_LARGE',
      'PEER_UNREACHABLE',
    ]);
    await knockFrom('127.0.0.1', to);
  });
});

describe('an address that has not shown that it receives', () => {
  const bytes = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
  const peerPacket: fc.Arbitrary<PeerPacket> = fc.oneof(
    fc.record({
      kind: fc.constant('knock' as const),
      token: bytes(16),
      streamId: fc.integer({ min: 1, max: 9 }),
      cookie: bytes(16),
    }),
    fc.record({
      kind: fc.constantFrom('probe' as const, 'confirm' as const),
      token: bytes(16),
      nonce: bytes(NONCE_BYTES),
    }),
    fc.record({ kind: fc.constant('cookie' as const), token: bytes(16), cookie: bytes(16) }),
    fc.record({ kind: fc.constant('opened' as const), token: bytes(16), streamId: fc.integer({ min: 1, max: 9 }) }),
  );
  const hostile = fc.oneof(
    { weight: 4, arbitrary: peerPacket.map(encodePeerPacket) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }) },
    {
      weight: 1,
      arbitrary: fc
        .record({ streamId: fc.nat(9), number: fc.nat(3), kind: fc.nat(63), payload: fc.uint8Array({ maxLength: 60 }) })
        .map(streamPacket),
    },
  );

  test('is sent at most the bytes that came from it, whatever comes', async () => {
    const { port, to, streams } = answerAt();
    const stranger = await openRawSocket();
    const cookieOfStranger = await cookieOf(stranger, to);
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 40 }), async (packets) => {
        const forged = await openRawSocket('127.0.0.3');
        for (const packet of packets) forged.send(packet ?? encodePeerPacket(knockWith(cookieOfStranger)), to);
        await dealtWith(port);
        const last = knockWith(NO_COOKIE);
        forged.sendPacket(last, to);
        for (;;) {
          const { token } = await forged.nextPacket('cookie');
          if (Buffer.compare(token, last.token) === 0) break;
        }
        expect(forged.receivedBytes).toBeLessThanOrEqual(forged.sentBytes);
      }),
      { numRuns: 60 },
    );
    expect(streams()).toBe(0);
  });
});
