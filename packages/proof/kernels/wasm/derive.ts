// Weights out of keccak. Spec: docs/proof.md §4.

import { chainPair, clearPair, digestPart, padPair, permutePair, setLane } from './keccak';

/** Blocks are made two at a time: 64 bytes of weights, in the order of the values that they take. */
const BLOCK_BYTES: usize = 32;

/** First block of a gate and output of a layer. */
// @ts-ignore: decorator
@inline
export function firstBlock(layer: u32, gate: u32, output: u32, gates: u32, width: u32): u64 {
  return (((<u64>layer * gates + gate) * width) + output) * (width >> 5);
}

/** Makes blocks `block` and `block + 1`; their weights are then read with `weightsOf`. */
export function deriveBlocks(session: usize, block: u64, links: u32): void {
  clearPair();
  setLane(0, v128.load_splat<u64>(session));
  setLane(1, v128.load_splat<u64>(session, 8));
  setLane(2, v128.load_splat<u64>(session, 16));
  setLane(3, v128.load_splat<u64>(session, 24));
  setLane(7, i64x2.replace_lane(i64x2.splat(bswap<u64>(block)), 1, bswap<u64>(block + 1)));
  padPair(8);
  permutePair();
  for (let link: u32 = 1; link < links; link++) chainPair();
}

/** Weights 0 … 15 or 16 … 31 of the first or the second block, as i8x16: a byte minus 128 is that byte ⊕ 128. */
// @ts-ignore: decorator
@inline
export function weightsOf(second: bool, half: usize): v128 {
  return v128.xor(digestPart(half, second), i8x16.splat(-128));
}
