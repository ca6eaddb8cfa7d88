import { stat } from 'node:fs/promises';
import type { Clock } from '@latent/kit';
import { z } from 'zod';
import { isMissing } from '../is-missing.ts';
import { jobLabel, stateDirLabel } from './docker-job.ts';
import { removeContainer } from './engine/container-answers.ts';
import type { Engine } from './engine/open-engine.ts';
import { readAnswer } from './engine/read-answer.ts';

const listSchema = z
  .array(
    z.object({
      Id: z.string().regex(/^[0-9a-f]{64}$/),
      /** Unix seconds. */
      Created: z.number(),
      Labels: z.record(z.string(), z.string()).nullish(),
    }),
  )
  .max(10_000);

/** A start that takes longer to write its handle down than this has long been given up. */
const youngMs = 600_000;

/**
 * Removes containers of ours that nobody knows of any more: their state folder is there, and no job is written down in it. An agent that was
 * killed in the middle of a start leaves such a one. A folder that cannot be seen from here may be another agent's, and says nothing.
 * @returns how many were removed
 * @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED
 */
export async function removeLeftovers(engine: Engine, clock: Clock): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ label: [jobLabel] }));
  const list = readAnswer(
    await engine.ask(`/containers/json?all=true&filters=${filters}`),
    listSchema,
    'list containers',
  );
  let removed = 0;
  for (const { Id, Created, Labels } of list) {
    const folder = Labels?.[stateDirLabel];
    if (folder === undefined || clock.nowMs() - Created * 1000 < youngMs) continue;
    if (!(await isThere(folder)) || (await isThere(`${folder}/handle.json`))) continue;
    await removeContainer(engine, Id);
    removed += 1;
  }
  return removed;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
