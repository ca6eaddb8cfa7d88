// In which order blocks go through the tiles of a compute step: 16 tiles of rows at a time, so that what all multiprocessors read at
// about the same time is few rows and few columns, and stays in the second-level cache.
#pragma once
#include "layout.cuh"

#define RASTER_ROWS 16
#define COLUMN_GROUPS 2  // of 128 columns, in a block's tile

struct TilePlace { u32 row, column; };

DEVICE TilePlace tile_place(u32 index, u32 rowTiles, u32 columnTiles) {
  const u32 band = RASTER_ROWS * columnTiles, first = index / band * RASTER_ROWS, within = index % band;
  const u32 height = rowTiles - first < RASTER_ROWS ? rowTiles - first : RASTER_ROWS;
  return TilePlace{first + within % height, within / height};
}

// Writes the values of outputs `output` (even) and the next for one row, in the tiled layout.
DEVICE void store_values(unsigned char* next, u32 width, u32 row, u32 output, u32 first, u32 second) {
  unsigned char* place = next + state_offset(1, width, row, output / 16) + output % 16;
  *(unsigned short*)place = (unsigned short)(first | second << 8);
}
