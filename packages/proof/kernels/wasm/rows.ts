// Rows of values: made from a seed, unpacked to be multiplied, digested. Spec: docs/proof.md §5, §7.

import { clearPair, digestPart, hash, hashPair, padPair, permutePair, setLane } from './keccak';

const CHUNK_BYTES: u32 = 128;

/** Digests of the chunks of one row, up to 65,536 values. */
const digests = memory.data(8192, 16);

/** Writes a row's input, packed, to `to`. @returns the row's key */
export function drawRow(seed: usize, row: u32, width: u32, to: usize): u32 {
  const groups = width >> 6;
  for (let group: u32 = 0; group < groups; group += 2) {
    drawGroups(seed, row, group);
    v128.store(to, digestPart(0, false));
    v128.store(to, digestPart(1, false), 16);
    v128.store(to, digestPart(0, true), 32);
    v128.store(to, digestPart(1, true), 48);
    to += 64;
  }
  drawGroups(seed, row, groups);
  return bswap<u32>(i32x4.extract_lane(digestPart(0, false), 0));
}

/** Two groups at a time; of the key's, only the first is used. */
function drawGroups(seed: usize, row: u32, group: u32): void {
  clearPair();
  setLane(0, v128.load_splat<u64>(seed));
  setLane(1, v128.load_splat<u64>(seed, 8));
  setLane(2, v128.load_splat<u64>(seed, 16));
  setLane(3, v128.load_splat<u64>(seed, 24));
  setLane(7, i64x2.splat(bswap<u64>(row)));
  setLane(11, i64x2.replace_lane(i64x2.splat(bswap<u64>(group)), 1, bswap<u64>(<u64>group + 1)));
  padPair(12);
  permutePair();
}

/** How many rows are multiplied together, of those that are left. */
// @ts-ignore: decorator
@inline
export function rowsTogether(left: u32): u32 {
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/** Unpacks rows to i16, as `multiplyUnits` wants them: of rows that are multiplied together, 8 values of each in turn. */
export function unpackRows(packed: usize, rows: u32, width: u32, to: usize): void {
  for (let done: u32 = 0; done < rows; ) {
    const together = rowsTogether(rows - done);
    for (let row: u32 = 0; row < together; row++) {
      unpackRow(packed, width, to + (row << 4), together << 4);
      packed += width >> 1;
    }
    to += <usize>together * (width << 1);
    done += together;
  }
}

function unpackRow(packed: usize, width: u32, to: usize, stride: usize): void {
  for (const end = packed + (width >> 1); packed < end; packed += 32) {
    const first = v128.load(packed);
    const second = v128.load(packed, 16);
    to = storeValues(to, stride, v128.and(first, i8x16.splat(15)));
    to = storeValues(to, stride, v128.and(second, i8x16.splat(15)));
    to = storeValues(to, stride, i8x16.shr_u(first, 4));
    to = storeValues(to, stride, i8x16.shr_u(second, 4));
  }
}

// @ts-ignore: decorator
@inline
function storeValues(to: usize, stride: usize, codes: v128): usize {
  const values = i8x16.sub(codes, i8x16.splat(8));
  v128.store(to, i16x8.extend_low_i8x16_s(values));
  v128.store(to + stride, i16x8.extend_high_i8x16_s(values));
  return to + 2 * stride;
}

/** Writes the digest of one packed row, 32 bytes. */
export function digestRow(packed: usize, width: u32, to: usize): void {
  const chunks = width >> 8;
  let chunk: u32 = 0;
  for (; chunk + 2 <= chunks; chunk += 2) {
    const from = packed + chunk * CHUNK_BYTES;
    const at = digests + (chunk << 5);
    hashPair(from, from + CHUNK_BYTES, CHUNK_BYTES, at, at + 32);
  }
  if (chunk < chunks) hash(packed + chunk * CHUNK_BYTES, CHUNK_BYTES, digests + (chunk << 5));
  hash(digests, chunks << 5, to);
}

/** Makes the tree over `leaves` digests at `nodes`, in place: its root is then the first 32 bytes there. */
export function treeRoot(nodes: usize, leaves: u32): void {
  for (let level = leaves; level > 1; level = (level + 1) >> 1) {
    // A lone node's sibling is absent: 32 zero bytes, there being room for one digest behind the leaves.
    if (level & 1) memory.fill(nodes + (<usize>level << 5), 0, 32);
    const parents = (level + 1) >> 1;
    let parent: u32 = 0;
    for (; parent + 2 <= parents; parent += 2) {
      const from = nodes + (<usize>parent << 6);
      const to = nodes + (<usize>parent << 5);
      hashPair(from, from + 64, 64, to, to + 32);
    }
    if (parent < parents) hash(nodes + (<usize>parent << 6), 64, nodes + (<usize>parent << 5));
  }
}
