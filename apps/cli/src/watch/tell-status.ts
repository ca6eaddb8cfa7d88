import type { CommandContext } from '../run-command.ts';
import { showWatch } from '../screen/show-watch.ts';

/** Asks the daemon of a data folder how it does, and prints that. */
export async function tellWatchStatus({ output, signal }: CommandContext, dataDir: string): Promise<undefined> {
  const { findWatch, readWatchStatus } = await import('@latent/watch');
  const url = findWatch(dataDir);
  const status = await readWatchStatus(url, signal);
  output.line(showWatch(status, url));
  output.result({ url, ...status });
  return undefined;
}
