// A compute step for any device of compute capability 8.0 or more: tiled layout, 16 gates, mma.sync.
// A block makes 128 rows by 256 columns (16 outputs); a warp 32 rows by 128 columns, so that a thread has all gates of its outputs.
// Blocks stay and take tile after tile; loads run ahead across the end of a tile, under its epilogue.
#include "raster.cuh"

#define STEP_THREADS 256
#define STEP_STAGES 4
#define STAGE_K 64
#define STAGE_ROW_BYTES (128 * STAGE_K)
#define STAGE_BYTES (STAGE_ROW_BYTES * (1 + COLUMN_GROUPS))
#define STEP_SHARED_BYTES (STEP_STAGES * STAGE_BYTES)

// Lines of 64 bytes, four pieces of 16 each, placed so that eight lines' pieces lie in different banks.
DEVICE u32 stage_offset(u32 line, u32 piece) { return line * STAGE_K + ((piece ^ ((line >> 1) & 3)) << 4); }

// Where this thread's loads are: stage after stage, tile after tile.
struct StepLoader {
  const unsigned char *rows, *columns;
  u32 tile, halfBlock;
};

DEVICE void aim(StepLoader& at, const unsigned char* states, const unsigned char* weights, u32 rowTiles, u32 columnTiles,
                u32 width) {
  const TilePlace place = tile_place(at.tile, rowTiles, columnTiles);
  at.rows = states + (u64)place.row * width * 128;
  at.columns = weights + (u64)place.column * COLUMN_GROUPS * width * 128;
  at.halfBlock = 0;
}

// Two pieces of rows and four of columns. A thread's lines are 64 apart, so they are swizzled alike.
DEVICE void load_stage(const StepLoader& at, u32 stage, u32 width) {
  const u32 line = thread_index() / 4, piece = thread_index() % 4;
  const u32 from = at.halfBlock / 2 * TILE_BYTES + tile_offset(line, at.halfBlock % 2 * 4 + piece);
  const u32 to = stage + stage_offset(line, piece);
  UNROLL
  for (u32 i = 0; i < 2; i++) copy_async(to + i * 64 * STAGE_K, at.rows + from + i * 64 * 128);
  UNROLL
  for (u32 i = 0; i < 2 * COLUMN_GROUPS; i++) {
    const unsigned char* group = at.columns + (u64)(i / 2) * width * 128;
    copy_async(to + STAGE_ROW_BYTES + i * 64 * STAGE_K, group + from + i % 2 * 64 * 128);
  }
}

DEVICE void multiply_stage(int (&sums)[2][TILED_GATES][4], u32 stage, u32 warpRow, u32 warpColumn) {
  const u32 lane = thread_index() % 32;
  UNROLL
  for (u32 k = 0; k < STAGE_K / 32; k++) {
    u32 a[2][4];
    UNROLL
    for (u32 i = 0; i < 2; i++) load_matrices(a[i], stage + stage_offset(warpRow + 16 * i + lane % 16, 2 * k + lane / 16));
    UNROLL
    for (u32 pair = 0; pair < TILED_GATES / 2; pair++) {
      u32 b[4];
      const u32 line = warpColumn + 16 * pair + lane / 16 * 8 + lane % 8;
      load_matrices(b, stage + STAGE_ROW_BYTES + stage_offset(line, 2 * k + lane / 8 % 2));
      UNROLL
      for (u32 i = 0; i < 2; i++) {
        multiply_add(sums[i][2 * pair], a[i][0], a[i][1], a[i][2], a[i][3], b[0], b[1]);
        multiply_add(sums[i][2 * pair + 1], a[i][0], a[i][1], a[i][2], a[i][3], b[2], b[3]);
      }
    }
  }
}

// `firstRow` and `firstOutput` of the warp.
DEVICE void finish_tile(int (&sums)[2][TILED_GATES][4], unsigned char* next, const u32* keys, u32 layer, u32 width, u32 firstRow,
                        u32 firstOutput) {
  const u32 lane = thread_index() % 32, output = firstOutput + lane % 4 * 2;
  UNROLL
  for (u32 half = 0; half < 4; half++) {
    const u32 i = half / 2, q = half % 2 * 2, row = firstRow + 16 * i + 8 * (half % 2) + lane / 4;
    u32 z[2] = {tweak(keys[row], layer, output), tweak(keys[row], layer, output + 1)};
    UNROLL
    for (u32 gate = 0; gate < TILED_GATES; gate++) {
      z[0] ^= (u32)sums[i][gate][q] * gate_factor(gate);
      z[1] ^= (u32)sums[i][gate][q + 1] * gate_factor(gate);
    }
    store_values(next, width, row, output, requantise(z[0]), requantise(z[1]));
  }
}

DEVICE void clear_sums(int (&sums)[2][TILED_GATES][4]) {
  UNROLL
  for (u32 i = 0; i < 2; i++) {
    UNROLL
    for (u32 gate = 0; gate < TILED_GATES; gate++) {
      UNROLL
      for (u32 q = 0; q < 4; q++) sums[i][gate][q] = 0;
    }
  }
}

// `rowTiles` tiles of 128 rows go through one layer. `keys` holds rowTiles * 128.
KERNEL(STEP_THREADS) void tiled_step(const unsigned char* states, unsigned char* next, const u32* keys,
                                const unsigned char* weights, u32 layer, u32 rowTiles, u32 width) {
  const u32 base = shared_address(), warp = thread_index() / 32;
  const u32 warpRow = warp % 4 * 32, warpColumn = warp / 4 * 128;
  const u32 columnTiles = width / GROUP_OUTPUTS / COLUMN_GROUPS, tiles = rowTiles * columnTiles;
  const u32 stages = width / STAGE_K;

  StepLoader at;
  at.tile = block_index();
  if (at.tile >= tiles) return;
  aim(at, states, weights, rowTiles, columnTiles, width);
  u32 loadStage = 0;
  auto load_next = [&]() {
    if (at.tile < tiles) {
      load_stage(at, base + loadStage * STAGE_BYTES, width);
      if (++at.halfBlock == stages) {
        at.tile += block_count();
        if (at.tile < tiles) aim(at, states, weights, rowTiles, columnTiles, width);
      }
    }
    copy_commit();
    loadStage = loadStage + 1 == STEP_STAGES ? 0 : loadStage + 1;
  };
  for (u32 i = 0; i < STEP_STAGES - 1; i++) load_next();

  int sums[2][TILED_GATES][4];
  u32 stage = 0;
  for (u32 tile = block_index(); tile < tiles; tile += block_count()) {
    clear_sums(sums);
    for (u32 i = 0; i < stages; i++) {
      copy_wait<STEP_STAGES - 2>();
      sync_block();
      load_next();
      multiply_stage(sums, base + stage * STAGE_BYTES, warpRow, warpColumn);
      stage = stage + 1 == STEP_STAGES ? 0 : stage + 1;
    }
    const TilePlace place = tile_place(tile, rowTiles, columnTiles);
    finish_tile(sums, next, keys, layer, width, place.row * 128 + warpRow,
                (place.column * COLUMN_GROUPS + warpColumn / 128) * GROUP_OUTPUTS);
  }
}
