import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { probeSandbox } from './probe-sandbox.ts';

const signal = () => AbortSignal.timeout(30_000);

describe('probeSandbox', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latent-probe-'));
    await chmod(folder, 0o755);
    for (const name of ['nsenter', 'unshare', 'setpriv']) await copyFile(`/usr/bin/${name}`, join(folder, name));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const program = (name: string, script: string) =>
    writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  test('says how to get bubblewrap where it is missing', async () => {
    expect(await probeSandbox({ signal: signal(), path: folder })).toEqual({
      usable: false,
      reason: 'bubblewrap is not installed',
      remedy: 'apt install bubblewrap',
    });
  });

  test('says which other program is missing', async () => {
    await program('bwrap', 'exit 0');
    await rm(join(folder, 'nsenter'));
    const answer = await probeSandbox({ signal: signal(), path: folder });
    expect(answer).toMatchObject({ usable: false, reason: 'the program nsenter is not installed' });
  });

  test('passes on why a trial sandbox failed, and never throws', async () => {
    await program('bwrap', 'echo "bwrap: No permissions to create a new namespace" >&2; exit 1');
    const answer = await probeSandbox({ signal: signal(), path: folder });
    expect(answer).toMatchObject({ usable: false, reason: expect.stringContaining('No permissions to create') });
    expect(answer).toMatchObject({ remedy: expect.stringMatching(/bwrap|sysctl/) });
  });

  test('gives up when it is told to', async () => {
    await program('bwrap', 'exec sleep 600');
    const answer = await probeSandbox({ signal: AbortSignal.abort(), path: folder });
    expect(answer).toMatchObject({ usable: false });
  });
});
