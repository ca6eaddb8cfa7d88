import type { Socket } from 'node:net';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import type { ExecCommand, ExecOptions, JobExit } from '../driver.ts';
import { containerWorkdir } from './container-config.ts';
import type { DockerJob } from './docker-job.ts';
import { createExec, execExit, startDetached } from './engine/exec-answers.ts';
import type { Engine } from './engine/open-engine.ts';
import { openExecStream } from './engine/open-exec-stream.ts';
import { readFrames } from './engine/read-frames.ts';

/** How often it is looked whether a command has ended whose streams something it left behind holds open. */
const lookAgainMs = 1_000;
/** How long output may follow after its end then. */
const drainMs = 1_000;
/** How long a command that was to be ended may take to say which it is. */
const pidLimitMs = 5_000;
const maxPidChars = 12;

/** The number of the command, as its first line on stderr, before it begins: an engine cannot end a command, only we inside can. */
const announce = 'echo "$$" >&2; exec "$@"';

/**
 * Runs a command in the container of a job, as its user, with no more rights.
 * @throws LatentError CANCELLED (it is ended then, with what it started and did not detach), MEMBER_NOT_STARTED, DRIVER_FAILED,
 * DRIVER_UNAVAILABLE
 */
export async function runInContainer(
  job: DockerJob,
  engine: Engine,
  command: ExecCommand,
  options: ExecOptions & { readonly clock: Clock },
): Promise<JobExit> {
  const { signal, clock } = options;
  if (signal.aborted) throw cancelled(signal);
  const exec = await createExec(engine, job.container, {
    argv: ['/bin/sh', '-c', announce, 'sh', ...command.argv],
    ...{ env: command.env, user: job.user, workdir: containerWorkdir, attached: true },
  });
  const socket = await openExecStream(engine, exec);
  const over = new AbortController();
  const stop = () => over.abort(cancelled(signal));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const pid = Promise.withResolvers<string>();
  pid.promise.catch(() => undefined);
  const reading = passOn(socket, options, pid, over);
  void feed(socket, options, over);
  try {
    await unlessOver(Promise.race([reading, hasEnded(engine, exec, clock, over.signal)]), over.signal);
    return { code: await exitOf(engine, exec, clock, over.signal) };
  } catch (error) {
    await endCommand(job, engine, pid.promise, clock);
    if (error instanceof LatentError) throw error;
    throw new LatentError('DRIVER_FAILED', 'The command could not be run.', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort();
    socket.destroy();
  }
}

/** An error of the caller's own sink ends the command. */
async function passOn(
  socket: Socket,
  options: ExecOptions,
  pid: PromiseWithResolvers<string>,
  over: AbortController,
): Promise<void> {
  let line: string | undefined = '';
  try {
    for await (const { stream, bytes } of readFrames(socket)) {
      let rest = bytes;
      if (stream === 'stderr' && line !== undefined) {
        const end = Buffer.from(bytes).indexOf('\n');
        line += Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('latin1');
        if (line.length > maxPidChars) throw new LatentError('DRIVER_FAILED', 'The command did not begin.');
        if (end < 0) continue;
        pid.resolve(line);
        line = undefined;
        rest = bytes.subarray(end + 1);
      }
      if (rest.length > 0) await options.onOutput({ stream, bytes: rest });
    }
    pid.reject(new LatentError('DRIVER_FAILED', 'The command ended before it began.'));
  } catch (error) {
    pid.reject(error);
    over.abort(error);
  }
}

/** A command that ends, or closes its stdin, before all was written is no error. */
async function feed(socket: Socket, options: ExecOptions, over: AbortController): Promise<void> {
  const source = options.stdin[Symbol.asyncIterator]();
  try {
    while (socket.writable) {
      const next = await unlessOver(source.next(), over.signal);
      if (next.done === true) break;
      if (next.value.length > 0 && !socket.write(next.value)) await unlessOver(drained(socket), over.signal);
    }
    socket.end();
  } catch (error) {
    over.abort(error);
  } finally {
    // Not awaited: a source that waits for its next bytes only answers after them.
    source.return?.().catch(() => undefined);
  }
}

async function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('drain', resolve).once('close', resolve);
  await promise;
  socket.off('drain', resolve).off('close', resolve);
}

/** Resolves some time after the command itself has ended, whoever holds its streams. */
async function hasEnded(engine: Engine, exec: string, clock: Clock, signal: AbortSignal): Promise<void> {
  do await clock.sleep(lookAgainMs, { signal });
  while ((await execExit(engine, exec)) === undefined);
  await clock.sleep(drainMs, { signal });
}

/** Its streams may be closed a moment before the engine knows of its end, or long before, by itself. */
async function exitOf(engine: Engine, exec: string, clock: Clock, signal: AbortSignal): Promise<number> {
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, lookAgainMs)) {
    const code = await execExit(engine, exec);
    if (code !== undefined) return code;
    await unlessOver(clock.sleep(pauseMs, { signal }), signal);
  }
}

async function unlessOver<T>(work: Promise<T>, over: AbortSignal): Promise<T> {
  over.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(over.reason);
  over.addEventListener('abort', stop, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    over.removeEventListener('abort', stop);
  }
}

/** Kills the command's process group from inside, by a command that needs none. Fine where it has ended. */
async function endCommand(job: DockerJob, engine: Engine, pid: Promise<string>, clock: Clock): Promise<void> {
  try {
    const number = await Promise.race([pid, clock.sleep(pidLimitMs)]);
    if (number === undefined || !/^\d+$/.test(number)) return;
    const script = `kill -KILL -${number}; kill -KILL ${number}`;
    const exec = await createExec(engine, job.container, {
      argv: ['/bin/sh', '-c', script],
      ...{ env: {}, user: job.user, workdir: '/', attached: false },
    });
    await startDetached(engine, exec);
  } catch (error) {
    // The container has ended, and the command with it; or the engine is away, which the caller's error says already.
    if (!(error instanceof LatentError)) throw error;
  }
}
