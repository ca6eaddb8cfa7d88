import { once } from 'node:events';
import { createServer } from 'node:https';
import { LatentError } from '@latent/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { type Channel, Inbox, type WayDialler, type WayListener } from './channel.ts';
import { NumberedCalls } from './numbered-calls.ts';
import { serveChannel } from './serve-channel.ts';

/** Bytes that `ws` may hold for the kernel before a sender waits. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Unread messages beyond these stop the reading. */
const LONGEST_MESSAGE_BYTES = 1024 * 1024;

export interface WssListenerSetup {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

export async function listenByWss({ certificate, privateKey }: WssListenerSetup): Promise<WayListener> {
  const server = createServer({ cert: certificate, key: privateKey });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: LONGEST_MESSAGE_BYTES });
  sockets.on('connection', (socket) => void serveChannel(toChannel(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new LatentError('INTERNAL', 'A TCP server without a port.');
  return {
    at: `wss://127.0.0.1:${address.port}`,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
}

/** @param at.url the listener's, or that of whatever passes bytes on to it */
export function dialByWss({ url, certificate }: { readonly url: string; readonly certificate: string }): WayDialler {
  const connect = async (signal: AbortSignal) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, ca: [certificate] });
    try {
      const channel = toChannel(socket);
      await once(socket, 'open', { signal });
      return channel;
    } catch (thrown) {
      socket.terminate();
      throw thrown;
    }
  };
  let standing: Promise<NumberedCalls> | undefined;
  return {
    connect,
    // What stands is one channel; another one is another connection.
    open: connect,
    call: async (message, signal) => {
      standing ??= connect(signal).then((channel) => new NumberedCalls(channel));
      return await (await standing).call(message);
    },
    close: async () => (await standing)?.close(),
  };
}

function toChannel(socket: WebSocket): Channel {
  const inbox = new Inbox();
  socket.on('message', (data) => {
    if (data instanceof Buffer) inbox.put(data);
  });
  socket.on('error', (error) => inbox.end(error));
  socket.on('close', () => inbox.end());
  return {
    send: (message) => {
      const hasRoom = socket.bufferedAmount < MAX_WAITING_BYTES;
      return new Promise((resolve, reject) => {
        socket.send(message, (error) => {
          if (error) reject(error);
          else resolve();
        });
        if (hasRoom) resolve();
      });
    },
    receive: () => inbox.take(),
    close: () => socket.close(),
  };
}
