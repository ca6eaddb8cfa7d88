import { type LatentError, toLatentError } from '@latent/protocol';
import { describe, expect, test, vi } from 'vitest';
import { bytesOfHex, hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { randomStreamId } from './knock.ts';
import { NONCE_BYTES, PROBE_BYTES, TOKEN_BYTES } from './packet.ts';
import { awaitPunch, type Hole, punch } from './punch.ts';
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
  streamPacket,
  untilTestEnds,
} from './raw-socket.fixture.ts';
import type { UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

const NEAR = keyPairOf(1);
const FAR = keyPairOf(2);
const TOKEN = '5a'.repeat(TOKEN_BYTES);
const PLENTY = 4_096;

interface Holes {
  readonly near: Hole;
  readonly far: Hole;
}

/** What both sides know after an introduction, when each names these addresses of itself. */
function introduce(nearAddresses: readonly UdpAddress[], farAddresses: readonly UdpAddress[]): Holes {
  const nearId = randomStreamId();
  const farId = randomStreamId();
  return {
    near: { token: TOKEN, addresses: farAddresses.map(hintOf), streamId: nearId, remoteStreamId: farId },
    far: { token: TOKEN, addresses: nearAddresses.map(hintOf), streamId: farId, remoteStreamId: nearId },
  };
}

async function echo(path: Promise<Path>): Promise<Path> {
  const opened = await path;
  opened.start({
    onMessage: (bytes) => void opened.sendMessage(Uint8Array.from(bytes)),
    onUnordered: () => undefined,
    onDrain: () => undefined,
    onEnded: () => undefined,
  });
  return opened;
}

async function saysBack(path: Path, text: string): Promise<string> {
  const answer = Promise.withResolvers<string>();
  path.start({
    onMessage: (bytes) => answer.resolve(new TextDecoder().decode(bytes)),
    onUnordered: () => undefined,
    onDrain: () => undefined,
    onEnded: (cause) => answer.reject(toLatentError(cause)),
  });
  afterTest(async () => path.destroy());
  path.sendMessage(new TextEncoder().encode(text));
  return await answer.promise;
}

/** Both sides at once. @returns what comes back over the path, and where the dialling side found the other */
async function meet(nearPort: UdpPort, farPort: UdpPort, { near, far }: Holes) {
  const signal = untilTestEnds();
  const echoing = echo(awaitPunch(farPort, far, { keyPair: FAR, signal, maxProbeBytes: PLENTY }));
  const path = await punch(nearPort, near, FAR.key, { keyPair: NEAR, signal });
  const farPath = await echoing;
  afterTest(async () => farPath.destroy());
  return { said: await saysBack(path, 'hello'), through: path.route.through, farKey: farPath.remoteKey, path };
}

describe('punching', () => {
  test('finds the address that leads to the peer among those that lead nowhere', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const nowhere = { host: '127.0.0.1', port: 9 };
    const silent = (await openRawSocket()).address;
    const unroutable = { host: '2001:db8::1', port: 9 };
    const holes = introduce([silent, addressOf(nearPort)], [unroutable, nowhere, silent, addressOf(farPort)]);
    const { said, through, farKey } = await meet(nearPort, farPort, holes);
    expect(said).toBe('hello');
    expect(through).toBe(`udp ${hintOf(addressOf(farPort))}`);
    expect(farKey).toBe(NEAR.key);
  });

  test('succeeds when only the listening side knows an address: the dialler learns the other from its probe', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const { said } = await meet(nearPort, farPort, introduce([addressOf(nearPort)], []));
    expect(said).toBe('hello');
  });

  test('succeeds when only the dialler knows an address', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const { said } = await meet(nearPort, farPort, introduce([], [addressOf(farPort)]));
    expect(said).toBe('hello');
  });

  test('takes an address that nobody named, as of a NAT that maps each destination anew', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    // What the dialler sends comes from another address than the one it names.
    const nat = await openUdpProxy(addressOf(farPort));
    const holes = introduce([{ host: '127.0.0.1', port: 9 }], [nat.address]);
    const { said, through } = await meet(nearPort, farPort, holes);
    expect(said).toBe('hello');
    expect(through).toBe(`udp ${hintOf(nat.address)}`);
  });

  test.each([
    ['the first three packets', 3],
    ['the first confirm', undefined],
  ])('survives the loss of %s each way', async (_name, count) => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const line = await openUdpProxy(addressOf(farPort));
    const passed = { near: 0, far: 0 };
    let confirms = 0;
    line.alter = (bytes, toFar) => {
      const side = toFar ? 'far' : 'near';
      passed[side] += 1;
      if (count !== undefined) return passed[side] <= count ? [] : [bytes];
      const isConfirm = bytes.subarray(0, 4).toString() === 'LTP1' && bytes[4] === 6;
      if (isConfirm) confirms += 1;
      return isConfirm && confirms === 1 ? [] : [bytes];
    };
    const { said } = await meet(nearPort, farPort, introduce([], [line.address]));
    expect(said).toBe('hello');
  });

  test('ends with PEER_WRONG_KEY when somebody else proves a key there', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const signal = untilTestEnds();
    const { near, far } = introduce([addressOf(nearPort)], [addressOf(farPort)]);
    void awaitPunch(farPort, far, { keyPair: keyPairOf(3), signal, maxProbeBytes: PLENTY }).catch(() => undefined);
    const failure = await failureOf(punch(nearPort, near, FAR.key, { keyPair: NEAR, signal }));
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toMatchObject({ expected: FAR.key, actual: keyPairOf(3).key });
  });

  test('ends when it is told to, on both sides', async () => {
    const [nearPort, farPort] = [openPort(), openPort()];
    const silent = (await openRawSocket()).address;
    const { near, far } = introduce([silent], [silent]);
    const stopping = new AbortController();
    const punching = failureOf(punch(nearPort, near, FAR.key, { keyPair: NEAR, signal: stopping.signal }));
    const awaiting = failureOf(
      awaitPunch(farPort, far, { keyPair: FAR, signal: stopping.signal, maxProbeBytes: PLENTY }),
    );
    stopping.abort();
    expect([(await punching).code, (await awaiting).code]).toEqual(['CANCELLED', 'CANCELLED']);
    const already = failureOf(punch(nearPort, near, FAR.key, { keyPair: NEAR, signal: stopping.signal }));
    expect((await already).code).toBe('CANCELLED');
  });
});

