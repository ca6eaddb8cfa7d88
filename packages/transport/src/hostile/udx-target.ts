import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createKeyPair, KEY_SEED_BYTES, randomBytes } from '../key-pair.ts';
import { encodePeerPacket, TOKEN_BYTES } from '../udp/packet.ts';
import { secureUdp } from '../udp/secure-udp.ts';
import { openUdpPort } from '../udp/udp-port.ts';
import type { Dice } from './dice.ts';
import type { Fed, FuzzTarget } from './fuzz-target.ts';
import type { Samples } from './spoil-bytes.ts';

const STREAM_ID = 77;
const HOST = '127.0.0.1';
/** Inputs between two looks whether the port still answers: fewer than a socket's buffer holds. */
const AT_ONCE = 50;
const keyPair = createKeyPair(new Uint8Array(KEY_SEED_BYTES).fill(2));

interface Packet {
  readonly kind: number;
  readonly number?: number;
  readonly acknowledged?: number;
  readonly payload?: Uint8Array;
}

function packet({ kind, number = 0, acknowledged = 0, payload = new Uint8Array(0) }: Packet): Uint8Array {
  const bytes = new Uint8Array(20 + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0xff, 1, kind, 0]);
  view.setUint32(4, STREAM_ID, true);
  view.setUint32(8, 1 << 22, true);
  view.setUint32(12, number, true);
  view.setUint32(16, acknowledged, true);
  bytes.set(payload, 20);
  return bytes;
}

/** The first message of a handshake: its length and a key. */
const hello = Uint8Array.of(32, 0, 0, ...new Uint8Array(32).fill(9));
const samples: Samples = [
  packet({ kind: 1, payload: hello }),
  packet({ kind: 1, number: 2, payload: new Uint8Array(1_200) }),
  packet({ kind: 1, number: 5, payload: new Uint8Array(1) }),
  packet({ kind: 0, acknowledged: 1 }),
  packet({ kind: 4, payload: Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0) }),
  packet({ kind: 8, payload: new Uint8Array(60) }),
  packet({ kind: 2, number: 1 }),
  packet({ kind: 3, number: 3, payload: new Uint8Array(9) }),
  packet({ kind: 16, number: 1 }),
  packet({ kind: 32 }),
];

/** What anybody can send to a UDP port with a stream that waits for a handshake: the only bytes that native code of others reads. */
export const udxTarget: FuzzTarget = {
  name: 'packets of streams',
  samples,
  share: 100_000,
  open: async (dice) => {
    const port = openUdpPort({ address: HOST, port: 0 });
    const stranger = createSocket('udp4');
    stranger.on('message', () => undefined);
    stranger.bind(0, HOST);
    await once(stranger, 'listening');
    const over = new AbortController();
    const remote = { host: HOST, port: stranger.address().port };
    let isOver = false;
    const stream = port.createStream(STREAM_ID);
    stream.on('close', () => {
      isOver = true;
    });
    port.connectStream(stream, 1, remote);
    // Why it fails is nothing that a stranger hears.
    secureUdp(port, stream, { keyPair, isInitiator: false, remote, signal: over.signal }).catch(() => undefined);
    const send = (bytes: Uint8Array) => stranger.send(bytes, port.port, HOST);
    let fed = 0;
    return {
      feed: async (input): Promise<Fed> => {
        send(addressed(dice, input));
        fed += 1;
        if (fed % AT_ONCE !== 0) return 'taken';
        await answered(port.onPacket, send);
        return isOver ? 'over' : 'taken';
      },
      close: () => {
        over.abort();
        stranger.close();
        void port.close();
      },
    };
  },
};

/** Most inputs are for the stream, whatever was done to them. */
function addressed(dice: Dice, input: Uint8Array): Uint8Array {
  if (input.byteLength < 8 || dice.below(8) === 0) return input;
  const bytes = input.slice();
  bytes.set([0xff, 1]);
  new DataView(bytes.buffer).setUint32(4, STREAM_ID, true);
  return bytes;
}

/** Resolves when the port has dealt with what was sent before: the kernel keeps the order. */
async function answered(
  onPacket: (listener: (packet: { readonly token: Uint8Array }) => void) => () => void,
  send: (bytes: Uint8Array) => void,
): Promise<void> {
  const token = randomBytes(TOKEN_BYTES);
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = onPacket((heard) => {
    if (heard.token.every((byte, at) => byte === token[at])) resolve();
  });
  send(encodePeerPacket({ kind: 'cookie', token, cookie: new Uint8Array(16) }));
  await promise;
  stop();
}
