import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import type { ExecOptions, JobExit } from '../driver.ts';
import type { EnclosedCommand } from './enclosure.ts';
import { endProcesses } from './end-processes.ts';
import { closeInputs, openInputs } from './open-inputs.ts';
import { descendantsOf, readProcesses } from './process-table.ts';

/** How long output may follow after the command's end: something it left behind may hold the pipes open for ever. */
const drainMs = 1_000;
const killLimitMs = 20_000;

type Command = ChildProcessByStdio<Writable, Readable, Readable>;

/** Runs a command with its streams. @throws LatentError CANCELLED (it is ended then), DRIVER_FAILED. */
export async function runCommand(command: EnclosedCommand, options: ExecOptions, clock: Clock): Promise<JobExit> {
  if (options.signal.aborted) throw cancelled(options.signal);
  const inputs = await openInputs(command.inputs);
  try {
    const [file = '/bin/sh', ...args] = command.argv;
    const stdio = ['pipe', 'pipe', 'pipe', 'ignore', ...inputs.map((input) => input.fd)] as const;
    const child = spawn(file, args, { detached: true, cwd: '/', env: { ...command.env }, stdio: [...stdio] });
    if (!isCommand(child)) throw new LatentError('DRIVER_FAILED', 'The command has no pipes.');
    return await attend(child, options, clock);
  } finally {
    await closeInputs(inputs);
  }
}

async function attend(child: Command, options: ExecOptions, clock: Clock): Promise<JobExit> {
  const over = new AbortController();
  const exit = once(child, 'exit');
  const reading = Promise.all([
    passOn(child.stdout, 'stdout', options, over),
    passOn(child.stderr, 'stderr', options, over),
  ]);
  void feed(child, options, over);
  const stop = () => over.abort(cancelled(options.signal));
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    await unlessOver(exit, over.signal);
    await unlessOver(Promise.race([reading, clock.sleep(drainMs, { signal: over.signal })]), over.signal);
    return exitOf(child);
  } catch (error) {
    await endTree(child, clock);
    if (error instanceof LatentError) throw error;
    throw new LatentError('DRIVER_FAILED', 'The command could not be run.', { cause: error });
  } finally {
    options.signal.removeEventListener('abort', stop);
    over.abort();
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

/** An error of the caller's own sink ends the command. */
async function passOn(
  from: Readable,
  stream: 'stdout' | 'stderr',
  options: ExecOptions,
  over: AbortController,
): Promise<void> {
  try {
    for await (const bytes of from) await options.onOutput({ stream, bytes });
  } catch (error) {
    over.abort(error);
  }
}

/** A command that ends, or closes its stdin, before all was written is no error. */
async function feed(child: Command, options: ExecOptions, over: AbortController): Promise<void> {
  const { stdin } = child;
  stdin.on('error', () => stdin.destroy());
  const source = options.stdin[Symbol.asyncIterator]();
  try {
    while (!stdin.destroyed) {
      const next = await unlessOver(source.next(), over.signal);
      if (next.done === true) break;
      if (!stdin.write(next.value)) await unlessOver(drained(stdin), over.signal);
    }
    stdin.end();
  } catch (error) {
    over.abort(error);
  } finally {
    // Not awaited: a source that waits for its next bytes only answers after them.
    source.return?.().catch(() => undefined);
  }
}

async function drained(stdin: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stdin.once('drain', resolve).once('close', resolve);
  await promise;
  stdin.off('drain', resolve).off('close', resolve);
}

async function unlessOver<T>(work: Promise<T>, over: AbortSignal): Promise<T> {
  over.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(over.reason);
  over.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    over.removeEventListener('abort', stop);
  }
}

function exitOf(child: Command): JobExit {
  if (child.exitCode !== null) return { code: child.exitCode };
  return { code: child.signalCode === null ? -1 : 128 + constants.signals[child.signalCode] };
}

async function endTree(child: Command, clock: Clock): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const isOwn = () => child.exitCode === null && child.signalCode === null;
  const list = async () => {
    const all = await readProcesses();
    return [...all.filter((info) => info.pid === pid && isOwn()), ...descendantsOf(pid, all)];
  };
  // Seen once, before the first dies: orphans lose the trace to their parent.
  const found = await list();
  const pids = new Set(found.map((info) => `${info.pid}/${info.startTicks}`));
  const left = async () => (await readProcesses()).filter((info) => pids.has(`${info.pid}/${info.startTicks}`));
  await endProcesses(left, { clock, limitMs: killLimitMs });
}

function isCommand(child: { stdin: unknown; stdout: unknown; stderr: unknown }): child is Command {
  return child.stdin !== null && child.stdout !== null && child.stderr !== null;
}
