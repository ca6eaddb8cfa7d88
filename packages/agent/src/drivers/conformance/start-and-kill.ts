import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JobHandle, JobSpec } from '../driver.ts';
import { jobHandleSchema } from '../saved-handle.ts';

/** Starts a job in a process of its own, kills that with SIGKILL, and returns the handle that it printed. */
export async function startAndKill(module: URL, spec: JobSpec): Promise<JobHandle> {
  const program = fileURLToPath(new URL('./start-in-child.ts', import.meta.url));
  const child = spawn(process.execPath, [program, fileURLToPath(module), JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      return jobHandleSchema.parse(JSON.parse(line));
    }
    throw new Error('The process that starts the job ended early.');
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
