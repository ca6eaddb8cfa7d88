import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, type as system, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** Where and when figures come from: without it they mean nothing. */
export interface MachineFacts {
  readonly date: string;
  /** Of this repository; `+` behind it: with changes that are not committed. Null outside of git. */
  readonly commit: string | null;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Processes that wanted a core, over 1, 5 and 15 minutes, before the benchmark began. More than `cores`: do not trust times. */
  readonly loadAverageAtStart: readonly number[];
  readonly loadAverageAtEnd: readonly number[];
}

const BYTES_PER_GIB = 1024 ** 3;

/** Load over 1, 5 and 15 minutes. */
export function loadAverages(): readonly number[] {
  return loadavg().map((load) => Number(load.toFixed(2)));
}

/** @param loadAverageAtStart taken before anything was measured */
export async function readMachineFacts(date: Date, loadAverageAtStart: readonly number[]): Promise<MachineFacts> {
  return {
    date: date.toISOString(),
    commit: await readCommit(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Number((totalmem() / BYTES_PER_GIB).toFixed(1)),
    kernel: `${system()} ${release()}`,
    node: process.version,
    loadAverageAtStart,
    loadAverageAtEnd: loadAverages(),
  };
}

async function readCommit(): Promise<string | null> {
  const git = (...args: readonly string[]) => promisify(execFile)('git', args, { cwd: import.meta.dirname });
  try {
    const [{ stdout: commit }, { stdout: changes }] = await Promise.all([
      git('rev-parse', '--short=12', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return `${commit.trim()}${changes === '' ? '' : '+'}`;
  } catch {
    // A copy of the sources without their history is no reason not to measure.
    return null;
  }
}
