// Digests of states, docs/proof.md section 7: by kernels of their own, or by warps that a step has to spare.
#pragma once
#include "keccak.cuh"
#include "layout.cuh"

// Eight packed bytes of eight values of the first and eight of the second half of a group.
DEVICE u64 pack_lane(u32 firstLow, u32 firstHigh, u32 secondLow, u32 secondHigh) {
  const u32 mask = 0x0F0F0F0Fu, turn = 0x88888888u;
  const u32 low = ((firstLow & mask) | (secondLow & mask) << 4) ^ turn;
  const u32 high = ((firstHigh & mask) | (secondHigh & mask) << 4) ^ turn;
  return (u64)high << 32 | low;
}

// Group `group` of a row, packed, as four lanes.
DEVICE void pack_group(u64 (&out)[4], const unsigned char* states, u32 tiled, u32 width, u32 row, u32 group) {
  UNROLL
  for (u32 half = 0; half < 2; half++) {
    const Words first = *(const Words*)(states + state_offset(tiled, width, row, 4 * group + half));
    const Words second = *(const Words*)(states + state_offset(tiled, width, row, 4 * group + 2 + half));
    out[2 * half] = pack_lane(first.x, first.y, second.x, second.y);
    out[2 * half + 1] = pack_lane(first.z, first.w, second.z, second.w);
  }
}

DEVICE void digest_chunk(u64 (&out)[4], const unsigned char* states, u32 tiled, u32 width, u32 row, u32 chunk) {
  u64 a[25];
  keccak_clear(a);
  UNROLL
  for (u32 group = 0; group < 4; group++) {
    u64 packed[4];
    pack_group(packed, states, tiled, width, row, 4 * chunk + group);
    UNROLL
    for (int i = 0; i < 4; i++) a[4 * group + i] = packed[i];
  }
  keccak_short<16>(a);
  UNROLL
  for (int i = 0; i < 4; i++) out[i] = a[i];
}

DEVICE void digest_of_chunks(u64 (&out)[4], const u64* chunkDigests, u32 lanes) {
  u64 a[25];
  keccak_clear(a);
  for (u32 base = 0;; base += RATE_LANES) {
    UNROLL
    for (u32 i = 0; i < RATE_LANES; i++) {
      if (base + i < lanes) a[i] ^= chunkDigests[base + i];
      if (base + i == lanes) a[i] ^= 1;
    }
    const bool last = base + RATE_LANES > lanes;
    if (last) a[RATE_LANES - 1] ^= LAST_PADDING;
    keccak_permute(a);
    if (last) break;
  }
  UNROLL
  for (int i = 0; i < 4; i++) out[i] = a[i];
}

// Digest of one row's state from those of its chunks, `lanes` u64s.
// `digests`, if given: [row]. `frontier`, if given: [level][row], the nodes of each row's tree that wait for their right sibling,
// to which the digest is added as leaf number `leaf`. Leaves are added in order.
DEVICE void digest_state(const u64* chunkDigests, u32 lanes, u64* digests, u64* frontier, u32 leaf, u32 row, u32 rows) {
  u64 node[4];
  digest_of_chunks(node, chunkDigests, lanes);
  if (digests != nullptr) store_digest(digests + (u64)row * 4, node);
  if (frontier == nullptr) return;
  u32 level = 0;
  for (; (leaf >> level & 1) != 0; level++) {
    u64 left[4], right[4];
    load_digest(left, frontier + ((u64)level * rows + row) * 4);
    UNROLL
    for (int i = 0; i < 4; i++) right[i] = node[i];
    hash_pair(node, left, right);
  }
  store_digest(frontier + ((u64)level * rows + row) * 4, node);
}
