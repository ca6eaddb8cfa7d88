/** Cheap chance that can be repeated: for hostile inputs, never for anything that has to be hard to guess. */
export interface Dice {
  /** 0 … limit − 1. */
  readonly below: (limit: number) => number;
  readonly bytes: (count: number) => Uint8Array;
  readonly pick: <T>(from: readonly [T, ...T[]]) => T;
}

/** The generator mulberry32 by T. Ettinger (public domain). @param seed 32 bits */
export function createDice(seed: number): Dice {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return (z ^ (z >>> 14)) >>> 0;
  };
  const below = (limit: number) => next() % limit;
  return {
    below,
    bytes: (count) => {
      const made = new Uint8Array(count);
      for (let place = 0; place < count; place++) made[place] = next();
      return made;
    },
    pick: (from) => from[below(from.length)] ?? from[0],
  };
}
