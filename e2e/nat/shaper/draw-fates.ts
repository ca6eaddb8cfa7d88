import type { LinkShape, WayShape } from './link-shape.ts';

export type Fate = 'on time' | 'late' | 'lost';

/**
 * What becomes of the packets of one direction, one after the other. Each draws the same number of chances, so that its fate
 * depends on the seed and on how many came before it, and on nothing else.
 */
export function drawFates(shape: LinkShape, direction: 'up' | 'down'): () => Fate {
  const way: WayShape = shape[direction] ?? {};
  const [loss, late] = [way.loss ?? 0, way.late?.chance ?? 0];
  const draw = drawNumbers(direction === 'up' ? shape.seed : ~shape.seed);
  return () => {
    const [first, second] = [draw(), draw()];
    if (first < loss) return 'lost';
    return second < late ? 'late' : 'on time';
  };
}

/** Numbers from 0 up to 1: the generator mulberry32. */
function drawNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    const again = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return ((again ^ (again >>> 14)) >>> 0) / 2 ** 32;
  };
}
