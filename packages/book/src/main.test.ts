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
import { createPeer, dial, openChannel, openLink } from './peers/peer-bench.fixture.ts';
import { MAX_UNSAVED_BYTES } from './peers/relay-allowance.ts';
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

  it('knows what it has relayed, after it was killed in the middle of it', async () => {
    const relayFreeBytesPerKey = 1024 * 1024 * 1024;
    const config = await settings({ deployment, dataDir: join(folder, 'relay'), relayFreeBytesPerKey });
    const first = await run('--config', config);
    const bench = { book: { url: first.url ?? '' } };
    const [alice, bob] = [createPeer('alice'), createPeer('bob')];
    const from = await openLink(bench, alice);
    const to = await openLink(bench, bob);
    await openChannel(from, 1, { peer: bob, link: to });
    const payload = Buffer.alloc(64 * 1024);
    let relayed = 0;
    for (; relayed < 80 * 1024 * 1024; relayed += payload.byteLength) {
      from.relay(1, payload);
      await to.nextFrame();
    }
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await run('--config', config);
    const link = await dial({ book: { url: second.url ?? '' } });
    const signature = alice.signHello(second.url ?? '', link.challenge);
    link.send({ kind: 'hello', key: alice.key, signature, accepts: false });
    const welcome = await link.next();
    const left = welcome.kind === 'welcome' ? welcome.freeRelayBytes : Number.NaN;
    expect(left).toBeLessThanOrEqual(relayFreeBytesPerKey - relayed + MAX_UNSAVED_BYTES);
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
