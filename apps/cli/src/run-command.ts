import { createShutdown, systemClock } from '@latent/kit';
import { type LatentError, toLatentError } from '@latent/protocol';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { type ClusterStore, openClusterStore } from './home/cluster-store.ts';
import { type LatentHome, latentHome } from './home/latent-home.ts';
import { createOutput, type Output } from './output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly home: LatentHome;
  /** Opened when first used. */
  readonly store: ClusterStore;
  readonly output: Output;
  /** Aborts on the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command to its exit code: errors are printed with their code and what to do, never with a stack trace. With
 * `LATENT_DEBUG` set the cause is printed too.
 */
export async function runCommand(
  options: { readonly json?: boolean | undefined },
  work: (context: CommandContext) => Promise<number | undefined>,
): Promise<void> {
  const output = createOutput({ json: options.json ?? false });
  const shutdown = createShutdown();
  const home = latentHome();
  let store: ClusterStore | undefined;
  const context: CommandContext = {
    home,
    output,
    signal: shutdown.signal,
    get store() {
      store ??= openClusterStore(home, systemClock.nowMs);
      return store;
    },
  };
  try {
    process.exitCode = (await work(context)) ?? exitCodes.ok;
  } catch (thrown) {
    const error: LatentError = toLatentError(thrown);
    output.error(error);
    process.exitCode = exitCodeOf(error.code);
  } finally {
    store?.close();
    shutdown.dispose();
  }
}
