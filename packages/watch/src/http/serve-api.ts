import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { LatentError } from '@latent/protocol';
import type { WatchContext } from '../watch-context.ts';
import { createApi } from './create-api.ts';

/** A request has to have come in whole after so long, its head sooner. */
const REQUEST_TIMEOUT_MS = 20_000;
const HEAD_TIMEOUT_MS = 10_000;
const MAX_HEAD_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 1_024;

export interface ServedApi {
  /** e.g. `http://127.0.0.1:7101` */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws LatentError CONFIG_INVALID if the address cannot be served on */
export async function serveApi(context: WatchContext): Promise<ServedApi> {
  // Never rejects: what the API throws it answers with.
  const answer = getRequestListener(createApi(context).fetch, { overrideGlobalObjects: false });
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEAD_TIMEOUT_MS, maxHeaderSize: MAX_HEAD_BYTES },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  const url = await listen(server, context.options);
  return {
    url,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(
  server: Server,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new LatentError('CONFIG_INVALID', `Port ${port} of ${address} cannot be served on: ${error.message}.`, {
          hint: 'Set another port, or 0 for any free one.',
          cause: error,
        }),
      ),
    );
    server.listen({ host: address, port }, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new LatentError('INTERNAL', 'The server has no port.');
  return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}
