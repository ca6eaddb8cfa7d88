import { setImmediate as nextTurn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { countDescriptors } from '../harness/process-figures.ts';
import type { Sample } from './notes.ts';

const COLLECTIONS = 4;

/** Of this process, which has to be started with `--expose-gc`. */
export async function takeSample(): Promise<Sample> {
  for (let round = 0; round < COLLECTIONS; round += 1) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    descriptors: await countDescriptors(process.pid),
    timers: countTimers(),
    resources: process.getActiveResourcesInfo().length,
  };
}

/** Node tells of timers that keep it alive only; ours do not. So they are looked for in the heap. */
function countTimers(): number {
  const timer = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  return queryObjects(timer.constructor, { format: 'count' });
}
