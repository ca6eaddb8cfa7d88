import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bookOptionsSchema, startBook } from '@latent/book';
import { loadNativeSecp256k1, silentLogger, systemClock } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { useSigning } from '@latent/protocol';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { deployment, operator } from './market.ts';
import { type Asked, askedSchema, bookSetupSchema, type Note } from './notes.ts';

// A book as `packages/book/src/main.ts` starts it, but for the chain: no chain is needed to be present or linked.

const { dataDir } = readSetup(bookSetupSchema);
await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: (await loadKernel()).hash });
const book = await startBook(
  bookOptionsSchema.parse({
    deployment,
    dataDir,
    // All agents are at one machine here.
    requestsPerMinute: 1_000_000,
    connectionsPerAddress: 100_000,
    maxConnections: 100_000,
    relayFreeBytesPerKey: Number.MAX_SAFE_INTEGER,
    relayFreeBytesPerAddress: Number.MAX_SAFE_INTEGER,
    relayBytesPerSecond: 10_000_000_000,
    relayBytesPerSecondPerAddress: 10_000_000_000,
  }),
  {
    clock: systemClock,
    logger: silentLogger,
    randomBytes,
    signal: new AbortController().signal,
    registry: { agentOf: async () => ({ operator, epoch: 0 }) },
  },
);

answerAsked<Asked, Note>(askedSchema, { kind: 'ready', url: book.url }, async () => {
  // What has been closed and forgotten is no part of what a connection costs.
  for (let round = 0; round < 3; round += 1) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    kind: 'measured',
    rssBytes: rss,
    heapBytes: heapUsed,
    cpuMs: (user + system) / 1_000,
    atMs: performance.now(),
  };
});
