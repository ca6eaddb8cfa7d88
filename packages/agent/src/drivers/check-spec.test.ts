import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkCommand, checkSpec } from './check-spec.ts';
import type { JobSpec } from './driver.ts';

describe('checkSpec', () => {
  let root: string;
  let spec: JobSpec;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'latent-spec-'));
    for (const name of ['work', 'state', 'tools']) await mkdir(join(root, name));
    spec = {
      jobId: 'job-1',
      script: 'true',
      env: { A: '1' },
      workdir: join(root, 'work'),
      stateDir: join(root, 'state'),
      limits: { memoryBytes: 1 << 30, cpus: 0.5, processes: 10 },
      address: '::1',
      toolchains: [join(root, 'tools')],
    };
  });
  afterEach(() => rm(root, { recursive: true }));

  test('gives folders by their real path', async () => {
    await symlink(join(root, 'work'), join(root, 'link'));
    const checked = await checkSpec({ ...spec, workdir: join(root, 'link', '..', 'link') });
    expect(checked).toEqual({ ...spec, workdir: await expectReal(join(root, 'work')) });
  });

  test('names the field that it refuses', async () => {
    await writeFile(join(root, 'file'), '');
    const { limits } = spec;
    const wrong: readonly (readonly [string, Partial<JobSpec>])[] = [
      ['jobId', { jobId: '../x' }],
      ['script', { script: 'x'.repeat(1_000_001) }],
      ['env.A', { env: { A: 'x'.repeat(100_001) } }],
      ['env', { env: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`A${i}`, 'x'.repeat(99_999)])) }],
      ['workdir', { workdir: join(root, 'file') }],
      ['stateDir', { stateDir: join(root, 'missing') }],
      ['limits.memoryBytes', { limits: { ...limits, memoryBytes: 0 } }],
      ['limits.cpus', { limits: { ...limits, cpus: Number.NaN } }],
      ['limits.cpus', { limits: { ...limits, cpus: 0 } }],
      ['limits.processes', { limits: { ...limits, processes: 1.5 } }],
      ['address', { address: 'localhost' }],
      ['toolchains', { toolchains: [join(root, 'none')] }],
      ['toolchains.0', { toolchains: ['/a:b'] }],
    ];
    for (const [field, change] of wrong) {
      await expect(checkSpec({ ...spec, ...change }), field).rejects.toMatchObject({
        code: 'DRIVER_REFUSED',
        details: { field },
      });
    }
  });

  test('refuses a command without a program, or with what no program can be given', () => {
    expect(checkCommand({ argv: ['ls', ''], env: {} })).toEqual({ argv: ['ls', ''], env: {} });
    for (const command of [
      { argv: [], env: {} },
      { argv: ['a\0b'], env: {} },
      { argv: ['ls'], env: { 'A-B': '1' } },
    ]) {
      expect(() => checkCommand(command)).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
    }
  });

  async function expectReal(path: string): Promise<string> {
    return (await checkSpec({ ...spec, workdir: path })).workdir;
  }
});
