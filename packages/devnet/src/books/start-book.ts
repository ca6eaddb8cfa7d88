import { execPath } from 'node:process';
import { z } from 'zod';
import type { DevnetContext } from '../devnet-context.ts';
import { updateProcess } from '../devnet-state.ts';
import { findReadyLine } from '../processes/program-lines.ts';
import { programPath } from '../processes/program-path.ts';
import { startProcess } from '../processes/start-process.ts';

const bookReadySchema = z.object({ url: z.url().max(500) });
const READY_WITHIN_MS = 60_000;

/**
 * Starts a book whose settings have been written, and gives the URL it serves.
 * @throws LatentError DEVNET_FAILED
 */
export async function startBook({ paths, clock, signal }: DevnetContext, name: string): Promise<string> {
  const { dataDir, config } = paths.book(name);
  const { ready } = await startProcess(
    {
      name,
      file: execPath,
      argv: [programPath('@latent/book'), '--config', config],
      cwd: dataDir,
      logDir: paths.logs,
    },
    {
      isReady: (printed) => findReadyLine(printed, bookReadySchema),
      readyWithinMs: READY_WITHIN_MS,
      onSpawned: (identity) => updateProcess(paths.dataDir, name, { identity }),
      clock,
      signal,
    },
  );
  updateProcess(paths.dataDir, name, { url: ready.url });
  return ready.url;
}
