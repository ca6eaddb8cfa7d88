import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger, createShutdown, loadNativeSecp256k1, systemClock } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import { LatentError, toLatentError, useSigning } from '@latent/protocol';
import { z } from 'zod';
import { agentOptionsSchema } from './options.ts';
import { startAgent } from './start-agent.ts';

/**
 * The agent as a program: `main.ts --config FILE [--leave]`. Prints one JSON line when it is ready, and one when it cannot start.
 * SIGTERM and SIGINT end it; jobs go on. With `--leave` it ends this machine's part in every lease, and then itself.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' }, leave: { type: 'boolean', default: false } } });
  const settings = await readOptions(values.config);
  const options = { ...settings, leaving: settings.leaving || values.leave };
  const shutdown = createShutdown({ signals: ['SIGINT', 'SIGTERM'] });
  const logger = createLogger({
    name: 'agent',
    level: options.logLevel,
    destination: { file: join(options.dataDir, 'agent.log') },
  });
  const { hash } = await loadKernel();
  const native = await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: hash });
  logger.info(native, 'native signing and hashing, where there is one');
  const agent = await startAgent(options, { clock: systemClock, logger, randomBytes, signal: shutdown.signal });
  const { agentKey, operator, ask, hints, driver } = agent;
  print({ event: 'ready', agentKey, operator, ask, hints, driver });
  if (options.leaving) void agent.left.then(() => shutdown.stop());
  await agent.ended;
}

async function readOptions(path: string | undefined) {
  if (path === undefined) {
    throw new LatentError('CONFIG_INVALID', 'The agent needs a settings file.', {
      hint: 'Give it with --config FILE.',
    });
  }
  const parsed = agentOptionsSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
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
