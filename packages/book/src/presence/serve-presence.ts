import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_BOOK_REQUEST_BYTES } from '@latent/protocol';
import { WebSocketServer } from 'ws';
import type { BookContext } from '../book-context.ts';
import { carryConnection } from './presence-connection.ts';

const PRESENCE_PATH = '/v1/presence';

/** Serves presence connections on `server`. @returns ends all of them */
export function servePresence(server: Server, context: BookContext): () => void {
  const { connectionsPerAddress, maxConnections } = context.options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BOOK_REQUEST_BYTES, perMessageDeflate: false });
  const perAddress = new Map<string, number>();
  let connections = 0;

  const count = (address: string, by: 1 | -1) => {
    const left = (perAddress.get(address) ?? 0) + by;
    if (left === 0) perAddress.delete(address);
    else perAddress.set(address, left);
    connections += by;
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => context.logger.debug({ error: error.message }, 'a connection failed'));
    const address = request.socket.remoteAddress ?? 'unknown';
    if (request.url?.split('?')[0] !== PRESENCE_PATH) return refuse(socket, '404 Not Found');
    if (connections >= maxConnections) return refuse(socket, '503 Service Unavailable');
    if ((perAddress.get(address) ?? 0) >= connectionsPerAddress) return refuse(socket, '429 Too Many Requests');
    count(address, 1);
    socket.once('close', () => count(address, -1));
    sockets.handleUpgrade(request, socket, head, (webSocket) => carryConnection(context, webSocket));
  });

  return () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
