import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@latent/kit';
import { z } from 'zod';
import type { JobState } from '../driver.ts';
import { isMissing } from '../is-missing.ts';
import { mockScriptSchema } from './mock-script.ts';

/** A mock job is a file: whether it runs follows from it and the clock, so it outlives whatever process made it. */
const mockJobSchema = z.object({
  startedAtMs: z.number(),
  script: mockScriptSchema,
  /** Code that a stop has left. */
  stoppedWith: z.number().optional(),
});
export type MockJob = z.infer<typeof mockJobSchema>;

export async function readMockJob(stateDir: string): Promise<MockJob | undefined> {
  try {
    return mockJobSchema.parse(JSON.parse(await readFile(join(stateDir, 'mock.json'), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

let writes = 0;

export async function writeMockJob(stateDir: string, job: MockJob): Promise<void> {
  writes += 1;
  const part = join(stateDir, `mock.json.${process.pid}.${writes}.part`);
  await writeFile(part, JSON.stringify(job), { mode: 0o600 });
  await rename(part, join(stateDir, 'mock.json'));
}

export function mockState(job: MockJob | undefined, clock: Clock): JobState {
  if (job === undefined) return { kind: 'gone' };
  if (job.stoppedWith !== undefined) return { kind: 'exited', exit: { code: job.stoppedWith } };
  const { exitAfterMs, exitCode, faults } = job.script;
  if (exitAfterMs === undefined || clock.nowMs() < job.startedAtMs + exitAfterMs) return { kind: 'running' };
  return faults.includes('vanish') ? { kind: 'gone' } : { kind: 'exited', exit: { code: exitCode } };
}
