import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyProcess, systemClock } from '@latent/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withDevnetLock } from './devnet-lock.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'latent-lock-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const lock = <T>(work: () => Promise<T>) => withDevnetLock(dataDir, systemClock, work);

test('lets one at a time work within one process, and leaves nothing behind', async () => {
  let inside = 0;
  const work = async () => {
    inside += 1;
    expect(inside).toBe(1);
    await systemClock.sleep(1);
    inside -= 1;
    return 'done';
  };
  expect(await Promise.all([lock(work), lock(work), lock(work)])).toEqual(['done', 'done', 'done']);
  expect(readdirSync(dataDir)).toEqual([]);
});

test('is given back when the work fails', async () => {
  const failing = lock(async () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await lock(async () => 'again')).toBe('again');
});

test('refuses while another process that is alive holds it', async () => {
  const path = join(dataDir, 'devnet.lock');
  writeFileSync(path, JSON.stringify(identifyProcess(process.ppid)));
  await expect(lock(async () => 'never')).rejects.toMatchObject({
    code: 'DEVNET_RUNNING',
    details: { pid: process.ppid },
  });
  expect(existsSync(path)).toBe(true);
});

test('takes over from a process that has ended, also when another one has its pid now', async () => {
  const path = join(dataDir, 'devnet.lock');
  writeFileSync(path, JSON.stringify({ pid: process.ppid, birth: 'another-boot/1' }));
  expect(await lock(async () => 'mine')).toBe('mine');
  expect(readdirSync(dataDir)).toEqual([]);
});
