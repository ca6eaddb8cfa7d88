import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../network/own-processes.ts';
import { findMissing } from './find-missing.ts';
import { openLab } from './lab.ts';

const missing = await findMissing();
const CRASHING = fileURLToPath(new URL('./crashing-lab-process.ts', import.meta.url));

/** The namespaces that a process has made. */
const namespacesOf = (pid: number | undefined) =>
  readdirSync('/run/netns').filter((name) => name.startsWith(`latent-${pid}-`));

/** A test that has a lab and a process in it, and that can be killed. */
function startCrashing() {
  const child = spawn(process.execPath, [CRASHING], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const firstLine = async () => {
    for await (const line of createInterface(child.stdout)) return Number(line);
    throw new Error('ended without a line');
  };
  return {
    pid: child.pid,
    process: firstLine(),
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

describe.skipIf(missing !== undefined)(
  `processes of a lab${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('say what they print line by line, hear what is said to them, and end with a code or a signal', async () => {
      await using lab = await openLab({ home: 'cone' });
      const script = 'echo "$WORD one"; echo two >&2; read word; echo "heard $word"; exit 3';
      const child = lab.run('home', 'sh', ['-c', script], { env: { WORD: 'number' } });
      const heard = child.line(/^heard (.*)$/);
      expect((await lab.run('home', 'sh', ['-c', 'cat; echo end'], {}).end('SIGKILL')).signal).toBe('SIGKILL');
      child.say('a word');
      expect((await heard)[1]).toBe('a word');
      expect(await child.ended).toEqual({ code: 3, signal: null });
      expect(child.printed().split('\n').sort()).toEqual(['', 'heard a word', 'number one', 'two']);
      await expect(child.line(/^number/)).rejects.toThrow('ended without the line');
    });

    test('are the program itself, in the repository’s root, and run TypeScript', async () => {
      await using lab = await openLab({ home: 'cone' });
      const script = 'const own: number = process.pid; console.log(own, process.cwd());';
      const child = lab.run('home', process.execPath, ['--input-type=module-typescript', '-e', script]);
      const [, pid, folder] = await child.line(/^(\d+) (.*)$/);
      expect(Number(pid)).toBe(child.pid);
      expect(folder).toBe(fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, ''));
    });

    test('end with the lab, with all that they have started, and so do its namespaces', async () => {
      const lab = await openLab({ home: { kind: 'double', uplink: { seed: 1 } } });
      const child = lab.run('home', 'sh', ['-c', "trap '' TERM; setsid sh -c 'echo $$; sleep 1000' & wait"]);
      const [grandchild] = await child.line(/^\d+$/);
      expect(isAlive(Number(grandchild))).toBe(true);
      await lab[Symbol.asyncDispose]();
      expect(isAlive(Number(grandchild))).toBe(false);
      expect((await child.ended).signal).toBe('SIGKILL');
      expect(namespacesOf(process.pid)).toEqual([]);
    });

    test('of a test that was killed are gone when the next lab is open; those of one that lives are not', async () => {
      const [killed, living] = [startCrashing(), startCrashing()];
      try {
        const [orphan, other] = [await killed.process, await living.process];
        await killed.kill();
        expect(isAlive(orphan)).toBe(true);
        await using lab = await openLab({ home: 'open' });
        expect(isAlive(orphan)).toBe(false);
        expect(namespacesOf(killed.pid)).toEqual([]);
        expect(isAlive(other)).toBe(true);
        expect(namespacesOf(living.pid)).toHaveLength(3);
        expect(lab.addressOf('home')).toMatch(/^203\.0\.113\./);
      } finally {
        await killed.kill();
        await living.kill();
        await using _ = await openLab({});
      }
      expect(namespacesOf(living.pid)).toEqual([]);
    });

    test('cannot be where a lab cannot be opened, of which nothing is left', async () => {
      const home = { kind: 'cone', uplink: { seed: -1 } } as const;
      await expect(openLab({ book: 'public', home })).rejects.toThrow('seed');
      await expect(openLab({ Home: 'cone' })).rejects.toThrow('a place cannot be called "Home"');
      await expect(openLab({ home: 'open', other: { inHomeOf: 'home' } })).rejects.toThrow('no place behind a router');
      expect(namespacesOf(process.pid)).toEqual([]);
    });
  },
);
