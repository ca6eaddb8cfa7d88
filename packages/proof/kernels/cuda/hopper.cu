// A compute step for compute capability 9.0 (sm_90a), the only one that has these instructions: tiled layout, 16 gates, wgmma.
// Two warpgroups multiply, each 64 rows by 256 columns (16 outputs) of a block's 128 rows. In the third one thread has the copy engine
// copy whole tiles, and three warps digest the state that is being read, which would else take a part of every step. Tiles lie in memory as shared memory wants them, so that copies need no tensor maps. Blocks stay and take tile after tile.
#include "digests.cuh"
#include "raster.cuh"

#define HOPPER_THREADS 384
#define HOPPER_STAGES 4
#define HOPPER_STAGE_BYTES (TILE_BYTES * (1 + COLUMN_GROUPS))
#define CONSUMER_WARPS 8
#define DIGEST_THREADS 96
// Registers of a thread: hashing takes less than multiplying. A block has what its threads get at launch, 65536 / 384 each, in
// eights; a warpgroup that asked for more than the others gave back would wait for ever.
#define SERVING_REGISTERS 104
#define MULTIPLYING_REGISTERS 200
static_assert(SERVING_REGISTERS + 2 * MULTIPLYING_REGISTERS <= 3 * (65536 / HOPPER_THREADS / 8 * 8), "too many registers");
#define HOPPER_SHARED_BYTES (HOPPER_STAGES * HOPPER_STAGE_BYTES + 1024 + HOPPER_STAGES * 16)

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Of a tile in shared memory at a multiple of 1024: 128-byte swizzle (1 in bits 62-63), eight lines are 1024 bytes apart from the next
// eight (bits 32-45, in 16 bytes), the leading offset (bits 16-29) means nothing for swizzled operands with K contiguous.
DEVICE u64 tile_descriptor(u32 shared) {
  return (u64)((shared & 0x3FFFF) >> 4) | (u64)1 << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

// Where a thread is in the ring of stages.
struct RingPlace { u32 stage, parity; };

DEVICE void ring_next(RingPlace& at) {
  if (++at.stage == HOPPER_STAGES) {
    at.stage = 0;
    at.parity ^= 1;
  }
}

DEVICE void produce(const unsigned char* states, const unsigned char* weights, u32 stages, u32 full, u32 empty, u32 rowTiles,
                    u32 width) {
  const u32 columnTiles = width / GROUP_OUTPUTS / COLUMN_GROUPS, tiles = rowTiles * columnTiles, kBlocks = width / 128;
  RingPlace at = {0, 0};
  for (u32 tile = block_index(); tile < tiles; tile += block_count()) {
    const TilePlace place = tile_place(tile, rowTiles, columnTiles);
    const unsigned char* rows = states + (u64)place.row * kBlocks * TILE_BYTES;
    const unsigned char* columns = weights + (u64)place.column * COLUMN_GROUPS * kBlocks * TILE_BYTES;
    for (u32 k = 0; k < kBlocks; k++, ring_next(at)) {
      const u32 stage = stages + at.stage * HOPPER_STAGE_BYTES, barrier = full + at.stage * 8;
      barrier_wait(empty + at.stage * 8, at.parity ^ 1);
      barrier_arrive_expecting(barrier, HOPPER_STAGE_BYTES);
      copy_bulk(stage, rows + (u64)k * TILE_BYTES, TILE_BYTES, barrier);
      copy_bulk(stage + TILE_BYTES, columns + (u64)k * TILE_BYTES, TILE_BYTES, barrier);
      copy_bulk(stage + 2 * TILE_BYTES, columns + (u64)(kBlocks + k) * TILE_BYTES, TILE_BYTES, barrier);
    }
  }
}

// The states that this step reads: a thread for each row. `chunkDigests`: [row][chunk], to keep them in between.
DEVICE void digest_rows(const unsigned char* states, u64* chunkDigests, u64* digests, u64* frontier, u32 leaf, u32 rows,
                        u32 width) {
  const u32 chunks = width / 256;
  for (u32 row = block_index() * DIGEST_THREADS + thread_index() - 32; row < rows; row += block_count() * DIGEST_THREADS) {
    u64* own = chunkDigests + (u64)row * chunks * 4;
    for (u32 chunk = 0; chunk < chunks; chunk++) {
      u64 digest[4];
      digest_chunk(digest, states, 1, width, row, chunk);
      store_digest(own + chunk * 4, digest);
    }
    digest_state(own, chunks * 4, digests, frontier, leaf, row, rows);
  }
}

DEVICE void finish_group(int (&sums)[128], unsigned char* next, const u32* keys, u32 layer, u32 width, u32 firstRow,
                         u32 firstOutput) {
  const u32 lane = thread_index() % 32;
  UNROLL
  for (u32 part = 0; part < 2 * COLUMN_GROUPS; part++) {
    const u32 group = part / 2, q = part % 2 * 2, row = firstRow + part % 2 * 8 + lane / 4;
    const u32 output = firstOutput + group * GROUP_OUTPUTS + lane % 4 * 2;
    u32 z[2] = {tweak(keys[row], layer, output), tweak(keys[row], layer, output + 1)};
    UNROLL
    for (u32 gate = 0; gate < TILED_GATES; gate++) {
      z[0] ^= (u32)sums[(group * TILED_GATES + gate) * 4 + q] * gate_factor(gate);
      z[1] ^= (u32)sums[(group * TILED_GATES + gate) * 4 + q + 1] * gate_factor(gate);
    }
    store_values(next, width, row, output, requantise(z[0]), requantise(z[1]));
  }
}

DEVICE void consume(unsigned char* next, const u32* keys, u32 stages, u32 full, u32 empty, u32 layer, u32 rowTiles,
                    u32 width) {
  const u32 columnTiles = width / GROUP_OUTPUTS / COLUMN_GROUPS, tiles = rowTiles * columnTiles, kBlocks = width / 128;
  const u32 group = thread_index() / 128 - 1, warp = thread_index() / 32 % 4;
  const bool speaks = thread_index() % 32 == 0;
  int sums[128];
  RingPlace at = {0, 0};
  for (u32 tile = block_index(); tile < tiles; tile += block_count()) {
    u32 before = 0;
    for (u32 k = 0; k < kBlocks; k++, ring_next(at)) {
      const u32 stage = stages + at.stage * HOPPER_STAGE_BYTES;
      barrier_wait(full + at.stage * 8, at.parity);
      const u64 a = tile_descriptor(stage + group * 64 * 128), b = tile_descriptor(stage + TILE_BYTES);
      group_fence();
      // The next 32 k are 32 bytes, 2 units of the descriptor, further along the same lines.
      UNROLL
      for (u32 part = 0; part < 4; part++) group_multiply(sums, a + 2 * part, b + 2 * part, k + part > 0);
      group_commit();
      group_wait<1>();
      if (k > 0 && speaks) barrier_arrive(before);
      before = empty + at.stage * 8;
    }
    group_wait<0>();
    if (speaks) barrier_arrive(before);
    const TilePlace place = tile_place(tile, rowTiles, columnTiles);
    finish_group(sums, next, keys, layer, width, place.row * 128 + group * 64 + warp * 16,
                 place.column * COLUMN_GROUPS * GROUP_OUTPUTS);
  }
}

// As `tiled_step`; and the first `rows` rows of `states` are digested, as by `digest_states`.
KERNEL(HOPPER_THREADS) void hopper_step(const unsigned char* states, unsigned char* next, const u32* keys,
                                        const unsigned char* weights, u32 layer, u32 rowTiles, u32 width, u64* chunkDigests,
                                        u64* digests, u64* frontier, u32 leaf, u32 rows) {
  const u32 stages = (shared_address() + 1023) & ~1023u;
  const u32 full = stages + HOPPER_STAGES * HOPPER_STAGE_BYTES, empty = full + HOPPER_STAGES * 8;
  if (thread_index() == 0) {
    for (u32 i = 0; i < HOPPER_STAGES; i++) {
      barrier_init(full + i * 8, 1);
      barrier_init(empty + i * 8, CONSUMER_WARPS);
    }
    barrier_publish();
  }
  sync_block();
  if (thread_index() < 128) {
    registers_shrink<SERVING_REGISTERS>();
    if (thread_index() == 0) produce(states, weights, stages, full, empty, rowTiles, width);
    if (thread_index() >= 32) digest_rows(states, chunkDigests, digests, frontier, leaf, rows, width);
  } else {
    registers_grow<MULTIPLYING_REGISTERS>();
    consume(next, keys, stages, full, empty, layer, rowTiles, width);
  }
}

#endif
