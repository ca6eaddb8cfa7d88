import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { endProcesses } from '../supervised/end-processes.ts';
import { isRunning, type ProcessId, readProcess, readProcesses } from '../supervised/process-table.ts';
import { shellQuote } from '../supervised/shell-quote.ts';
import { systemPath } from '../supervised/system-path.ts';
import type { DockerFiles } from './docker-job.ts';

/** Output of one job that is kept, in bytes; what follows is thrown away. */
const keepOutputBytes = 1 << 30;
const readyLimitMs = 10_000;
const endLimitMs = 20_000;

export interface StartedWriter {
  readonly id: ProcessId;
  /** To be called when its number is written down. */
  begin(): void;
}

/**
 * Starts what writes a job's output down, in a session of its own: it outlives the agent, and ends with the last process of the
 * job. An engine's own log would not do: it has no byte offsets, and drops what is old.
 *
 * The job gets the named pipe and not the file. It can neither cut the output short nor let it grow beyond the bound. Anybody may
 * write into the pipe, as the job is another user; the folder keeps strangers out. Until it is told to begin it ends with the agent, so that
 * none is left that nobody has written down.
 * @throws LatentError DRIVER_FAILED
 */
export async function startWriter(files: DockerFiles, jobId: string): Promise<StartedWriter> {
  const script = `trap : TERM HUP INT QUIT
mkfifo -m 0622 ${shellQuote(files.outputPipe)} || exit 1
echo ready
read -r go || exit 0
exec </dev/null >/dev/null
{
  dd bs=65536 count=${keepOutputBytes} iflag=count_bytes 2>/dev/null
  cat >/dev/null
} <${shellQuote(files.outputPipe)} >>${shellQuote(files.output)}
: >${shellQuote(files.outputEnd)}
`;
  const child = spawn('/bin/sh', ['-c', script, `latent-output-${jobId}`], {
    ...{ detached: true, cwd: '/', env: { PATH: systemPath } },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  try {
    const ready = await isReady(child);
    const found = child.pid === undefined ? undefined : await readProcess(child.pid);
    if (ready && found !== undefined) {
      return { id: { pid: found.pid, startTicks: found.startTicks }, begin: () => child.stdin.end('go\n') };
    }
    child.stdin.destroy();
    throw new LatentError('DRIVER_FAILED', 'What writes down the output of the job could not be started.', {
      hint: 'See that /bin/sh, mkfifo and dd are there, and that the agent’s folder is on a file system with named pipes.',
    });
  } finally {
    child.stdout.destroy();
    child.unref();
  }
}

async function isReady(child: ChildProcessByStdio<Writable, Readable, null>): Promise<boolean> {
  try {
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(readyLimitMs) });
    return true;
  } catch {
    return false;
  }
}

/** Ends a writer whose job is no more or never was. Fine where it has ended. */
export async function endWriter(writer: ProcessId, clock: Clock): Promise<void> {
  const list = async () => {
    // The session's number can only be another's once the first of it has ended; the rest then ends by itself.
    if (!(await isRunning(writer))) return [];
    return (await readProcesses()).filter((info) => info.session === writer.pid);
  };
  await endProcesses(list, { clock, limitMs: endLimitMs });
}
