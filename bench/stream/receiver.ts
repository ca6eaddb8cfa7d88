import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { createKeyPair, createTcpTransport, type EncryptedStream } from '@latent/transport';
import { type ChannelSetup, channelSetupSchema, type ReceiverNote, TLS_OPTIONS } from './channel-kinds.ts';

// A thread of its own, as two ends in one would take turns. It listens, counts what arrives on each connection, and
// tells when the other end has finished. It ends with the thread.

const { kind, secret } = channelSetupSchema.parse(workerData);
tell({ kind: 'ready', port: await listen(kind) });

async function listen(to: ChannelSetup['kind']): Promise<number> {
  const key = Buffer.from(secret, 'hex');
  switch (to) {
    case 'latent': {
      const transport = createTcpTransport({ keyPair: createKeyPair(key) });
      const { hints } = await transport.listen((stream) => void countMessages(stream), {
        address: '127.0.0.1',
        port: 0,
      });
      return Number(new URL(hints[0] ?? '').port);
    }
    case 'tls':
      return portOf(createTlsServer({ ...TLS_OPTIONS, pskCallback: () => key }).on('secureConnection', countBytes));
    case 'tcp':
      return portOf(createServer(countBytes));
    default:
      return to satisfies never;
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server without a port.');
  return address.port;
}

async function countMessages(stream: EncryptedStream): Promise<void> {
  try {
    let bytes = 0;
    for await (const message of stream.messages()) bytes += message.byteLength;
    tell({ kind: 'received', bytes });
    await stream.end();
  } catch {
    // A connection that was made only to be timed is dropped at once.
    stream.destroy();
  }
}

function countBytes(socket: Socket): void {
  let bytes = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
  });
  socket.on('end', () => tell({ kind: 'received', bytes }));
}

function tell(note: ReceiverNote): void {
  parentPort?.postMessage(note);
}
