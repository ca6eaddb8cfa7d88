import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '@latent/kit';

/** Looks again after so long even if nothing was noticed: a killed supervisor changes no file. */
const lookAgainMs = 250;

export interface FolderChanges {
  /** Resolves after a change since the last call, or after a quarter of a second. Rejects when the signal is aborted. */
  next(): Promise<void>;
  close(): void;
}

/** Where the machine is out of inotify watches, or the folder is gone, there is only the looking again. */
export function watchFolder(
  folder: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): FolderChanges {
  let changed = new AbortController();
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, { persistent: false }, () => changed.abort());
    watcher.on('error', () => watcher?.close());
  } catch {
    watcher = undefined;
  }
  return {
    async next() {
      const { signal } = changed;
      try {
        await options.clock.sleep(lookAgainMs, { signal: AbortSignal.any([signal, options.signal]) });
      } catch (error) {
        options.signal.throwIfAborted();
        if (!signal.aborted) throw error;
      }
      changed = new AbortController();
    },
    close: () => watcher?.close(),
  };
}
