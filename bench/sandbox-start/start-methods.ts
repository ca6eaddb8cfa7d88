import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { type Driver, type JobSpec, selectMachineDriver } from '@latent/agent';
import { systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';

/** A way to run a script in a folder. */
export interface StartMethod {
  readonly name: string;
  /** Starts the script; what is returned resolves when it has ended and the one who started it knows. */
  start(folder: string, script: string, signal: AbortSignal): Promise<StartedScript>;
}

export interface StartedScript {
  readonly ended: Promise<void>;
  /** Removes what the start made. */
  clear(): Promise<void>;
}

const MEBIBYTE = 1 << 20;
const BWRAP = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];

/** A plain child process: the least that a start can cost. */
export const plainShell: StartMethod = {
  name: 'spawn /bin/sh',
  start: (folder, script) => startChild('/bin/sh', ['-c', script], folder),
};

/** bubblewrap with namespaces and the machine's own root, read-only: the least that a sandbox can cost. */
export const bareBubblewrap: StartMethod = {
  name: 'spawn bwrap',
  start: (folder, script) =>
    startChild('bwrap', [...BWRAP, '--bind', folder, folder, '--chdir', folder, '--', '/bin/sh', '-c', script], folder),
};

/** `docker run` of an engine's own client with a folder of the machine: what people start containers with. */
export function dockerRun(engine: DockerEngine): StartMethod {
  const options = ['run', '--rm', '--network', engine.network, '--entrypoint', '/bin/sh'];
  return {
    name: 'docker run',
    start: (folder, script) =>
      startChild(
        'docker',
        [
          '--host',
          `unix://${engine.socket}`,
          ...options,
          '-v',
          `${folder}:/work`,
          '-w',
          '/work',
          engine.image,
          '-c',
          script,
        ],
        folder,
      ),
  };
}

export interface DockerEngine {
  readonly socket: string;
  readonly image: string;
  readonly network: string;
}

/** A driver of the agent, as the agent uses it. */
export async function driverMethod(
  name: 'sandbox' | 'process' | 'docker',
  signal: AbortSignal,
  docker?: DockerEngine,
): Promise<StartMethod> {
  const wish = { driver: name, allowNoIsolation: true };
  const { driver } = await selectMachineDriver(wish, {
    ...{ clock: systemClock, signal },
    ...(docker === undefined ? {} : { docker }),
  });
  return { name: `driver ${name}`, start: (folder, script, stop) => startJob(driver, folder, script, stop) };
}

/** The same driver, with jobs in an image that it has fetched, one after the other as the steps of one lease. */
export function imageMethod(driver: Driver, image: Required<JobImage>): StartMethod {
  return {
    name: `driver ${driver.name}, image`,
    start: (folder, script, stop) => startJob(driver, folder, script, stop, image),
  };
}

type JobImage = Pick<JobSpec, 'image' | 'imageDir'>;

let jobs = 0;

async function startJob(
  driver: Driver,
  folder: string,
  script: string,
  signal: AbortSignal,
  image: JobImage = {},
): Promise<StartedScript> {
  jobs += 1;
  const stateDir = `${folder}.state`;
  await mkdir(stateDir, { mode: 0o700 });
  const handle = await driver.start(
    {
      ...{ jobId: `bench-${process.pid}-${jobs}`, script, env: {}, workdir: folder, stateDir },
      limits: { memoryBytes: 512 * MEBIBYTE, cpus: 1, processes: 64 },
      ...{ address: '127.0.0.1', toolchains: [] },
      ...image,
    },
    { signal },
  );
  return {
    ended: driver.wait(handle, { signal }).then(({ code }) => refuseFailure(driver.name, code)),
    clear: async () => {
      await driver.destroy(handle);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

async function startChild(file: string, argv: readonly string[], cwd: string): Promise<StartedScript> {
  const child = spawn(file, argv, { cwd, stdio: 'ignore' });
  const ended = once(child, 'exit').then(([code]) => refuseFailure(file, code));
  return {
    ended,
    clear: async () => {
      child.kill('SIGKILL');
      await ended.catch(() => undefined);
    },
  };
}

function refuseFailure(name: string, code: unknown): void {
  if (code !== 0) throw new LatentError('INTERNAL', `${name}: the script ended with ${String(code)}.`);
}
