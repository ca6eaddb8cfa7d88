import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bookStatusSchema } from '@latent/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAgent, deployment } from './book-bench.fixture.ts';
import { toJson } from './to-json.ts';

const main = join(import.meta.dirname, 'main.ts');
const lineSchema = z.object({
  event: z.string(),
  url: z.url().optional(),
  error: z.object({ code: z.string() }).optional(),
});

let folder: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'book-main-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Starts the program and reads the one line it prints. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const [line] = z.tuple([z.string()]).parse(await once(createInterface(child.stdout), 'line'));
  return { child, ...lineSchema.parse(JSON.parse(line)) };
}

async function settings(content: unknown): Promise<string> {
  const path = join(folder, 'book.json');
  await writeFile(path, toJson(content));
  return path;
}

const asksAt = async (url = '') => bookStatusSchema.parse(await (await fetch(new URL('/v1/status', url))).json()).asks;

describe('the book as a program', () => {
  it('has every ask that it took, after it was killed, and ends when it is told to', async () => {
    const config = await settings({ deployment, dataDir: join(folder, 'data') });
    const first = await run('--config', config);
    const validUntil = Math.floor(Date.now() / 1_000) + 3_600;
    for (let salt = 1n; salt <= 5n; salt += 1n) {
      const body = toJson(await createAgent('a').ask({ salt, validUntil }));
      const { status } = await fetch(new URL('/v1/asks', first.url), { method: 'POST', body });
      // No chain answers at the deployment's endpoint.
      expect(status).toBe(202);
    }
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await run('--config', config);
    expect(await asksAt(second.url)).toBe(5);
    second.child.kill('SIGTERM');
    expect(await once(second.child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['no settings', async () => []],
    ['a setting that is none', async () => ['--config', await settings({ deployment, dataDir: folder, prot: 1 })]],
    [
      'an address that is not here',
      async () => ['--config', await settings({ deployment, dataDir: folder, address: '192.0.2.1' })],
    ],
    ['a file that is not there', async () => ['--config', join(folder, 'missing.json')]],
    ['an unknown flag', async () => ['--colour']],
  ])('says in one line that it cannot start with %s', async (_, args) => {
    const { child, event, error } = await run(...(await args()));
    expect({ event, code: error?.code }).toEqual({ event: 'failed', code: 'CONFIG_INVALID' });
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(1);
  });
});
