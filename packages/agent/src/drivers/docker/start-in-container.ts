import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import { checkSpec } from '../check-spec.ts';
import type { JobHandle, JobSpec } from '../driver.ts';
import { emptyStateDir } from '../empty-state-dir.ts';
import { jobUid } from '../job-user.ts';
import { savedHandle, saveHandle } from '../saved-handle.ts';
import { type ProcessId, readBootId } from '../supervised/process-table.ts';
import { containerConfig } from './container-config.ts';
import { containerName, dockerFiles, toHandle } from './docker-job.ts';
import { createdSchema, removeContainer } from './engine/container-answers.ts';
import type { Engine } from './engine/open-engine.ts';
import { complaintOf, readAnswer } from './engine/read-answer.ts';
import { endWriter, type StartedWriter, startWriter } from './output-writer.ts';
import { readRlimits } from './read-rlimits.ts';
import { type ReadyImage, readyImage } from './ready-image.ts';
import type { RecentImages } from './recent-images.ts';
import { seccompProfile } from './seccomp-profile.ts';

export interface StartOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly open: () => Promise<Engine>;
  /** The operator's image for jobs that name none. */
  readonly image: string | undefined;
  readonly recent: RecentImages;
  /** Name of the engine's network that jobs join. */
  readonly network: string;
}

/** Starts a job in a container. On a throw nothing of it is left. Errors as in `Driver.start`. */
export async function startInContainer(asked: JobSpec, options: StartOptions): Promise<JobHandle> {
  const { signal, clock } = options;
  if (signal.aborted) throw cancelled(signal);
  const spec = await checkSpec(asked);
  if (asked.network !== undefined) throw noPrivateNetwork(spec.jobId);
  if ((await savedHandle(spec.stateDir)) !== undefined) {
    throw new LatentError('DRIVER_REFUSED', `A job was started in this state folder already: ${spec.stateDir}.`, {
      hint: 'Destroy that job first.',
    });
  }
  const engine = await options.open();
  const image = await readyImage(
    engine,
    { asked: spec.image, lent: options.image, recent: options.recent },
    { signal },
  );
  let writer: StartedWriter | undefined;
  try {
    writer = await startWriter(dockerFiles(spec.stateDir), spec.jobId);
    return await launch(spec, { ...options, engine, image, writer });
  } catch (error) {
    await clearAway(spec, engine, writer?.id, clock);
    throw signal.aborted ? cancelled(signal) : error;
  }
}

interface Launch extends Omit<StartOptions, 'image'> {
  readonly engine: Engine;
  readonly image: ReadyImage;
  readonly writer: StartedWriter;
}

async function launch(spec: JobSpec, options: Launch): Promise<JobHandle> {
  const { engine, image, network, writer, signal } = options;
  const files = dockerFiles(spec.stateDir);
  const user = jobUser(engine, spec.jobId);
  const [rlimits, bootId] = await Promise.all([
    readRlimits(),
    readBootId(),
    // Readable for the job's user, to whom nothing else in the folder is shown.
    writeFile(files.script, spec.script, { mode: 0o644 }),
    writeFile(files.output, '', { mode: 0o600 }),
    writeFile(files.seccomp, JSON.stringify(seccompProfile()), { mode: 0o600 }),
    giveAway(spec.workdir, user),
  ]);
  if (signal.aborted) throw cancelled(signal);
  const config = containerConfig({ spec, engine, image, files, user, network, rlimits });
  const container = await createContainer(engine, containerName(spec.jobId, spec.stateDir), config);
  const handle = toHandle({
    ...{ jobId: spec.jobId, stateDir: spec.stateDir, socketPath: engine.socketPath },
    ...{ container, user, writer: writer.id, bootId },
  });
  await saveHandle(spec.stateDir, handle);
  writer.begin();
  if (signal.aborted) throw cancelled(signal);
  const started = await engine.act('POST', `/containers/${container}/start`);
  if (started.status !== 204 && started.status !== 304) throw startError(complaintOf(started));
  await writeFile(files.started, '', { mode: 0o600 });
  if (signal.aborted) throw cancelled(signal);
  return handle;
}

/**
 * Inside it is the user to whom the renter's files belong outside. For an agent that is root that is one that owns nothing else; for an
 * engine without root it is the container's root, which is the agent's user.
 */
function jobUser(engine: Engine, jobId: string): string {
  if (engine.rootless) return '0:0';
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()];
  return uid === 0 ? `${jobUid(jobId)}:${jobUid(jobId)}` : `${uid}:${gid}`;
}

const giveLimitMs = 60_000;

async function giveAway(folder: string, user: string): Promise<void> {
  if (process.getuid?.() !== 0 || user === '0:0') return;
  try {
    await promisify(execFile)('chown', ['-R', '-h', '-P', user, '--', folder], { timeout: giveLimitMs });
  } catch (error) {
    throw new LatentError('DRIVER_FAILED', 'The renter’s files could not be given to the user of the job.', {
      hint: 'See that the file system of the agent’s folder lets root change owners.',
      cause: error,
    });
  }
}

/** Id of the new container. What an agent that was killed before it could write the job down has left under the name is removed. */
async function createContainer(
  engine: Engine,
  name: string,
  config: Readonly<Record<string, unknown>>,
): Promise<string> {
  const create = () => engine.act('POST', `/containers/create?name=${name}`, config);
  let answer = await create();
  // Podman's status for it is that of any failure.
  if (answer.status === 409 || /already in use/.test(complaintOf(answer))) {
    await removeContainer(engine, name);
    answer = await create();
  }
  return readAnswer(answer, createdSchema, 'make a container').Id;
}

/** The container is removed by its name: whether a call that was never answered has made one, nobody knows. */
async function clearAway(spec: JobSpec, engine: Engine, writer: ProcessId | undefined, clock: Clock): Promise<void> {
  try {
    await removeContainer(engine, containerName(spec.jobId, spec.stateDir));
  } catch (error) {
    // The engine is away. Without a handle the container is one that `removeLeftovers` ends.
    if (!(error instanceof LatentError)) throw error;
  }
  if (writer !== undefined) await endWriter(writer, clock);
  await emptyStateDir(spec.stateDir);
}

function startError(complaint: string): LatentError {
  const noShell = /\/bin\/sh.*no such file|no such file.*\/bin\/sh/i.test(complaint);
  const wrongArch = /exec format error/i.test(complaint);
  if (noShell || wrongArch) {
    return new LatentError('DRIVER_REFUSED', `The image cannot run a job: ${complaint}.`, {
      hint: noShell ? 'Take an image that has /bin/sh.' : 'Take an image that is made for the machine’s processor.',
    });
  }
  return new LatentError('DRIVER_FAILED', `The container engine could not start the job: ${complaint}.`);
}

function noPrivateNetwork(jobId: string): LatentError {
  return new LatentError('DRIVER_REFUSED', 'The driver docker cannot put a job into a private network.', {
    details: { jobId },
    hint: 'Take a machine whose driver is the sandbox. The engine would have to make the network’s namespace for it to be joined.',
  });
}
