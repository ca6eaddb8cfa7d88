import { MAX_BOOK_REQUEST_BYTES } from '@latent/protocol';
import type { BookContext } from '../book-context.ts';
import type { SocketRoute } from '../sockets/serve-sockets.ts';
import { carryConnection } from './presence-connection.ts';

/** Where agents are present. */
export function presenceRoute(context: BookContext): SocketRoute {
  return {
    path: '/v1/presence',
    maxMessageBytes: MAX_BOOK_REQUEST_BYTES,
    carry: (socket) => carryConnection(context, socket),
  };
}
