import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger, createShutdown, systemClock } from '@latent/kit';
import { LatentError, toLatentError } from '@latent/protocol';
import { z } from 'zod';
import { bookOptionsSchema } from './options.ts';
import { startBook } from './start-book.ts';

/**
 * The book as a program: `main.ts --config FILE`. Prints one JSON line when it is ready, and one when it cannot start.
 * SIGTERM and SIGINT end it.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  const options = await readOptions(values.config);
  const shutdown = createShutdown({ signals: ['SIGINT', 'SIGTERM'] });
  const logger = createLogger({
    name: options.name,
    level: options.logLevel,
    destination: { file: join(options.dataDir, 'book.log') },
  });
  const book = await startBook(options, { clock: systemClock, logger, randomBytes, signal: shutdown.signal });
  print({ event: 'ready', url: book.url });
  await book.ended;
  shutdown.dispose();
}

async function readOptions(path: string | undefined) {
  if (path === undefined) {
    throw new LatentError('CONFIG_INVALID', 'The book needs a settings file.', { hint: 'Give it with --config FILE.' });
  }
  const parsed = bookOptionsSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new LatentError('CONFIG_INVALID', `${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  await main();
} catch (thrown) {
  print({ event: 'failed', error: toLatentError(thrown).toBody() });
  process.exitCode = 1;
}
