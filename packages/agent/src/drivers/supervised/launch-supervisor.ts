import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import type { EnclosedCommand } from './enclosure.ts';
import type { JobFiles } from './job-files.ts';
import { closeInputs, openInputs } from './open-inputs.ts';
import { type ProcessId, readProcess } from './process-table.ts';

const startLimitMs = 30_000;
const complaintChars = 300;

export interface LaunchOptions {
  readonly files: JobFiles;
  readonly command: EnclosedCommand;
  readonly signal: AbortSignal;
  /** Awaited while the supervisor waits for its word to begin: the moment to write down that it exists. */
  readonly onKnown: (supervisor: ProcessId) => Promise<void>;
}

/**
 * Starts the supervisor in a session of its own and returns when the renter's script is about to run.
 * @throws LatentError DRIVER_FAILED, CANCELLED. What was started may still run then; `onKnown` has said what it is.
 */
export async function launchSupervisor(options: LaunchOptions): Promise<void> {
  const { files, command } = options;
  await writeFile(files.output, '', { mode: 0o600 });
  const log = await open(files.supervisorLog, 'a', 0o600);
  try {
    const inputs = await openInputs(command.inputs);
    try {
      const child = spawn('/bin/sh', [files.supervisor, ...command.argv], {
        detached: true,
        cwd: '/',
        env: { ...command.env },
        stdio: ['pipe', log.fd, log.fd, 'pipe', ...inputs.map((input) => input.fd)],
      });
      await begin(child, options);
    } finally {
      await closeInputs(inputs);
    }
  } finally {
    await log.close();
  }
}

async function begin(child: ChildProcess, options: LaunchOptions): Promise<void> {
  const deadline = AbortSignal.timeout(startLimitMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  const [go, , , report] = child.stdio;
  if (!isWritable(go) || !isReadable(report)) throw await failure(child, options);
  // Its end is seen on the report pipe; a failed spawn is seen by the missing pid.
  child.on('error', () => undefined);
  go.on('error', () => undefined);
  child.unref();
  try {
    const supervisor = child.pid === undefined ? undefined : await readProcess(child.pid);
    if (supervisor === undefined) throw await failure(child, options);
    await options.onKnown({ pid: supervisor.pid, startTicks: supervisor.startTicks });
    if (signal.aborted) throw cancelled(signal);
    go.end('go\n');
    if (!(await reportsStart(report, signal))) throw await failure(child, options);
  } catch (error) {
    if (options.signal.aborted) throw cancelled(options.signal);
    if (!deadline.aborted) throw error;
    throw new LatentError('DRIVER_FAILED', `The job has not started within ${startLimitMs / 1000} s.`, {
      cause: error,
    });
  } finally {
    go.destroy();
    report.destroy();
  }
}

async function reportsStart(report: Readable, signal: AbortSignal): Promise<boolean> {
  const stop = () => report.destroy(cancelled(signal));
  signal.addEventListener('abort', stop, { once: true });
  try {
    let seen = '';
    for await (const chunk of report) {
      seen += String(chunk);
      if (seen.includes('started\n')) return true;
    }
    return false;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function failure(child: ChildProcess, { files }: LaunchOptions): Promise<LatentError> {
  const texts = await Promise.all([files.supervisorLog, files.output].map((path) => readFile(path, 'latin1')));
  const complaint = texts
    .join('')
    .replaceAll(/[^ -~]+/g, ' ')
    .trim()
    .slice(-complaintChars);
  return new LatentError('DRIVER_FAILED', `The job could not be started: ${complaint || 'no complaint was left'}.`, {
    details: { pid: child.pid ?? null },
  });
}

type Stdio = ChildProcess['stdio'][number] | undefined;
function isWritable(stream: Stdio): stream is Writable {
  return stream !== null && stream !== undefined && 'end' in stream;
}
function isReadable(stream: Stdio): stream is Readable {
  return stream !== null && stream !== undefined && 'read' in stream;
}
