import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { LatentError } from '@latent/protocol';
import { createKeyPair, createTcpTransport } from '@latent/transport';
import { type ChannelKind, type ReceiverNote, receiverNoteSchema, TLS_IDENTITY, TLS_OPTIONS } from './channel-kinds.ts';

/** Connects to an end in another thread, in one of the ways that are compared. */
export interface Channel {
  readonly kind: ChannelKind;
  /** Resolves when both ends have proven themselves, as far as this kind does. */
  connect(signal: AbortSignal): Promise<Connection>;
  /** Resolves with the bytes that the other end has received of the connection that is ended next. */
  received(signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

export interface Connection {
  /** Awaited by the sender: it resolves when there is room for more. */
  send(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
  destroy(): void;
}

export async function openChannel(kind: ChannelKind, signal: AbortSignal): Promise<Channel> {
  const secret = randomBytes(32);
  const workerData = { kind, secret: secret.toString('hex') };
  const worker = new Worker(new URL('./receiver.ts', import.meta.url), { workerData });
  try {
    const ready = await nextNote(worker, signal);
    if (ready.kind !== 'ready') throw new LatentError('INTERNAL', 'The other end received before it was ready.');
    const dialler = createDialler(kind, ready.port, secret);
    return {
      kind,
      connect: dialler.connect,
      received: async (stop) => {
        const note = await nextNote(worker, stop);
        return note.kind === 'received' ? note.bytes : 0;
      },
      close: async () => {
        await dialler.close();
        await worker.terminate();
      },
    };
  } catch (thrown) {
    await worker.terminate();
    throw thrown;
  }
}

async function nextNote(worker: Worker, signal: AbortSignal): Promise<ReceiverNote> {
  const [note] = await once(worker, 'message', { signal });
  return receiverNoteSchema.parse(note);
}

function createDialler(kind: ChannelKind, port: number, secret: Buffer): Pick<Channel, 'connect' | 'close'> {
  const host = '127.0.0.1';
  const nothing = async () => undefined;
  switch (kind) {
    case 'latent': {
      const transport = createTcpTransport({ keyPair: createKeyPair(randomBytes(32)) });
      const peer = { key: createKeyPair(secret).key, hints: [`tcp://${host}:${port}`] };
      return { connect: (signal) => transport.connect(peer, { signal }), close: () => transport.close() };
    }
    case 'tls': {
      const pskCallback = () => ({ psk: secret, identity: TLS_IDENTITY });
      const options = { ...TLS_OPTIONS, host, port, pskCallback, checkServerIdentity: () => undefined };
      return { connect: (signal) => socketOn(connectTls(options), 'secureConnect', signal), close: nothing };
    }
    case 'tcp':
      return {
        connect: (signal) => socketOn(connect({ host, port }), 'connect', signal),
        close: nothing,
      };
    default:
      return kind satisfies never;
  }
}

async function socketOn(socket: Socket, connected: string, signal: AbortSignal): Promise<Connection> {
  await once(socket, connected, { signal });
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  return {
    send: async (chunk) => {
      if (!socket.write(chunk)) await once(socket, 'drain', { signal });
    },
    end: async () => void socket.end(),
    destroy: () => socket.destroy(),
  };
}
