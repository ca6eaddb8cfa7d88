import { readFile } from 'node:fs/promises';

/** The most of a resource that this process may give to its children. */
export interface Rlimits {
  readonly openFiles: number;
  readonly processes: number;
}

/** What the kernel takes for more than anybody has. */
const many = 1 << 20;

/** The agent's own hard limits (proc(5), `/proc/self/limits`). */
export async function readRlimits(): Promise<Rlimits> {
  const text = await readFile('/proc/self/limits', 'utf8');
  const hard = (name: string) => {
    const found = new RegExp(`^${name} +\\S+ +(\\d+|unlimited)`, 'm').exec(text)?.[1];
    return found === undefined || found === 'unlimited' ? many : Math.min(many, Number(found));
  };
  return { openFiles: hard('Max open files'), processes: hard('Max processes') };
}
