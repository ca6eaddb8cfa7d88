import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { type Clock, type Logger, openStore, type Store } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { createApi } from './api/create-api.ts';
import type { BookContext } from './book-context.ts';
import { createChainRegistry } from './intake/chain-registry.ts';
import { createCheckAgent } from './intake/check-agent.ts';
import type { OperatorRegistry } from './intake/operator-registry.ts';
import { createRateLimiter } from './intake/rate-limiter.ts';
import type { BookOptions } from './options.ts';
import { openPeers } from './peers/open-peers.ts';
import { relayUsageMigration } from './peers/usage-rows.ts';
import { presenceRoute } from './presence/presence-route.ts';
import { createRoster } from './presence/roster.ts';
import { createChainLeases, type LeaseReader } from './relay/chain-leases.ts';
import { openPaidRelay } from './relay/open-paid-relay.ts';
import { relayLeasesMigration } from './relay/paid-leases.ts';
import { serveSockets } from './sockets/serve-sockets.ts';
import { asksMigration, openKeptAsks } from './store/kept-asks.ts';
import { startUpkeep } from './upkeep/start-upkeep.ts';

export interface StartBookDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Ends the book. */
  readonly signal: AbortSignal;
  /** Who operates which agent; by default the deployment's contract. */
  readonly registry?: OperatorRegistry;
  /** The escrow; by default the deployment's. */
  readonly chain?: LeaseReader;
}

export interface RunningBook {
  /** e.g. `http://127.0.0.1:7001` */
  readonly url: string;
  /** Ends the book, as its signal does; resolves when it has ended. */
  close(): Promise<void>;
  /** Resolves when the book has ended. */
  readonly ended: Promise<void>;
}

/** A request has to have come in whole after so long, its head sooner. */
const REQUEST_TIMEOUT_MS = 20_000;
const HEAD_TIMEOUT_MS = 10_000;
const MAX_HEAD_BYTES = 8 * 1024;

/**
 * Starts an order-book node. Asks that were accepted before are there again; agents have to connect anew.
 * @throws LatentError CONFIG_INVALID if the address, or a UDP port, cannot be served on, and kit's error if the store cannot
 * be opened
 */
export async function startBook(options: BookOptions, dependencies: StartBookDependencies): Promise<RunningBook> {
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const migrations = [asksMigration, relayUsageMigration, relayLeasesMigration];
  const store = openStore({ path: join(dataDir, 'book.sqlite'), migrations });
  try {
    return await openBook(options, dependencies, store);
  } catch (thrown) {
    store.close();
    throw thrown;
  }
}

async function openBook(options: BookOptions, dependencies: StartBookDependencies, store: Store): Promise<RunningBook> {
  const { logger } = dependencies;
  const stopping = new AbortController();
  const urls = [...options.publicUrls];
  const signal = AbortSignal.any([dependencies.signal, stopping.signal]);
  const context = await createContext(options, { ...dependencies, signal }, { store, urls });
  // Never rejects: what the API throws it answers with.
  const answer = getRequestListener(createApi(context).fetch, { overrideGlobalObjects: false });
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEAD_TIMEOUT_MS, maxHeaderSize: MAX_HEAD_BYTES },
    (request, response) => void answer(request, response),
  );
  const endSockets = serveSockets(server, context, [presenceRoute(context), context.peers.route]);
  const url = await listen(server, options).catch(async (thrown: unknown) => {
    await context.peers.close();
    throw thrown;
  });
  urls.push(url);
  logger.info({ url, asks: context.kept.size }, 'book is open');

  const ended = (async () => {
    await startUpkeep(context);
    endSockets();
    await context.peers.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    store.close();
    logger.info({ url }, 'book is closed');
  })();
  return {
    url,
    ended,
    close: () => {
      stopping.abort();
      return ended;
    },
  };
}

/** @param urls of the book; the one that it listens on is added once it does */
async function createContext(
  options: BookOptions,
  dependencies: StartBookDependencies,
  { store, urls }: { readonly store: Store; readonly urls: readonly string[] },
): Promise<BookContext> {
  const { clock, logger, randomBytes, signal } = dependencies;
  const { deployment } = options;
  const { registry = createChainRegistry(deployment), chain = createChainLeases(deployment) } = dependencies;
  const domain = { chainId: deployment.chainId, escrow: deployment.escrow };
  const shared = { options, urls, clock, logger, randomBytes, signal };
  const paid = await openPaidRelay({ ...shared, domain, chain, registry }, store);
  return {
    ...shared,
    domain,
    paid,
    kept: openKeptAsks(store),
    roster: createRoster(),
    checkAgent: createCheckAgent(registry, clock),
    agentLimiter: createRateLimiter(options.messagesPerMinute, clock),
    requestLimiter: createRateLimiter(options.requestsPerMinute, clock),
    peers: await openPeers({ ...shared, paid }, store),
  };
}

async function listen(server: Server, { address, port }: BookOptions): Promise<string> {
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
  if (bound === null || typeof bound === 'string') throw new LatentError('INTERNAL', 'The book has no port.');
  return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}
