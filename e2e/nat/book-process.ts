import { randomBytes } from 'node:crypto';
import { bookOptionsSchema, startBook } from '@latent/book';
import { createShutdown, silentLogger, systemClock } from '@latent/kit';

// A real book in a lab: `book-process.ts DATA_DIR URL PORT`. There is no chain there, so it knows no agent, and lists no ask: peers need
// none of that.

const [dataDir = '', url = '', port = ''] = process.argv.slice(2);
const shutdown = createShutdown();
const book = await startBook(
  bookOptionsSchema.parse({
    deployment: {
      chainId: 31_337,
      rpcUrl: 'http://127.0.0.1:1',
      ...{ escrow: `0x${'e5'.repeat(20)}`, operators: `0x${'0a'.repeat(20)}`, token: `0x${'70'.repeat(20)}` },
      deployedAtBlock: '0',
    },
    dataDir,
    // IPv4 comes in here too.
    address: '::',
    port: Number(port),
    publicUrls: [url],
  }),
  {
    clock: systemClock,
    logger: silentLogger,
    randomBytes,
    signal: shutdown.signal,
    registry: { agentOf: async () => undefined },
  },
);
process.stdout.write('book is open\n');
await book.ended;
