import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Driver, JobHandle, JobSpec } from '../driver.ts';

/** What a script comes to, for drivers that run none. */
export type ScriptEnd = 'never' | { readonly code: number; readonly output?: string };

export interface JobWish {
  readonly script: string;
  readonly ends: ScriptEnd;
  readonly env?: Readonly<Record<string, string>>;
  readonly change?: Partial<JobSpec>;
}

/** Scratch folders and running jobs of one test, cleared by `close`. */
export interface JobBench {
  readonly driver: Driver;
  spec(wish: JobWish): Promise<JobSpec>;
  start(wish: JobWish): Promise<JobHandle>;
  /** A handle that something else has started, to be destroyed at the end. */
  adopt(handle: JobHandle): JobHandle;
  close(): Promise<void>;
}

const mebibyte = 1 << 20;
let jobCount = 0;

export async function openBench(
  driver: Driver,
  envFor: (ends: ScriptEnd) => Readonly<Record<string, string>>,
): Promise<JobBench> {
  const root = await mkdtemp(join(tmpdir(), 'latent-driver-'));
  const handles: JobHandle[] = [];

  async function spec(wish: JobWish): Promise<JobSpec> {
    jobCount += 1;
    const jobId = `conformance-${process.pid}-${jobCount}`;
    const [workdir, stateDir] = [join(root, `${jobId}.work`), join(root, `${jobId}.state`)];
    await mkdir(workdir);
    await mkdir(stateDir, { mode: 0o700 });
    return {
      jobId,
      script: wish.script,
      env: { ...wish.env, ...envFor(wish.ends) },
      workdir,
      stateDir,
      limits: { memoryBytes: 512 * mebibyte, cpus: 2, processes: 128 },
      address: '127.0.0.1',
      toolchains: [],
      ...wish.change,
    };
  }

  function adopt(handle: JobHandle): JobHandle {
    handles.push(handle);
    return handle;
  }

  return {
    driver,
    spec,
    adopt,
    start: async (wish) => adopt(await driver.start(await spec(wish), { signal: AbortSignal.timeout(30_000) })),
    async close() {
      for (const handle of handles) await driver.destroy(handle);
      await rm(root, { recursive: true, force: true });
    },
  };
}
