import type { Clock } from '@latent/kit';
import { LatentError, toLatentError } from '@latent/protocol';
import { checkCommand } from '../check-spec.ts';
import type { Driver, DriverFingerprint, JobHandle, JobState } from '../driver.ts';
import { emptyStateDir } from '../empty-state-dir.ts';
import { readOutput } from '../read-output.ts';
import { waitForExit } from '../wait-for-exit.ts';
import { giveUpExit, readContainerState } from './container-state.ts';
import { containerStats } from './container-stats.ts';
import { type DockerJob, fromHandle } from './docker-job.ts';
import { removeContainer } from './engine/container-answers.ts';
import { notRunning } from './engine/exec-answers.ts';
import { defaultEngineLimits, type Engine, type EngineLimits, openEngine } from './engine/open-engine.ts';
import { findSockets } from './find-sockets.ts';
import { endWriter } from './output-writer.ts';
import { readyImage } from './ready-image.ts';
import { createRecentImages } from './recent-images.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { runInContainer } from './run-in-container.ts';
import { startInContainer } from './start-in-container.ts';
import { stopContainer } from './stop-container.ts';

export interface DockerDriverOptions {
  readonly clock: Clock;
  /** The engine's socket; without it the first of the usual ones that answers. */
  readonly socket?: string | undefined;
  /** Image of jobs that name none; without it they are refused. */
  readonly image?: string | undefined;
  /** The engine's network that jobs join; `bridge` by default. */
  readonly network?: string | undefined;
  readonly limits?: Partial<EngineLimits>;
}

/**
 * Runs jobs as containers of an engine that speaks Docker's API: Docker, or Podman. No capabilities, no new privileges, our filter of system
 * calls, a read-only root, a network of its own, and of the operator's files nothing but what the job was given.
 *
 * It protects the machine from the job as far as the kernel and the engine have no hole, and does NOT protect the job from the machine.
 * On the engine's network a job reaches what that network reaches: the internet, and the machine and its neighbours too unless the
 * operator's firewall says otherwise. Disk space is not bounded.
 */
export function createDockerDriver(options: DockerDriverOptions): Driver {
  const { clock } = options;
  const limits = { ...defaultEngineLimits, ...options.limits };
  const engines = new Map<string, Promise<Engine>>();

  /** What worked once is not asked for again; what did not may have been put right since. */
  function openAt(socketPath: string): Promise<Engine> {
    const known = engines.get(socketPath);
    if (known !== undefined) return known;
    const opening = openEngine(socketPath, limits);
    engines.set(socketPath, opening);
    opening.catch(() => engines.delete(socketPath));
    return opening;
  }

  let chosen = options.socket;
  /** The engine for new jobs: once one was found it is not left for another. */
  async function openAny(): Promise<Engine> {
    const sockets = chosen === undefined ? await findSockets() : [chosen];
    let failure: unknown = noEngine();
    for (const [index, socket] of sockets.entries()) {
      try {
        const engine = await openAt(socket);
        if (engine.keepsNot.length > 0) throw unlimited(engine);
        chosen = socket;
        return engine;
      } catch (error) {
        if (index === 0) failure = error;
      }
    }
    throw failure;
  }

  const recent = createRecentImages(clock);
  let swept = false;
  async function sweep(engine: Engine): Promise<void> {
    if (swept) return;
    swept = true;
    try {
      await removeLeftovers(engine, clock);
    } catch (error) {
      // The next life of the agent tries again; what is left costs its operator memory, and nobody else anything.
      if (!(error instanceof LatentError)) throw error;
    }
  }

  const engineOf = (job: DockerJob) => () => openAt(job.socketPath);
  const stateOf = (job: DockerJob) => readContainerState(job, engineOf(job));

  return {
    name: 'docker',
    fingerprint: async () => fingerprint(options, openAny),

    async prepare({ image }, prepareOptions) {
      if (image === undefined) return;
      const engine = await openAny();
      await readyImage(engine, { asked: image, lent: options.image, recent }, prepareOptions);
    },

    async start(spec, { signal }) {
      return startInContainer(spec, {
        ...{ signal, clock, image: options.image, recent, network: options.network ?? 'bridge' },
        async open() {
          const engine = await openAny();
          await sweep(engine);
          return engine;
        },
      });
    },

    recover: async (handle) => (handle.driver === 'docker' ? stateOf(fromHandle(handle)) : { kind: 'gone' }),

    wait(handle, { signal }) {
      const job = fromHandle(handle);
      return waitForExit({
        folder: job.stateDir,
        state: patientState(job, stateOf, limits.lostMs, clock),
        clock,
        signal,
      });
    },

    async stop(handle, { graceMs }) {
      const job = fromHandle(handle);
      await stopContainer(job, engineOf(job), { graceMs, clock });
    },

    async destroy(handle) {
      const job = fromHandle(handle);
      await removeContainer(await openAt(job.socketPath), job.container);
      await endWriter(job.writer, clock);
      await emptyStateDir(job.stateDir);
    },

    async stats(handle) {
      const job = fromHandle(handle);
      if ((await stateOf(job)).kind !== 'running') return { cpuSeconds: 0, memoryBytes: 0, processes: 0 };
      return containerStats(await openAt(job.socketPath), job.container);
    },

    async exec(handle, command, execOptions) {
      const checked = checkCommand(command);
      const job = fromHandle(handle);
      if ((await stateOf(job)).kind !== 'running') throw notRunning();
      return runInContainer(job, await openAt(job.socketPath), checked, { ...execOptions, clock });
    },

    output(handle: JobHandle, outputOptions) {
      const job = fromHandle(handle);
      const state = patientState(job, stateOf, limits.lostMs, clock);
      const source = { jobId: job.jobId, folder: job.stateDir, file: job.files.output, state };
      return readOutput(source, outputOptions, clock);
    },
  };
}

