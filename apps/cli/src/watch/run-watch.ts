import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError, createLogger, SecretFileError, StoreError, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import type { RunningWatch, WatchDependencies } from '@latent/watch';
import type { CommandContext } from '../run-command.ts';

interface DaemonOptions {
  readonly dataDir: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** Runs a keeper or watchtower in this process until Ctrl-C. With `--json` the result is printed when it is ready. */
export async function runWatch<Options extends DaemonOptions>(
  { output, signal }: CommandContext,
  kind: 'keeper' | 'watchtower',
  options: Options,
  start: (options: Options, dependencies: WatchDependencies) => Promise<RunningWatch>,
): Promise<undefined> {
  const file = join(options.dataDir, `${kind}.log`);
  const logger = createLogger({ name: kind, level: options.logLevel, destination: { file } });
  output.line(`Starting the ${kind}; its log is ${file}`);
  const watch = await start(options, { clock: systemClock, logger, randomBytes, signal }).catch((thrown: unknown) => {
    throw toStartError(thrown);
  });
  output.line(`The ${kind} is at ${watch.url}. It pays gas from ${watch.account}, which needs ether.`);
  output.line('Ctrl-C ends it; the next start goes on where it was.');
  output.result({ url: watch.url, account: watch.account, log: file });
  await watch.ended;
  return undefined;
}

function toStartError(thrown: unknown): unknown {
  if (thrown instanceof ConfigError || thrown instanceof SecretFileError) {
    return new LatentError('CONFIG_INVALID', thrown.message, { cause: thrown });
  }
  if (thrown instanceof StoreError) return new LatentError('STORE_FAILED', thrown.message, { cause: thrown });
  return thrown;
}
