/** Says of one packet after the other whether it is lost. The same ones for the same seed. */
export function drawLosses(chance: number, seed: number): () => boolean {
  if (chance === 0) return () => false;
  let state = seed | 0;
  // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    const again = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return ((again ^ (again >>> 14)) >>> 0) / 2 ** 32 < chance;
  };
}
