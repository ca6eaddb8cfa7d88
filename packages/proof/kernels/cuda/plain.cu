// A step for any set, in the plain layout: small, slow, and made to be right. Sets of 16 gates have faster kernels.
#include "layout.cuh"

DEVICE int dot_of_bytes(u32 a, u32 b, int sum) {
  UNROLL
  for (int i = 0; i < 32; i += 8) sum += (int)(signed char)(a >> i) * (int)(signed char)(b >> i);
  return sum;
}

// A thread for each output of each row.
KERNEL(128) void plain_step(const unsigned char* states, unsigned char* next, const u32* keys, const unsigned char* weights,
                       u32 layer, u32 rows, u32 width, u32 gates) {
  const u32 index = block_index() * block_threads() + thread_index(), row = index / width, output = index % width;
  if (row >= rows) return;
  const u32* state = (const u32*)(states + (u64)row * width);
  const u32* column = (const u32*)(weights + (u64)output * gates * width);
  u32 z = tweak(keys[row], layer, output);
  for (u32 gate = 0; gate < gates; gate++, column += width / 4) {
    int sum = 0;
    for (u32 i = 0; i < width / 4; i++) sum = dot_of_bytes(state[i], column[i], sum);
    z ^= (u32)sum * gate_factor(gate);
  }
  next[(u64)row * width + output] = (unsigned char)requantise(z);
}
