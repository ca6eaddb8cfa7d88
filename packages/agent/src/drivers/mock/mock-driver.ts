import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import { checkCommand, checkSpec } from '../check-spec.ts';
import type { Driver, ExecCommand, ExecOptions, JobExit, JobHandle, JobSpec, JobState } from '../driver.ts';
import { emptyStateDir } from '../empty-state-dir.ts';
import { readOutput } from '../read-output.ts';
import { refuseImage } from '../refuse-image.ts';
import { savedHandle, saveHandle } from '../saved-handle.ts';
import { waitForExit } from '../wait-for-exit.ts';
import { mockState, readMockJob, writeMockJob } from './mock-job.ts';
import { type FullMockScript, type MockScript, readMockScript } from './mock-script.ts';

export interface MockDriverOptions {
  readonly clock: Clock;
  /** For jobs whose environment does not say otherwise. */
  readonly script?: MockScript;
}

const stoppedCode = 143;
const killedCode = 137;

/** A driver that runs nothing, for local networks and tests: jobs end, fail and vanish as they are told (`MockScript`). */
export function createMockDriver({ clock, script = {} }: MockDriverOptions): Driver {
  const recover = async (handle: JobHandle): Promise<JobState> => mockState(await readMockJob(folderOf(handle)), clock);

  async function stop(handle: JobHandle, graceMs: number): Promise<void> {
    const folder = folderOf(handle);
    const job = await readMockJob(folder);
    if (job === undefined || mockState(job, clock).kind !== 'running') return;
    const ignores = job.script.faults.includes('ignore-stop');
    if (ignores) await clock.sleep(graceMs);
    const later = await readMockJob(folder);
    if (later === undefined || mockState(later, clock).kind !== 'running') return;
    await writeMockJob(folder, { ...later, stoppedWith: ignores ? killedCode : stoppedCode });
  }

  return {
    name: 'mock',
    fingerprint: async () => ({ available: true, isolation: 'none', version: '1', notes: ['runs nothing'] }),
    start: (spec, { signal }) => startMockJob(spec, { clock, script, signal }),
    recover,
    wait: (handle, { signal }) =>
      waitForExit({ folder: folderOf(handle), state: () => recover(handle), clock, signal }),
    stop: (handle, { graceMs }) => stop(handle, graceMs),
    destroy: (handle) => emptyStateDir(folderOf(handle)),
    async stats(handle) {
      const running = (await recover(handle)).kind === 'running';
      return { cpuSeconds: 0, memoryBytes: 0, processes: running ? 1 : 0 };
    },
    async exec(handle, command, options) {
      const checked = checkCommand(command);
      if ((await recover(handle)).kind !== 'running') {
        throw new LatentError('MEMBER_NOT_STARTED', `The job ${handle.jobId} does not run.`);
      }
      return mockCommand(checked, readMockScript(checked.env, {}), options);
    },
    output(handle, options) {
      const folder = folderOf(handle);
      const source = { jobId: handle.jobId, folder, file: join(folder, 'output'), state: () => recover(handle) };
      return readOutput(source, options, clock);
    },
  };
}

async function startMockJob(
  asked: JobSpec,
  options: { readonly clock: Clock; readonly script: MockScript; readonly signal: AbortSignal },
): Promise<JobHandle> {
  const { signal } = options;
  if (signal.aborted) throw cancelled(signal);
  const spec = await checkSpec(asked);
  refuseImage(spec, 'mock');
  const script = readMockScript(spec.env, options.script);
  if ((await savedHandle(spec.stateDir)) !== undefined) {
    throw new LatentError('DRIVER_REFUSED', `A job was started in this state folder already: ${spec.stateDir}.`);
  }
  if (script.faults.includes('hang-in-start')) await untilAborted(signal);
  if (script.faults.includes('fail-to-start')) {
    throw new LatentError('DRIVER_FAILED', 'The mock job was told to fail to start.');
  }
  const handle: JobHandle = { driver: 'mock', jobId: spec.jobId, state: { stateDir: spec.stateDir } };
  const output = script.faults.includes('lose-output') ? '' : script.output;
  await writeFile(join(spec.stateDir, 'output'), output, { mode: 0o600 });
  await writeMockJob(spec.stateDir, { startedAtMs: options.clock.nowMs(), script });
  await saveHandle(spec.stateDir, handle);
  if (!signal.aborted) return handle;
  await emptyStateDir(spec.stateDir);
  throw cancelled(signal);
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  throw cancelled(signal);
}

/** Writes its arguments to stdout, then what it is given on stdin. */
async function mockCommand(command: ExecCommand, script: FullMockScript, options: ExecOptions): Promise<JobExit> {
  if (options.signal.aborted) throw cancelled(options.signal);
  await options.onOutput({ stream: 'stdout', bytes: Buffer.from(`${command.argv.join(' ')}\n`) });
  for await (const bytes of options.stdin) {
    if (options.signal.aborted) throw cancelled(options.signal);
    await options.onOutput({ stream: 'stdout', bytes });
  }
  return { code: script.exitCode };
}

/** @throws LatentError DRIVER_REFUSED for a handle that another driver made. */
function folderOf(handle: JobHandle): string {
  const stateDir = handle.state['stateDir'];
  if (handle.driver === 'mock' && typeof stateDir === 'string') return stateDir;
  throw new LatentError('DRIVER_REFUSED', `The handle of job ${handle.jobId} was not made by the driver mock.`);
}
