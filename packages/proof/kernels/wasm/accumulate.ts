// What the verifier does for a sample. Spec: docs/proof.md §4, §6.

import { deriveBlocks, firstBlock, weightsOf } from './derive';

/** Adds the products of 16 values and 16 weights, both i8, to four partial sums. */
// @ts-ignore: decorator
@inline
function addProducts(sums: v128, values: v128, weights: v128): v128 {
  const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(values), i16x8.extend_low_i8x16_s(weights));
  const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(values), i16x8.extend_high_i8x16_s(weights));
  return i32x4.add(sums, i32x4.add(low, high));
}

// @ts-ignore: decorator
@inline
function lowValues(codes: v128): v128 {
  return i8x16.sub(v128.and(codes, i8x16.splat(15)), i8x16.splat(8));
}

// @ts-ignore: decorator
@inline
function highValues(codes: v128): v128 {
  return i8x16.sub(i8x16.shr_u(codes, 4), i8x16.splat(8));
}

/** One gate's sum for one output. Two blocks of weights meet one group of 64 values. */
function accumulateGate(session: usize, packed: usize, block: u64, groups: u32, links: u32): i32 {
  let sums = i32x4.splat(0);
  for (let group: u32 = 0; group < groups; group++) {
    deriveBlocks(session, block + 2 * group, links);
    const first = v128.load(packed);
    const second = v128.load(packed, 16);
    sums = addProducts(sums, lowValues(first), weightsOf(false, 0));
    sums = addProducts(sums, lowValues(second), weightsOf(false, 1));
    sums = addProducts(sums, highValues(first), weightsOf(true, 0));
    sums = addProducts(sums, highValues(second), weightsOf(true, 1));
    packed += 32;
  }
  return (
    i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)
  );
}

/** Sums of all gates for one output of one layer, `gates` i32 at `to`; weights are made on the way. */
export function accumulate(
  session: usize,
  packed: usize,
  width: u32,
  gates: u32,
  links: u32,
  layer: u32,
  output: u32,
  to: usize,
): void {
  for (let gate: u32 = 0; gate < gates; gate++) {
    const block = firstBlock(layer, gate, output, gates, width);
    store<i32>(to + (<usize>gate << 2), accumulateGate(session, packed, block, width >> 6, links));
  }
}
