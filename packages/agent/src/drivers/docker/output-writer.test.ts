import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { systemClock } from '@latent/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { isRunning } from '../supervised/process-table.ts';
import { dockerFiles } from './docker-job.ts';
import { endWriter, startWriter } from './output-writer.ts';

const turn = () => new Promise(setImmediate);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latent-writer-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('writes down what comes from one end of the job to the other, and says when it has ended', async () => {
  const files = dockerFiles(folder);
  const { id, begin } = await startWriter(files, 'job');
  begin();
  await promisify(execFile)('/bin/sh', [
    '-c',
    `exec 9>${files.outputPipe}; echo one >&9; echo two >${files.outputPipe}`,
  ]);
  while (await isRunning(id)) await turn();
  expect(await readFile(files.output, 'utf8')).toBe('one\ntwo\n');
  expect((await stat(files.outputEnd)).size).toBe(0);
  expect((await stat(files.outputPipe)).mode & 0o777).toBe(0o622);
});

test('is ended while nothing has been written yet', async () => {
  const { id, begin } = await startWriter(dockerFiles(folder), 'job');
  begin();
  await endWriter(id, systemClock);
  expect(await isRunning(id)).toBe(false);
});

test('ends with an agent that is killed before it has told it to begin', async () => {
  const module = new URL('./output-writer.ts', import.meta.url).href;
  const files = new URL('./docker-job.ts', import.meta.url).href;
  const program = join(folder, 'start.mjs');
  await writeFile(
    program,
    `import { startWriter } from ${JSON.stringify(module)};
    import { dockerFiles } from ${JSON.stringify(files)};
    console.log(JSON.stringify((await startWriter(dockerFiles(${JSON.stringify(folder)}), 'job')).id));
    setInterval(() => undefined, 60_000);`,
  );
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const id = z.object({ pid: z.int(), startTicks: z.int() }).parse(JSON.parse(String(line)));
  expect(await isRunning(id)).toBe(true);
  child.kill('SIGKILL');
  await ended;
  while (await isRunning(id)) await turn();
});
