import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { evaluate, largestDifference, mostDifference, trainReference } from './evaluate.ts';
import { readModel } from './model.ts';
import { freePort, loopbackAddresses } from './ring-ports.fixture.ts';

const script = fileURLToPath(new URL('train.ts', import.meta.url));

interface RankProcess {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves with the exit code; null where a signal ended it. */
  readonly exit: Promise<number | null>;
  /** Resolves at the first line of output that begins so. */
  line(start: string): Promise<string>;
}

let folder: string;
let started: RankProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digits-'));
});

afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ exit }) => exit));
  started = [];
  await rm(folder, { recursive: true });
});

function start(env: Record<string, string>): RankProcess {
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting: { readonly start: string; readonly resolve: (line: string) => void }[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      for (const { start, resolve } of waiting) if (line.startsWith(start)) resolve(line);
    });
  }
  const rank: RankProcess = {
    child,
    lines,
    exit: new Promise((resolve) => child.once('close', resolve)),
    line: (start) =>
      new Promise((resolve) => {
        const found = lines.find((line) => line.startsWith(start));
        if (found === undefined) waiting.push({ start, resolve });
        else resolve(found);
      }),
  };
  started.push(rank);
  return rank;
}

async function startRanks(ranks: number, epochs: number): Promise<RankProcess[]> {
  const DIGITS_PORT = String(await freePort());
  const common = { DIGITS_PORT, DIGITS_EPOCHS: String(epochs), SKYPILOT_NUM_NODES: String(ranks) };
  const SKYPILOT_NODE_IPS = loopbackAddresses(ranks).join('\n');
  return Array.from({ length: ranks }, (_, rank) =>
    start({ ...common, SKYPILOT_NODE_IPS, SKYPILOT_NODE_RANK: String(rank) }),
  );
}

test('four processes train the weights of one process', { timeout: 120_000 }, async () => {
  const ranks = await startRanks(4, 8);
  expect(await Promise.all(ranks.map(({ exit }) => exit))).toEqual([0, 0, 0, 0]);
  const model = readModel(join(folder, 'outputs/model.json'));
  expect(model.ranks).toBe(4);
  expect(largestDifference(model, await trainReference(model.schedule))).toBeLessThanOrEqual(mostDifference);
  expect((await evaluate(model)).passed).toBe(true);
  for (const { lines } of ranks) {
    const progress = lines.filter((line) => line.startsWith('::progress ')).map((line) => JSON.parse(line.slice(11)));
    expect(progress.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(progress[7]).toMatchObject({ epochs: 8, accuracy: Number(model.accuracy.toFixed(4)) });
  }
});

test('a rank that is killed makes all others say so and exit', { timeout: 120_000 }, async () => {
  const ranks = await startRanks(4, 10_000);
  await Promise.all(ranks.map((rank) => rank.line('::progress')));
  ranks[2]!.child.kill('SIGKILL');
  expect(await Promise.all(ranks.map(({ exit }) => exit))).toEqual([3, 3, null, 3]);
  expect(ranks[3]!.lines.join('\n')).toMatch(/^rank 3: lost rank [02] \(127\.0\.0\.[13]\): /m);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  [{ SKYPILOT_NODE_RANK: '4', SKYPILOT_NODE_IPS: '127.0.0.1\n127.0.0.2' }, 'SKYPILOT_NODE_RANK'],
  [{ SKYPILOT_NODE_IPS: 'localhost' }, 'SKYPILOT_NODE_IPS'],
  [{ SKYPILOT_NODE_IPS: '127.0.0.1', SKYPILOT_NUM_NODES: '2' }, 'SKYPILOT_NUM_NODES'],
  [{ DIGITS_EPOCHS: 'many' }, 'DIGITS_EPOCHS'],
])('wrong settings are named: %j', { timeout: 30_000 }, async (env, name) => {
  const rank = start(env);
  expect(await rank.exit).toBe(2);
  expect(rank.lines.join('\n')).toContain(name);
});
