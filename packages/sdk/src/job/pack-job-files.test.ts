import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fillEnvs } from './fill-envs.ts';
import { packJobFiles } from './pack-job-files.ts';
import { parseJobFile } from './parse-job-file.ts';
import { bytesOf, codeOf, inPieces, makeTempTrees, type TempTrees, treeOf } from './temp-trees.fixture.ts';
import { unpackFiles } from './unpack-files.ts';

const { signal } = new AbortController();
let trees: TempTrees;

beforeEach(async () => {
  trees = await makeTempTrees();
});

afterEach(() => trees.remove());

describe('the files of a job', () => {
  const options = () => ({ baseFolder: trees.from, homeFolder: join(trees.folder, 'home'), signal });
  const jobOf = (text: string) => fillEnvs(parseJobFile(`run: x\n${text}`, 'task.yaml'), {});

  test('are its workdir with the file mounts over it', async () => {
    await trees.write('code/train.py', 'old');
    await trees.write('new.py', 'new');
    await trees.write('data/a/1.csv', '1');
    await mkdir(join(trees.folder, 'home'));
    await writeFile(join(trees.folder, 'home/.token'), 'token');
    const job = jobOf(
      'workdir: code\nfile_mounts:\n  train.py: new.py\n  ~/data: ./data\n  ~/sky_workdir/in/: new.py\n  ~/.token: ~/.token',
    );
    const packed = await packJobFiles(job, options());
    await unpackFiles(inPieces(await bytesOf(packed), 700), { folder: trees.to, signal });
    expect(await treeOf(trees.to)).toEqual({
      'train.py': 'new',
      data: '/',
      'data/a': '/',
      'data/a/1.csv': '1',
      in: '/',
      'in/new.py': 'new',
      '.token': 'token',
    });
  });

  test('must exist, and the error names the line', async () => {
    await expect(packJobFiles(jobOf('file_mounts:\n  a: none'), options())).rejects.toMatchObject({
      code: 'JOB_FILE_INVALID',
      message: expect.stringContaining('task.yaml:3:3: file_mounts'),
    });
    expect(await codeOf(packJobFiles(jobOf('workdir: none'), options()))).toBe('JOB_FILE_INVALID');
  });

  test('may not clash', async () => {
    await trees.write('code/data', 'a file');
    await trees.write('data/x');
    expect(await codeOf(packJobFiles(jobOf('workdir: code\nfile_mounts:\n  data: data'), options()))).toBe(
      'JOB_FILE_INVALID',
    );
  });

  test('are refused rather than dropped when one cannot be sent', async () => {
    await symlink('/etc/passwd', join(trees.from, 'link'));
    expect(await codeOf(packJobFiles(jobOf('workdir: .'), options()))).toBe('JOB_FILE_INVALID');
  });
});