describe('hostile punching', () => {
  const signalled = () => ({ keyPair: FAR, signal: untilTestEnds(), maxProbeBytes: PLENTY });
  const await_ = (port: UdpPort, hole: Hole, options: Partial<Parameters<typeof awaitPunch>[2]> = {}) =>
    awaitPunch(port, hole, { ...signalled(), ...options }).catch(
      (thrown: unknown): LatentError => toLatentError(thrown),
    );

  test.each([
    ['named', true],
    ['not named', false],
  ])(
    'an address that was %s is sent no more for packets of a stream than it showed to receive',
    async (_name, isNamed) => {
      const farPort = openPort();
      const forged = await openRawSocket();
      const { far } = introduce(isNamed ? [forged.address] : [], []);
      const probes = isNamed ? 2 : 0;
      void await_(farPort, far, { maxProbeBytes: probes * PROBE_BYTES });
      // The first message of a handshake, and packets beyond a gap, each of which UDX would answer with a list of what it has.
      for (let number = 0; number < 60; number += 1) {
        const payload = new Uint8Array(number === 0 ? 35 : 1);
        forged.send(streamPacket({ streamId: far.streamId, number: number * 2, payload }), addressOf(farPort));
      }
      for (let number = 0; number < 30; number += 1) forged.send(heartbeat(far.streamId), addressOf(farPort));
      await dealtWith(farPort);
      for (let count = 0; count < probes; count += 1) await forged.next();
      await dealtWith(farPort);
      expect(forged.receivedBytes).toBe(probes * PROBE_BYTES);
    },
  );

  test('a wrong nonce does not show that an address receives', async () => {
    const farPort = openPort();
    const forged = await openRawSocket();
    const { far } = introduce([], []);
    void await_(farPort, far, { maxProbeBytes: 0 });
    const token = bytesOfHex(TOKEN);
    const to = addressOf(farPort);
    forged.sendPacket({ kind: 'probe', token, nonce: randomBytes(NONCE_BYTES) }, to);
    const { ownNonce } = await forged.nextPacket('echo');
    const guess = Uint8Array.from(ownNonce, (byte) => byte ^ 1);
    forged.sendPacket({ kind: 'confirm', token, nonce: guess }, to);
    forged.sendPacket({ kind: 'echo', token, nonce: guess, ownNonce: guess }, to);
    forged.send(heartbeat(far.streamId), to);
    await dealtWith(farPort);
    const before = forged.receivedBytes;
    // The right one lets the stream in: it answers a heartbeat.
    forged.sendPacket({ kind: 'confirm', token, nonce: ownNonce }, to);
    forged.send(heartbeat(far.streamId), to);
    const { bytes } = await forged.next();
    expect(before).toBe(PROBE_BYTES);
    expect(hexOfBytes(bytes.subarray(0, 2))).toBe('ff01');
  });

  test('an answer forged in the name of another address opens no stream there', async () => {
    const nearPort = openPort();
    const listener = await openRawSocket();
    const victim = await openRawSocket();
    const { near } = introduce([], [listener.address]);
    void punch(nearPort, near, FAR.key, { keyPair: NEAR, signal: untilTestEnds() }).catch(() => undefined);
    const { token, nonce } = await listener.nextPacket('probe');
    // The peer gives away what it was asked, and the answer comes "from" somebody else.
    victim.sendPacket({ kind: 'echo', token, nonce, ownNonce: nonce }, addressOf(nearPort));
    const asked = await victim.nextPacket('probe');
    expect(victim.received).toHaveLength(1);
    expect(hexOfBytes(asked.nonce)).not.toBe(hexOfBytes(nonce));
  });

  test('what carries another token is not answered', async () => {
    const farPort = openPort();
    const stranger = await openRawSocket();
    void await_(farPort, introduce([], []).far);
    const token = randomBytes(TOKEN_BYTES);
    for (const kind of ['probe', 'confirm'] as const) {
      stranger.sendPacket({ kind, token, nonce: randomBytes(NONCE_BYTES) }, addressOf(farPort));
    }
    await dealtWith(farPort);
    stranger.sendPacket(
      { kind: 'probe', token: bytesOfHex(TOKEN), nonce: randomBytes(NONCE_BYTES) },
      addressOf(farPort),
    );
    await stranger.nextPacket('echo');
    expect(stranger.received.filter(({ bytes }) => hexOfBytes(bytes).includes(hexOfBytes(token)))).toEqual([]);
  });

  test('an introduction makes the listener send no more bytes of probes than it had, to all its addresses together', async () => {
    const farPort = openPort();
    const victims = await Promise.all(Array.from({ length: 12 }, () => openRawSocket()));
    const maxProbeBytes = 12 * PROBE_BYTES + 3;
    // Its timers are the test's, so that all of them can pass at once.
    const { far } = introduce(
      victims.map(({ address }) => address),
      [],
    );
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      void await_(farPort, far, { maxProbeBytes });
      vi.advanceTimersByTime(60_000);
      // A learnt address has to be paid from the same purse.
      const late = await openRawSocket();
      late.sendPacket({ kind: 'probe', token: bytesOfHex(TOKEN), nonce: randomBytes(NONCE_BYTES) }, addressOf(farPort));
      await late.nextPacket('echo');
      await dealtWith(farPort);
      await Promise.all(victims.map((victim) => victim.next()));
      const sent = victims.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
      expect(sent).toBe(12 * PROBE_BYTES);
      expect(late.receivedBytes).toBe(PROBE_BYTES);
    } finally {
      vi.useRealTimers();
    }
  });

  test('addresses that stand for many are not probed, and no more than sixteen are dealt with', async () => {
    const farPort = openPort();
    const sent: UdpAddress[] = [];
    const counting: UdpPort = {
      ...farPort,
      send: (packet, to) => {
        if (packet.kind === 'probe') sent.push(to);
      },
    };
    const addresses = [
      '224.0.0.1:9',
      '255.255.255.255:9',
      '0.0.0.0:9',
      '[ff02::1]:9',
      'localhost:9',
      ...Array.from({ length: 30 }, (_, at) => `127.0.0.1:${1_000 + at}`),
    ];
    const { far } = introduce([], []);
    const stopping = new AbortController();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const maxProbeBytes = 16 * PROBE_BYTES;
      const awaiting = await_(counting, { ...far, addresses }, { signal: stopping.signal, maxProbeBytes });
      vi.advanceTimersByTime(0);
      stopping.abort();
      await awaiting;
    } finally {
      vi.useRealTimers();
    }
    expect(sent.map(({ host }) => host)).toEqual(Array.from({ length: 16 }, () => '127.0.0.1'));
  });
});

/** Asks for an acknowledgement. */
function heartbeat(streamId: number): Uint8Array {
  return streamPacket({ streamId, number: 0, kind: 32 });
}
