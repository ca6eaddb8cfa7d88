import { randomBytes } from 'node:crypto';
import { bookOptionsSchema, startBook } from '@latent/book';
import { loadNativeSecp256k1, silentLogger, systemClock } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { LatentError, useSigning } from '@latent/protocol';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { type BookAsked, type BookTold, bookAskedSchema, bookSetupSchema } from './notes.ts';

// A book as `packages/book/src/main.ts` starts it, in a process of its own, but for the chain, which nobody needs to be introduced,
// and for the limits to what one address may have: everybody is at the same one here.

const MANY = 1_000_000;
const nobody = (digit: string) => `0x${digit.repeat(40)}`;
const { dataDir, publicUrls } = readSetup(bookSetupSchema);
await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: (await loadKernel()).hash });
const book = await startBook(
  bookOptionsSchema.parse({
    deployment: {
      chainId: 31_337,
      rpcUrl: 'http://127.0.0.1:9',
      token: nobody('1'),
      escrow: nobody('2'),
      operators: nobody('3'),
      deployedAtBlock: '0',
    },
    dataDir,
    publicUrls,
    requestsPerMinute: MANY,
    messagesPerMinute: MANY / 10,
    connectionsPerAddress: MANY / 10,
    maxConnections: MANY,
    discoveryQuestionsPerMinute: MANY,
    introductionsPerMinutePerKey: MANY,
    introductionsPerMinutePerAddress: MANY,
    channelsPerLink: 65_536,
    unansweredPerLink: 65_536,
    relayFreeBytesPerKey: Number.MAX_SAFE_INTEGER,
    relayFreeBytesPerAddress: Number.MAX_SAFE_INTEGER,
    relayBytesPerSecond: Number.MAX_SAFE_INTEGER,
    relayBytesPerSecondPerAddress: Number.MAX_SAFE_INTEGER,
  }),
  {
    clock: systemClock,
    logger: silentLogger,
    randomBytes,
    signal: new AbortController().signal,
    registry: {
      agentOf: async () => {
        throw new LatentError('CHAIN_UNREACHABLE', 'There is no chain here.');
      },
    },
  },
);
answerAsked<BookAsked, BookTold>(bookAskedSchema, { kind: 'ready', url: book.url }, async () => ({
  kind: 'ready',
  url: book.url,
}));
