import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { gatherWrites } from '@latent/transport';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BookContext } from '../book-context.ts';
import { TokenBucket } from '../intake/token-bucket.ts';
import { type Caller, callerOf } from './caller.ts';

/** A path at which WebSockets are served. */
export interface SocketRoute {
  readonly path: string;
  /** Largest message that is taken, in bytes. */
  readonly maxMessageBytes: number;
  /**
   * Carries a WebSocket from its opening to its end. Pings are answered already.
   * @param gather to be called before each message that is sent
   */
  readonly carry: (socket: WebSocket, caller: Caller, gather: () => void) => void;
}

/** Pieces in which a message may come, as WebSocket fragments and as reads of the network; more are kept by nobody honest. */
const MAX_FRAGMENTS = 16;
const MAX_READS = 1_024;
/** How long a WebSocket that is closed has to say goodbye, in ms. */
const CLOSE_MS = 5_000;
/** Pings a minute that one WebSocket may send; each wants an answer. */
const PINGS_PER_MINUTE = 60;

type Sockets = Pick<BookContext, 'options' | 'clock' | 'logger' | 'requestLimiter'>;

/**
 * Serves WebSockets on `server`, each path by its route, and counts them together: over all, and per address.
 * @returns ends all of them
 */
export function serveSockets(server: Server, context: Sockets, routes: readonly SocketRoute[]): () => void {
  const { connectionsPerAddress, maxConnections, proxies } = context.options;
  const served = new Map(routes.map((route) => [route.path, { route, sockets: createSocketServer(route) }]));
  const perPlace = new Map<string, number>();
  let connections = 0;

  const count = (place: string, by: 1 | -1) => {
    const left = (perPlace.get(place) ?? 0) + by;
    if (left === 0) perPlace.delete(place);
    else perPlace.set(place, left);
    connections += by;
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => context.logger.debug({ error: error.message }, 'a connection failed'));
    const caller = callerOf(request, proxies);
    const found = served.get(request.url?.split('?')[0] ?? '');
    if (found === undefined) return refuse(socket, '404 Not Found');
    if (!context.requestLimiter.isAdmitted(caller.place)) return refuse(socket, '429 Too Many Requests');
    if (connections >= maxConnections) return refuse(socket, '503 Service Unavailable');
    if ((perPlace.get(caller.place) ?? 0) >= connectionsPerAddress) return refuse(socket, '429 Too Many Requests');
    count(caller.place, 1);
    socket.once('close', () => count(caller.place, -1));
    const { route, sockets } = found;
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      answerPings(webSocket, context);
      route.carry(webSocket, caller, gatherWrites(socket));
    });
  });

  return () => {
    for (const { sockets } of served.values()) {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    }
  };
}

function createSocketServer({ maxMessageBytes }: SocketRoute): WebSocketServer {
  const options = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_READS,
    closeTimeout: CLOSE_MS,
    // Answers to pings would pile up without bound for a peer that sends them and reads nothing.
    autoPong: false,
  };
  return new WebSocketServer(options);
}

function answerPings(socket: WebSocket, { clock }: Pick<Sockets, 'clock'>): void {
  const allowed = new TokenBucket({ capacity: PINGS_PER_MINUTE, perSecond: PINGS_PER_MINUTE / 60 }, clock);
  socket.on('ping', (data) => {
    if (allowed.take(1)) socket.pong(data);
    else socket.terminate();
  });
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
