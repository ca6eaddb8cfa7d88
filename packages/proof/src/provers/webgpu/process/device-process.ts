import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { LatentError, toLatentError } from '@latent/protocol';
import type { z } from 'zod';
import { type News, newsSchema, type Order, type Request } from './messages.ts';

/** How long a process may take to give its device back before it is ended. */
const CLOSE_MS = 5_000;

/** Of what drivers write to the error stream, so much of the end is kept. */
const STDERR_BYTES = 4_000;

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A process of its own that has a device. */
export interface DeviceProcess {
  /**
   * @param result what the call answers with, of `resultSchemas`
   * @throws LatentError as the device's process told it; `DEVICE_LOST` if that process ended
   */
  readonly call: <T>(request: Request, result: z.ZodType<T>, options?: CallOptions) => Promise<T>;
  readonly close: () => Promise<void>;
}

interface Pending {
  readonly settle: (news: News) => void;
  readonly fail: (error: LatentError) => void;
}

/**
 * Starts a process for a device: a driver that fails takes that process down and not this one, and a driver can be chosen
 * by its environment. The process ends with this one, and does not keep this one from ending while no call is open.
 * @param environment variables in addition to those of this process
 */
export function startDeviceProcess(environment: Readonly<Record<string, string>> = {}): DeviceProcess {
  const child = fork(new URL('./main.ts', import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    // biome-ignore lint/style/noProcessEnv: drivers find their files by variables that are none of our settings
    env: { ...process.env, ...environment },
  });
  const pending = new Map<number, Pending>();
  const stderr = keepTail(child);
  let nextId = 0;
  let ended: LatentError | undefined;

  const end = (error: LatentError) => {
    ended ??= error;
    for (const { fail } of pending.values()) fail(ended);
    pending.clear();
  };
  child.on('message', (message) => {
    const news = newsSchema.parse(message);
    pending.get(news.id)?.settle(news);
  });
  child.on('error', (cause) => end(endedBadly('could not be started or reached', cause)));
  // Not `exit`, which may come before the last words.
  child.on('close', (code, signal) => {
    end(endedBadly(`ended with ${signal ?? `exit code ${code}`}`, new Error(stderr() || 'nothing was said')));
  });
  holdOpen(child, false);

  const send = (order: Order) => {
    if (child.connected) child.send(order);
  };

  async function call<T>(request: Request, result: z.ZodType<T>, { signal, onProgress }: CallOptions = {}): Promise<T> {
    if (ended !== undefined) throw ended;
    if (signal?.aborted) throw toLatentError(signal.reason);
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    pending.set(id, {
      settle: (news) => {
        if ('progress' in news) onProgress?.(news.progress);
        else if ('error' in news) reject(withCauses(news.error, news.causes));
        else resolve(news.result);
      },
      fail: reject,
    });
    const cancel = () => send({ cancel: id });
    signal?.addEventListener('abort', cancel);
    holdOpen(child, true);
    try {
      send({ id, request });
      return result.parse(await promise);
    } catch (error) {
      if (signal?.aborted && toLatentError(error).code === 'CANCELLED') throw toLatentError(signal.reason);
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      pending.delete(id);
      if (pending.size === 0) holdOpen(child, false);
    }
  }

  async function close(): Promise<void> {
    end(new LatentError('CANCELLED', 'The engine was closed.'));
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    holdOpen(child, true);
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
    await exited;
    clearTimeout(timer);
  }

  return { call, close };
}

/** Whether this process waits for the other one before it ends. */
function holdOpen(child: ChildProcess, hold: boolean): void {
  const handles = [child, child.channel, child.stderr instanceof Socket ? child.stderr : undefined];
  for (const handle of handles) {
    if (hold) handle?.ref();
    else handle?.unref();
  }
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_BYTES);
  });
  return () => tail.trim();
}

function endedBadly(how: string, cause: Error): LatentError {
  return new LatentError('DEVICE_LOST', `The process that runs the device ${how}.`, {
    hint: 'Most often the device’s driver failed: update it, and look into the system’s log.',
    cause,
  });
}

/** The error that the process told, the texts of its causes below it. */
function withCauses(body: Parameters<typeof LatentError.fromBody>[0], causes: readonly string[]): LatentError {
  const cause = causes.reduceRight<Error | undefined>(
    (inner, text) => new Error(text, inner === undefined ? undefined : { cause: inner }),
    undefined,
  );
  const told = LatentError.fromBody(body);
  return new LatentError(told.code, told.message, {
    retry: told.retry,
    details: told.details,
    ...(told.hint === undefined ? {} : { hint: told.hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
