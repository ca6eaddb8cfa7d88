import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ConfigError,
  createLogger,
  createShutdown,
  loadConfig,
  loadNativeSecp256k1,
  StoreError,
  systemClock,
} from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { LatentError, toLatentError, useSigning } from '@latent/protocol';
import { type BookOptions, bookOptionsSchema } from './options.ts';
import { startBook } from './start-book.ts';

/**
 * The book as a program: `main.ts --config FILE`. Prints one JSON line when it is ready, or when it cannot start.
 * SIGTERM and SIGINT end it.
 */
async function main(): Promise<void> {
  const options = await readOptions(readFlags());
  const shutdown = createShutdown();
  const logger = createLogger({
    name: options.name,
    level: options.logLevel,
    destination: { file: join(options.dataDir, 'book.log') },
  });
  const { hash } = await loadKernel();
  const native = await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: hash });
  logger.info(native, 'native signing and hashing, where there is one');
  const book = await startBook(options, { clock: systemClock, logger, randomBytes, signal: shutdown.signal });
  print({ event: 'ready', url: book.url });
  await book.ended;
}

function readFlags(): string {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    if (values.config !== undefined) return values.config;
  } catch (thrown) {
    throw new LatentError('CONFIG_INVALID', toLatentError(thrown).message, { hint: 'The one flag is --config FILE.' });
  }
  throw new LatentError('CONFIG_INVALID', 'The book needs a settings file.', { hint: 'Give it with --config FILE.' });
}

async function readOptions(file: string): Promise<BookOptions> {
  // No variables: what a book does is to be read in one place.
  const source = { schema: bookOptionsSchema, flags: {}, envPrefix: 'LATENT_BOOK', env: {}, file, fileRequired: true };
  return (await loadConfig(source)).values;
}

function toStartError(thrown: unknown): LatentError {
  if (thrown instanceof ConfigError) return new LatentError('CONFIG_INVALID', thrown.message, { cause: thrown });
  if (thrown instanceof StoreError) return new LatentError('STORE_FAILED', thrown.message, { cause: thrown });
  return toLatentError(thrown);
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  await main();
} catch (thrown) {
  print({ event: 'failed', error: toStartError(thrown).toBody() });
  process.exitCode = 1;
}
