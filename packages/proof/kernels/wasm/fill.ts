// Where weights lie in memory. A row's byte u holds the codes of two outputs, 32 apart: a *unit* is those two, with all
// their gates: 2·gates columns of `width` weights. A unit's columns are, in order, the gates of its first output, then those of
// its second. Two columns at a time are interleaved, 8 weights of the one, 8 of the other, so that whoever multiplies
// reads memory in one ascending stream.

import { deriveBlocks, firstBlock, weightsOf } from './derive';

/** The output whose code is in the low four bits of byte `unit`; that in the high four bits is 32 further. */
// @ts-ignore: decorator
@inline
export function firstOutput(unit: u32): u32 {
  return ((unit >> 5) << 6) + (unit & 31);
}

/** Derives the weights of units `unit` … `unit + count − 1` of a layer to `to`: count·2·gates·width bytes. */
export function fillUnits(
  session: usize,
  layer: u32,
  width: u32,
  gates: u32,
  links: u32,
  unit: u32,
  count: u32,
  to: usize,
): void {
  for (const end = unit + count; unit < end; unit++) {
    for (let column: u32 = 0; column < 2 * gates; column++) {
      const second = column >= gates;
      const output = firstOutput(unit) + (second ? 32 : 0);
      const block = firstBlock(layer, second ? column - gates : column, output, gates, width);
      fillColumn(session, block, width, links, to + <usize>(column >> 1) * (width << 1) + ((column & 1) << 3));
    }
    to += <usize>gates * (width << 1);
  }
}

function fillColumn(session: usize, block: u64, width: u32, links: u32, to: usize): void {
  for (const end = block + (width >> 5); block < end; block += 2) {
    deriveBlocks(session, block, links);
    storeApart(to, weightsOf(false, 0));
    storeApart(to + 32, weightsOf(false, 1));
    storeApart(to + 64, weightsOf(true, 0));
    storeApart(to + 96, weightsOf(true, 1));
    to += 128;
  }
}

/** Leaves room for 8 weights of the other column after each 8. */
// @ts-ignore: decorator
@inline
function storeApart(to: usize, weights: v128): void {
  v128.store_lane<u64>(to, weights, 0);
  v128.store_lane<u64>(to, weights, 1, 16);
}
