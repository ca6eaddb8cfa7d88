import { describe, expect, test } from 'vitest';
import { Admission, defaultConnectionLimits } from '../admission.ts';
import { randomBytes } from '../key-pair.ts';
import { answerKnocks } from './answer-knocks.ts';
import { knock, randomStreamId } from './knock.ts';
import { COOKIE_BYTES, encodePeerPacket, TOKEN_BYTES } from './packet.ts';
import {
  addressOf,
  afterTest,
  dealtWith,
  failureOf,
  hintOf,
  keyPairOf,
  openPort,
  openRawSocket,
  openUdpProxy,
  untilTestEnds,
} from './raw-socket.fixture.ts';

const SERVER = keyPairOf(2);

function answer() {
  const port = openPort();
  answerKnocks(port, {
    keyPair: SERVER,
    handshakeTimeoutMs: 20_000,
    admission: new Admission(defaultConnectionLimits),
    signal: untilTestEnds(),
    onPath: (path) => afterTest(async () => path.destroy()),
    onRefused: () => undefined,
  });
  return addressOf(port);
}

const options = () => ({ keyPair: keyPairOf(1), signal: untilTestEnds() });

describe('knocking', () => {
  test('ends with PEER_WRONG_KEY when somebody else lives there', async () => {
    const failure = await failureOf(knock(openPort(), hintOf(answer()), keyPairOf(9).key, options()));
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toEqual({ expected: keyPairOf(9).key, actual: SERVER.key });
  });

  test.each(['example.org:9', '127.0.0.1', '', '224.0.0.1:9', `${'1'.repeat(1_000)}:1`])(
    'at %j ends with PEER_UNREACHABLE, and sends nothing',
    async (hint) => {
      expect((await failureOf(knock(openPort(), hint, SERVER.key, options()))).code).toBe('PEER_UNREACHABLE');
    },
  );

  test('at an IPv6 address ends with PEER_UNREACHABLE where there is no such socket', async () => {
    const failure = await failureOf(knock(openPort(), '[::1]:9', SERVER.key, options()));
    expect(failure.code).toBe('PEER_UNREACHABLE');
  });

  test('goes on until the signal ends it where nobody answers', async () => {
    const silent = await openRawSocket();
    const ending = new AbortController();
    const knocking = failureOf(
      knock(openPort(), hintOf(silent.address), SERVER.key, { ...options(), signal: ending.signal }),
    );
    const first = await silent.nextPacket('knock');
    const second = await silent.nextPacket('knock');
    expect(second).toEqual(first);
    ending.abort();
    expect((await knocking).code).toBe('CANCELLED');
    const timedOut = knock(openPort(), hintOf(silent.address), SERVER.key, {
      ...options(),
      signal: AbortSignal.timeout(10),
    });
    expect((await failureOf(timedOut)).code).toBe('TIMED_OUT');
  });

  test('survives that each answer gets lost once', async () => {
    const line = await openUdpProxy(answer());
    const seen = new Set<number>();
    line.alter = (bytes, toFar) => {
      const kind = bytes[4] ?? 0;
      if (toFar || bytes.subarray(0, 4).toString() !== 'LTP1' || seen.has(kind)) return [bytes];
      seen.add(kind);
      return [];
    };
    const path = await knock(openPort(), hintOf(line.address), SERVER.key, options());
    afterTest(async () => path.destroy());
    expect(path.remoteKey).toBe(SERVER.key);
    expect(seen).toEqual(new Set([4, 5]));
  });

  test('takes no answer for another knock, and answers no cookie with more than it has', async () => {
    const hostile = await openRawSocket();
    const port = openPort();
    const ending = new AbortController();
    const knocking = failureOf(
      knock(port, hintOf(hostile.address), SERVER.key, { ...options(), signal: ending.signal }),
    );
    const { token } = await hostile.nextPacket('knock');
    const before = hostile.received.length;
    const strange = randomBytes(TOKEN_BYTES);
    for (let count = 0; count < 50; count += 1) {
      hostile.sendPacket({ kind: 'cookie', token: strange, cookie: randomBytes(COOKIE_BYTES) }, addressOf(port));
      hostile.sendPacket({ kind: 'opened', token: strange, streamId: 7 }, addressOf(port));
    }
    await dealtWith(port);
    hostile.sendPacket({ kind: 'cookie', token, cookie: new Uint8Array(COOKIE_BYTES).fill(1) }, addressOf(port));
    for (;;) {
      const { cookie } = await hostile.nextPacket('knock');
      if (cookie.every((byte) => byte === 1)) break;
    }
    const knocks = hostile.received.slice(before).map(({ bytes }) => bytes);
    const cookiesBack = knocks.filter((bytes) => bytes.subarray(25).some((byte) => byte !== 0));
    expect(cookiesBack).toHaveLength(1);
    const own = encodePeerPacket({ kind: 'cookie', token, cookie: new Uint8Array(COOKIE_BYTES) });
    expect(cookiesBack[0]?.byteLength).toBe(own.byteLength);
    ending.abort();
    expect((await knocking).code).toBe('CANCELLED');
  });

  test('ends when its listener opens a stream and then says nothing', async () => {
    const hostile = await openRawSocket();
    const port = openPort();
    const ending = new AbortController();
    const knocking = failureOf(
      knock(port, hintOf(hostile.address), SERVER.key, { ...options(), signal: ending.signal }),
    );
    const { token } = await hostile.nextPacket('knock');
    hostile.sendPacket({ kind: 'opened', token, streamId: 7 }, addressOf(port));
    // The first message of a handshake.
    for (;;) {
      const { bytes } = await hostile.next();
      if (bytes[0] === 0xff) break;
    }
    ending.abort();
    expect((await knocking).code).toBe('CANCELLED');
  });
});

test('numbers of streams are never 0, which stands for none', () => {
  const ids = Array.from({ length: 10_000 }, randomStreamId);
  expect(ids.every((id) => id > 0 && id < 2 ** 32)).toBe(true);
  expect(new Set(ids).size).toBeGreaterThan(9_990);
});
