import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { saveProof } from './save-proof.ts';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-save-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const noSpace = () =>
  Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));

/** A disk that has room for ten characters. */
async function openOnFullDisk(path: string, flags: 'wx') {
  const file = await open(path, flags);
  return {
    writeFile: async (text: unknown) => {
      await file.writeFile(String(text).slice(0, 10));
      return noSpace();
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** A disk that tells only at the end that it has no room. */
async function openOnLazyDisk(path: string, flags: 'wx') {
  const file = await open(path, flags);
  return { writeFile: (text: unknown) => file.writeFile(String(text)), sync: noSpace, close: () => file.close() };
}

describe('saveProof', () => {
  it('writes the whole text to a new file', async () => {
    const path = join(await newFolder(), 'proof.json');
    await saveProof(path, 'a proof');
    expect(await readFile(path, 'utf8')).toBe('a proof');
  });

  it('never writes over a file, and leaves it as it is', async () => {
    const path = join(await newFolder(), 'proof.json');
    await writeFile(path, 'mine');
    await expect(saveProof(path, 'a proof')).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', message: expect.stringContaining('is there already') },
      cause: { code: 'EEXIST' },
    });
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it.each([
    ['is full', openOnFullDisk],
    ['turns out to be full at the end', openOnLazyDisk],
  ])('leaves no part of a proof on a disk that %s, and says why', async (_, openNew) => {
    const folder = await newFolder();
    await expect(saveProof(join(folder, 'proof.json'), 'a long, long proof', openNew)).rejects.toMatchObject({
      ...{
        code: 'STORE_FAILED',
        message: expect.stringMatching(/proof.json cannot be written: ENOSPC: no space left on device\.$/),
      },
      cause: { code: 'ENOSPC' },
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('says that a folder is not there, instead of that a file is', async () => {
    const path = join(await newFolder(), 'nowhere', 'proof.json');
    await expect(saveProof(path, 'a proof')).rejects.toMatchObject({ code: 'STORE_FAILED', cause: { code: 'ENOENT' } });
  });

  it('says so if a part of a proof could not be removed', async () => {
    const folder = await newFolder();
    const openAndBlock = async (path: string, flags: 'wx') => {
      const file = await openOnFullDisk(path, flags);
      const close = async () => {
        await file.close();
        await rm(path);
        await mkdir(path);
      };
      return { ...file, close };
    };
    await expect(saveProof(join(folder, 'proof.json'), 'a proof', openAndBlock)).rejects.toMatchObject({
      ...{ code: 'STORE_FAILED', message: expect.stringContaining('is still there') },
    });
  });
});
