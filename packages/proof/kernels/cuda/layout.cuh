// Where things lie in the device's memory. Two layouts, with the same bytes in another order:
//
// Plain: weights [output][gate][k], states [row][k]. Any set.
//
// Tiled, for sets of 16 gates. A tile is 128 lines of 128 bytes; the 16 bytes q of line r lie at 128 r + 16 (q ^ r % 8), which is how
// the matrix units want them in shared memory (128-byte swizzle), so that a tile is copied as it is.
// Weights: [group of 8 outputs][block of 128 k][tile]; line = 8 gate + output % 8. A group holds all gates of its outputs, so that
// in every fragment layout one thread has all gates of an output: the gates are joined without exchange.
// States: [128 rows][block of 128 k][tile]; line = row % 128.
#pragma once
#include "device.cuh"

#define TILE_BYTES 16384
#define TILE_LINES 128
#define TILED_GATES 16
#define GROUP_OUTPUTS 8

DEVICE u32 tile_offset(u32 line, u32 piece) { return line * 128 + ((piece ^ (line & 7)) << 4); }

// Offset of the 16 bytes `piece` (k / 16) of one gate and output within a layer.
DEVICE u64 weight_offset(u32 tiled, u32 width, u32 gates, u32 gate, u32 output, u32 piece) {
  if (!tiled) return ((u64)output * gates + gate) * width + piece * 16;
  const u64 tile = (u64)(output / GROUP_OUTPUTS) * (width / 128) + piece / 8;
  return tile * TILE_BYTES + tile_offset(gate * GROUP_OUTPUTS + output % GROUP_OUTPUTS, piece % 8);
}

// Offset of the 16 values `piece` of a row.
DEVICE u64 state_offset(u32 tiled, u32 width, u32 row, u32 piece) {
  if (!tiled) return (u64)row * width + piece * 16;
  const u64 tile = (u64)(row / TILE_LINES) * (width / 128) + piece / 8;
  return tile * TILE_BYTES + tile_offset(row % TILE_LINES, piece % 8);
}

// Constants of the step, docs/proof.md section 6.
#define GOLDEN 0x9E3779B1u
#define LAYER_FACTOR 0x85EBCA6Bu

DEVICE u32 gate_factor(u32 gate) { return (2 * gate + 1) * GOLDEN; }

DEVICE u32 tweak(u32 key, u32 layer, u32 output) { return key ^ layer * LAYER_FACTOR ^ output * GOLDEN; }

// The value, -8 ... 7, that the joined gates become, as a byte.
DEVICE u32 requantise(u32 z) {
  z ^= z >> 16;
  z *= 0x7FEB352Du;
  z ^= z >> 15;
  z *= 0x846CA68Bu;
  return ((z >> 28) - 8) & 0xFF;
}
