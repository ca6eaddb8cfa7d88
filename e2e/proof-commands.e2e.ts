import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const LATENT = join(import.meta.dirname, '../apps/cli/src/main.ts');
const SMALL = ['--set', 'development', '--memory', '0.002'];

const verdict = z.object({
  verdict: z.object({ outcome: z.string(), code: z.string().optional() }),
  device: z.object({ class: z.string(), engine: z.string() }),
  observer: z.string(),
});

describe('proving a device from the command line', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latent-prove-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const start = (args: readonly string[]) =>
    spawn(process.execPath, [LATENT, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], LATENT_HOME: folder },
    });

  async function run(...args: readonly string[]) {
    const child = start(args);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (part: Buffer) => (output.stdout += part));
    child.stderr.on('data', (part: Buffer) => (output.stderr += part));
    const [exitCode] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'));
    return { exitCode, ...output };
  }

  it('lists what the machine has, its processor at least', async () => {
    const { exitCode, stdout } = await run('device', 'list', '--json');
    expect(exitCode).toBe(0);
    const { devices } = z
      .object({ devices: z.array(z.object({ id: z.string(), class: z.string() })) })
      .parse(JSON.parse(stdout));
    expect(devices).toContainEqual({ id: 'cpu', class: 'cpu' });
  });

  it('proves the processor, and verifies what was written, without a network', async () => {
    const proved = await run('device', 'prove', 'cpu', ...SMALL, '--out', 'good.json', '--json');
    expect(proved.stderr).toContain('latent proof verify good.json');
    expect(verdict.parse(JSON.parse(proved.stdout))).toMatchObject({
      verdict: { outcome: 'proven' },
      observer: 'self',
    });
    expect(proved.exitCode).toBe(0);
    const verified = await run('proof', 'verify', 'good.json', '--json');
    expect(verified.exitCode).toBe(0);
    expect(verdict.parse(JSON.parse(verified.stdout))).toMatchObject({
      verdict: { outcome: 'proven' },
      device: { class: 'cpu', engine: 'cpu' },
    });
  });

  it('says in words that a proof was altered, with the code and 1', async () => {
    await run('device', 'prove', 'cpu', ...SMALL, '--out', 'altered.json');
    const text = await readFile(join(folder, 'altered.json'), 'utf8');
    const record = z.object({ proof: z.string() }).loose().parse(JSON.parse(text));
    const bytes = Buffer.from(record.proof, 'base64');
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(join(folder, 'altered.json'), JSON.stringify({ ...record, proof: bytes.toString('base64') }));
    const { exitCode, stdout } = await run('proof', 'verify', 'altered.json');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Failed (PROOF_BAD_OPENING)');
  });

  it.each([
    ['a file that is not there', 'nowhere.json', undefined, 2, 'CONFIG_INVALID'],
    ['a folder', '.', undefined, 2, 'CONFIG_INVALID'],
    ['a file that is no proof', 'text.json', '{"hello": 1}', 1, 'PROOF_MALFORMED'],
    ['a file without end', 'large.json', `"${'x'.repeat(4_000_000)}`, 1, 'PROOF_TOO_LARGE'],
  ])('refuses %s', async (_, file, content, expected, code) => {
    if (content !== undefined) await writeFile(join(folder, file), content);
    const { exitCode, stderr } = await run('proof', 'verify', file);
    expect(stderr).toContain(code);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(exitCode).toBe(expected);
  });

  it('never writes over a file', async () => {
    await writeFile(join(folder, 'mine.json'), 'mine');
    const { exitCode, stderr } = await run('device', 'prove', 'cpu', ...SMALL, '--out', 'mine.json');
    expect(stderr).toContain('is there already');
    expect(exitCode).toBe(2);
    expect(await readFile(join(folder, 'mine.json'), 'utf8')).toBe('mine');
  });

  it('stops at Ctrl-C, writes nothing, and ends with 130', async () => {
    const child = start(['device', 'prove', 'cpu', '--memory', '0.25', '--out', 'stopped.json']);
    const ended = once(child, 'close');
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (part: Buffer) => {
        if (part.toString().includes('filling')) resolve();
      });
    });
    child.kill('SIGINT');
    const [exitCode] = await ended;
    expect(exitCode).toBe(130);
    expect(await readdir(folder)).not.toContain('stopped.json');
  });
});
