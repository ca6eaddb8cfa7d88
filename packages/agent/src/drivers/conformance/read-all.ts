import type { Driver, ExecCommand, JobExit, JobHandle } from '../driver.ts';

const limitMs = 30_000;

export async function readAll(driver: Driver, handle: JobHandle, offset = 0): Promise<string> {
  const bytes: Uint8Array[] = [];
  const signal = AbortSignal.timeout(limitMs);
  for await (const chunk of driver.output(handle, { follow: true, offset, signal })) bytes.push(chunk.bytes);
  return Buffer.concat(bytes).toString();
}

/** Follows the output until the text is in it; returns what was read. */
export async function readUntil(driver: Driver, handle: JobHandle, text: string): Promise<string> {
  let seen = '';
  const signal = AbortSignal.timeout(limitMs);
  for await (const chunk of driver.output(handle, { follow: true, offset: 0, signal })) {
    seen += Buffer.from(chunk.bytes).toString();
    if (seen.includes(text)) return seen;
  }
  throw new Error(`The job ended without ${JSON.stringify(text)} in its output: ${JSON.stringify(seen)}`);
}

export interface ExecResult {
  readonly exit: JobExit;
  readonly stdout: string;
  readonly stderr: string;
}

export async function execAll(
  driver: Driver,
  handle: JobHandle,
  command: ExecCommand,
  stdin: readonly string[] = [],
): Promise<ExecResult> {
  const texts = { stdout: '', stderr: '' };
  const exit = await driver.exec(handle, command, {
    signal: AbortSignal.timeout(limitMs),
    stdin: (async function* () {
      for (const text of stdin) yield Buffer.from(text);
    })(),
    onOutput: async ({ stream, bytes }) => {
      texts[stream] += Buffer.from(bytes).toString();
    },
  });
  return { exit, ...texts };
}
