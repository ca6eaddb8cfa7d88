import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, identifyProcess, isRunning, type ProcessIdentity, signalProcess } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { lastLines, tellingLine } from './last-lines.ts';
import { findFailedLine } from './program-lines.ts';

export interface Program {
  /** Names the process in messages, and its files in `logDir`: `<name>.out` and `<name>.log`. */
  readonly name: string;
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly logDir: string;
}

export interface StartProcessOptions<Ready> {
  /** Asked again and again until it gives something; `printed` is what the program has printed so far in this life. */
  readonly isReady: (printed: string) => Ready | undefined | Promise<Ready | undefined>;
  readonly readyWithinMs: number;
  /** Called before anything else can happen to the process, so that it can be written down. */
  readonly onSpawned: (identity: ProcessIdentity) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface StartedProcess<Ready> {
  readonly identity: ProcessIdentity;
  readonly ready: Ready;
}

const POLL_MS = 25;
const SHOWN_LINES = 40;

/**
 * Starts a program as a process of its own, in its own session, and waits until it is ready. It outlives the caller:
 * its standard output and error are files, and nobody waits for its end.
 * @throws LatentError DEVNET_FAILED, with what the program said or the last lines of its log, when it ends before it is ready
 * or takes longer than `readyWithinMs`; whatever the signal was aborted with. The process has been killed then.
 */
export async function startProcess<Ready>(
  program: Program,
  options: StartProcessOptions<Ready>,
): Promise<StartedProcess<Ready>> {
  options.signal.throwIfAborted();
  mkdirSync(program.logDir, { recursive: true, mode: 0o700 });
  const log = join(program.logDir, `${program.name}.log`);
  const files: ProcessFiles = {
    output: join(program.logDir, `${program.name}.out`),
    log,
    logged: statSync(log, { throwIfNoEntry: false })?.size ?? 0,
  };
  const { child, pid } = await spawnDetached(program, files);
  const identity = identifyProcess(pid);
  try {
    options.onSpawned(identity);
    return { identity, ready: await waitUntilReady({ program, files, child, identity }, options) };
  } catch (thrown) {
    signalProcess(identity, 'SIGKILL', { wholeGroup: true });
    throw thrown;
  }
}

interface ProcessFiles {
  readonly output: string;
  readonly log: string;
  /** Bytes of the log that are from earlier lives. */
  readonly logged: number;
}

async function spawnDetached({ name, file, argv, cwd }: Program, { output, log }: ProcessFiles) {
  const stdout = openSync(output, 'w', 0o600);
  const stderr = openSync(log, 'a', 0o600);
  try {
    const child = spawn(file, argv, { cwd, detached: true, stdio: ['ignore', stdout, stderr] });
    child.unref();
    if (child.pid !== undefined) return { child, pid: child.pid };
    const [cause] = await once(child, 'error');
    throw new LatentError('DEVNET_FAILED', `${name} cannot be started: ${cause}.`, { details: { file }, cause });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

interface Starting {
  readonly program: Program;
  readonly files: ProcessFiles;
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
}

async function waitUntilReady<Ready>(
  starting: Starting,
  { isReady, readyWithinMs, clock, signal }: StartProcessOptions<Ready>,
): Promise<Ready> {
  const { name } = starting.program;
  const deadline = clock.nowMs() + readyWithinMs;
  for (;;) {
    signal.throwIfAborted();
    const alive = isRunning(starting.identity);
    const printed = await readFile(starting.files.output, 'utf8');
    if (!alive)
      throw failed(starting, `${name} ended before it was ready (${await howItEnded(starting.child)})`, printed);
    const ready = await readiness(starting, isReady, printed);
    if (ready !== undefined) return ready;
    if (clock.nowMs() >= deadline) {
      throw failed(starting, `${name} was not ready within ${readyWithinMs / 1000} s`, printed);
    }
    await pause(clock, signal);
  }
}

async function readiness<Ready>(
  starting: Starting,
  isReady: StartProcessOptions<Ready>['isReady'],
  printed: string,
): Promise<Ready | undefined> {
  try {
    return await isReady(printed);
  } catch (cause) {
    throw failed(starting, `${starting.program.name} is ready in a way that is not understood`, printed, cause);
  }
}

/** The kernel knows that a process has ended before Node does. */
async function howItEnded(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    child.ref();
    await once(child, 'exit');
  }
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

function failed({ program, files }: Starting, what: string, printed: string, cause?: unknown): LatentError {
  const said = findFailedLine(printed);
  const lines = lastLines(files.log, SHOWN_LINES, files.logged);
  const why = said?.message ?? tellingLine(lines)?.slice(0, 500);
  return new LatentError('DEVNET_FAILED', why === undefined ? `${what}.` : `${what}: ${why}`, {
    hint: said?.hint ?? `Its log is ${files.log}`,
    details: { process: program.name, log: files.log, lines },
    cause: cause ?? said,
  });
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(POLL_MS, { signal });
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  }
}
