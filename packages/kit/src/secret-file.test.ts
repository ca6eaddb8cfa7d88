import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateSecret, SecretFileError } from './secret-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-'));
  path = join(folder, 'keys', 'a.key');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function noRandomness(): Uint8Array {
  return expect.unreachable('a second secret was made');
}

test('a secret is made once, for its owner alone, and loaded from then on', async () => {
  const made = await loadOrCreateSecret(path, 32, randomBytes);
  expect(made).toHaveLength(32);
  expect(await loadOrCreateSecret(path, 32, noRandomness)).toEqual(made);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'keys'))).toEqual(['a.key']);
});

test('all who find none at once get the same', async () => {
  const secrets = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateSecret(path, 32, randomBytes)));
  expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
  expect(readdirSync(join(folder, 'keys'))).toEqual(['a.key']);
});

test.each([0o640, 0o604, 0o660, 0o601])('a file of mode %o is refused, and left as it is', async (mode) => {
  await loadOrCreateSecret(path, 32, randomBytes);
  chmodSync(path, mode);
  const error = await loadOrCreateSecret(path, 32, noRandomness).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SecretFileError);
  expect(String(error)).toContain(`mode ${mode.toString(8).padStart(4, '0')}`);
  expect(statSync(path).mode & 0o777).toBe(mode);
});

test('a file of another length is refused', async () => {
  await loadOrCreateSecret(path, 16, randomBytes);
  await expect(loadOrCreateSecret(path, 32, noRandomness)).rejects.toThrow('16 bytes instead of 32');
});

test('a link is not followed', async () => {
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, randomBytes(32), { mode: 0o600 });
  const linked = join(folder, 'linked.key');
  symlinkSync(elsewhere, linked);
  await expect(loadOrCreateSecret(linked, 32, noRandomness)).rejects.toBeInstanceOf(SecretFileError);
});

test('a folder that cannot be written is an error that names the path', async () => {
  writeFileSync(join(folder, 'keys'), 'a file is in the way');
  await expect(loadOrCreateSecret(path, 32, randomBytes)).rejects.toThrow(path);
  expect(existsSync(path)).toBe(false);
});
