import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StartMethod } from './start-methods.ts';

/** Milliseconds after the call. */
export interface StartTimes {
  /** `start` has returned. */
  readonly returned: number;
  /** The first byte that the script wrote was read. */
  readonly firstByte: number;
  /** The script has ended, and who started it knows. */
  readonly ended: number;
}

const PIPE = 'first-byte';
const SCRIPT = `echo x > ${PIPE}\n`;

/**
 * Starts a script that writes one byte into a named pipe in its folder. The pipe is read here, not through the method, so
 * that what is timed is when the script runs and not when somebody looks at its output.
 * @param folder not there yet; removed again
 */
export async function timeStart(method: StartMethod, folder: string, signal: AbortSignal): Promise<StartTimes> {
  await mkdir(folder, { mode: 0o755 });
  const pipe = join(folder, PIPE);
  await promisify(execFile)('mkfifo', [pipe]);
  await chmod(pipe, 0o666);
  // Without blocking: else the open would wait for the writer. The socket closes it.
  const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  try {
    const read = once(socket, 'data', { signal }).then(() => performance.now());
    read.catch(() => undefined);
    const before = performance.now();
    const started = await method.start(folder, SCRIPT, signal);
    const returned = performance.now();
    try {
      await started.ended;
      const ended = performance.now();
      return { returned: returned - before, firstByte: (await read) - before, ended: ended - before };
    } finally {
      await started.clear();
    }
  } finally {
    await closed(socket);
    await rm(folder, { recursive: true, force: true });
  }
}

async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const over = once(socket, 'close');
  socket.destroy();
  await over;
}
