import { randomBytes } from 'node:crypto';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError } from '@latent/protocol';
import UDX, { type UdxStream } from 'udx-native';
import { type Channel, Inbox, type WayDialler, type WayListener } from './channel.ts';
import { NumberedCalls } from './numbered-calls.ts';
import { serveChannel } from './serve-channel.ts';

// The floor: what is below our direct paths, by itself. One stream, encrypted; no admission, no limits, no streams in it, nothing
// that outlives it.

/** `Q`: here is my stream; `A`: and this one is yours. Then the 32 bits of a stream's number, twice. */
const PACKET_BYTES = 9;
const REPEAT_MS = 200;
const KERNEL_BUFFER_BYTES = 4 * 1024 * 1024;

export async function listenByUdx(seed: string): Promise<WayListener> {
  const keyPair = NoiseSecretStream.keyPair(Buffer.from(seed, 'hex'));
  const { udx, socket } = bindSocket();
  const opened = new Map<string, number>();
  socket.on('message', (packet, { host, port }) => {
    if (packet.byteLength !== PACKET_BYTES || packet[0] !== 'Q'.charCodeAt(0)) return;
    const remoteId = new DataView(packet.buffer, packet.byteOffset).getUint32(1);
    const name = `${host} ${port} ${remoteId}`;
    let id = opened.get(name);
    if (id === undefined) {
      id = randomStreamId();
      opened.set(name, id);
      const stream = udx.createStream(id);
      stream.connect(socket, remoteId, port, host);
      stream.on('close', () => opened.delete(name));
      const noise = new NoiseSecretStream(false, stream, { keyPair, pattern: 'XX', enableSend: false });
      void serveChannel(toChannel(noise, stream));
    }
    socket.trySend(toPacket('A', remoteId, id), port, host);
  });
  return { at: `${socket.address()?.port ?? 0}`, close: () => socket.close() };
}

/** @param port the listener's on this machine, or that of whatever passes packets on to it */
export function dialByUdx(port: number): WayDialler {
  const keyPair = NoiseSecretStream.keyPair(randomBytes(32));
  const connect = async () => {
    const { udx, socket } = bindSocket();
    const id = randomStreamId();
    const remoteId = await askForStream(socket, port, id);
    const stream = udx.createStream(id);
    stream.connect(socket, remoteId, port, '127.0.0.1');
    const noise = new NoiseSecretStream(true, stream, { keyPair, pattern: 'XX', enableSend: false });
    stream.on('close', () => void socket.close());
    const channel = toChannel(noise, stream);
    if (!(await noise.opened)) throw new LatentError('INTERNAL', 'The handshake over UDX failed.');
    return channel;
  };
  let standing: Promise<NumberedCalls> | undefined;
  return {
    connect,
    open: connect,
    call: async (message) => {
      standing ??= connect().then((channel) => new NumberedCalls(channel));
      return await (await standing).call(message);
    },
    close: async () => (await standing)?.close(),
  };
}

function bindSocket() {
  const udx = new UDX();
  const socket = udx.createSocket();
  socket.bind(0, '127.0.0.1');
  socket.setRecvBufferSize(KERNEL_BUFFER_BYTES);
  socket.setSendBufferSize(KERNEL_BUFFER_BYTES);
  return { udx, socket };
}

function askForStream(socket: ReturnType<typeof bindSocket>['socket'], port: number, id: number): Promise<number> {
  return new Promise((resolve) => {
    const ask = () => socket.trySend(toPacket('Q', id, 0), port, '127.0.0.1');
    const timer = setInterval(ask, REPEAT_MS);
    socket.on('message', (packet) => {
      const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
      if (packet.byteLength !== PACKET_BYTES || packet[0] !== 'A'.charCodeAt(0) || view.getUint32(1) !== id) return;
      clearInterval(timer);
      resolve(view.getUint32(5));
    });
    ask();
  });
}

function toPacket(kind: 'Q' | 'A', first: number, second: number): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  packet[0] = kind.charCodeAt(0);
  const view = new DataView(packet.buffer);
  view.setUint32(1, first);
  view.setUint32(5, second);
  return packet;
}

function randomStreamId(): number {
  return 1 + (randomBytes(4).readUInt32BE() % 0xffff_fffe);
}

function toChannel(noise: NoiseSecretStream, stream: UdxStream): Channel {
  const inbox = new Inbox();
  let drained: PromiseWithResolvers<void> | undefined;
  const letGo = () => {
    drained?.resolve();
    drained = undefined;
  };
  noise.on('data', (message) => inbox.put(message));
  noise.on('drain', letGo);
  noise.on('end', () => {
    inbox.end();
    noise.end();
  });
  noise.on('error', (error) => inbox.end(error));
  noise.on('close', () => {
    letGo();
    inbox.end();
    stream.destroy();
  });
  return {
    send: async (message) => {
      if (noise.write(message)) return;
      drained ??= Promise.withResolvers();
      await drained.promise;
    },
    receive: () => inbox.take(),
    close: () => noise.end(),
  };
}
