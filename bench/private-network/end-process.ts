import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { LatentError } from '@latent/protocol';
import { answerAsked } from '../harness/start-process.ts';
import { type EndAsked, type EndTold, endAskedSchema } from './notes.ts';

// An end of TCP connections, in a namespace: takes what is sent, or sends.

const CHUNK = Buffer.alloc(256 * 1024, 7);

answerAsked<EndAsked, EndTold>(endAskedSchema, { kind: 'ready' }, answer);

async function answer(asked: EndAsked): Promise<EndTold> {
  switch (asked.kind) {
    case 'listen': {
      const server = createServer({ allowHalfOpen: true }, take).listen(0, asked.address);
      await once(server, 'listening');
      const at = server.address();
      if (at === null || typeof at === 'string') throw new LatentError('INTERNAL', 'A server has no port.');
      return { kind: 'listening', port: at.port };
    }
    case 'send':
      return { kind: 'took', ms: [await timed(asked, (socket) => send(socket, asked.totalBytes))] };
    case 'echo': {
      const ms: number[] = [];
      await timed(asked, async (socket) => {
        for (let left = asked.count; left > 0; left -= 1) {
          const before = performance.now();
          socket.write('e');
          await once(socket, 'data');
          ms.push(performance.now() - before);
        }
      });
      return { kind: 'took', ms };
    }
    default:
      return asked satisfies never;
  }
}

/** A connection whose first byte is an `e` gets every byte back; of another one the end is answered. */
function take(socket: Socket): void {
  socket.setNoDelay(true);
  let echoes = false;
  socket.once('data', (first) => {
    echoes = first[0] === 'e'.charCodeAt(0);
  });
  socket.on('data', (bytes) => {
    if (echoes) socket.write(bytes);
  });
  socket.on('end', () => socket.end('.'));
  socket.on('error', () => socket.destroy());
}

async function timed(to: { address: string; port: number }, use: (socket: Socket) => Promise<void>): Promise<number> {
  const socket = connect(to.port, to.address).setNoDelay(true);
  try {
    await once(socket, 'connect');
    const before = performance.now();
    await use(socket);
    return performance.now() - before;
  } finally {
    socket.destroy();
  }
}

async function send(socket: Socket, totalBytes: number): Promise<void> {
  const answered = once(socket, 'data');
  for (let left = totalBytes; left > 0; left -= CHUNK.byteLength) {
    if (!socket.write(CHUNK.subarray(0, Math.min(left, CHUNK.byteLength)))) await once(socket, 'drain');
  }
  socket.end();
  await answered;
}