/**
 * As long as the engine is away a job counts as running. One of which nothing is left counts as lost when the engine has not come back
 * to say how it ended within `lostMs`.
 */
function patientState(
  job: DockerJob,
  stateOf: (job: DockerJob) => Promise<JobState>,
  lostMs: number,
  clock: Clock,
): () => Promise<JobState> {
  let awaySinceMs: number | undefined;
  return async () => {
    try {
      const state = await stateOf(job);
      awaySinceMs = undefined;
      return state;
    } catch (error) {
      if (!(error instanceof LatentError)) throw error;
      awaySinceMs ??= clock.nowMs();
      const exit = clock.nowMs() - awaySinceMs < lostMs ? undefined : await giveUpExit(job);
      return exit === undefined ? { kind: 'running' } : { kind: 'exited', exit };
    }
  };
}

async function fingerprint(options: DockerDriverOptions, open: () => Promise<Engine>): Promise<DriverFingerprint> {
  try {
    const engine = await open();
    const network = options.network ?? 'bridge';
    const reach =
      network === 'none'
        ? 'none but loopback'
        : `the engine’s network ${network}; unless a firewall of yours says otherwise a job reaches the internet, this machine and its neighbours`;
    const notes = [
      `engine: ${engine.kind} ${engine.version} at ${engine.socketPath}`,
      'limits: memory without swap, cpu, processes and open files by the engine; disk: not limited',
      `network: ${reach}`,
      userNote(engine),
      options.image === undefined
        ? 'jobs that name no image are refused'
        : `image of jobs that name none: ${options.image}`,
    ];
    return { available: true, isolation: 'namespaces', version: `${engine.kind} ${engine.version}`, notes };
  } catch (error) {
    const { message, hint } = toLatentError(error);
    return {
      available: false,
      reason: message.replace(/\.$/, ''),
      remedy: (hint ?? 'install Docker or Podman').replace(/\.$/, ''),
    };
  }
}

function userNote(engine: Engine): string {
  if (engine.rootless) return "the engine has no root: jobs run as the agent's user, as root of a namespace of theirs";
  if (process.getuid?.() === 0) return 'the agent is root: each job runs as a user of its own';
  return "jobs run as the agent's user";
}

function unlimited({ kind, keepsNot }: Engine): LatentError {
  return new LatentError('DRIVER_UNAVAILABLE', `${kind} cannot limit ${keepsNot.join(', ')} on this machine.`, {
    hint: 'Boot with cgroup version 2, and for an engine without root delegate its controllers to the user.',
  });
}

function noEngine(): LatentError {
  return new LatentError('DRIVER_UNAVAILABLE', 'There is no socket of a container engine on this machine.', {
    hint: 'Install Docker or Podman and start it (apt install docker.io), or name its socket by the option dockerSocket.',
  });
}
