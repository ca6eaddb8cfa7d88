// Keccak-256 with the original padding, on 25 lanes of 64 bits. FIPS 202 without its two domain bits.
#pragma once
#include "device.cuh"

static const int RATE_LANES = 17;
#define LAST_PADDING 0x8000000000000000ull

DEVICE u64 rotate_left(u64 x, int by) {
  const u32 low = (u32)x, high = (u32)(x >> 32);
  if (by == 0) return x;
  if (by < 32) return ((u64)funnel_left(low, high, by) << 32) | funnel_left(high, low, by);
  return ((u64)funnel_left(high, low, by - 32) << 32) | funnel_left(low, high, by - 32);
}

CONSTANT u64 roundConstants[24] = {
    0x0000000000000001ull, 0x0000000000008082ull, 0x800000000000808aull, 0x8000000080008000ull, 0x000000000000808bull,
    0x0000000080000001ull, 0x8000000080008081ull, 0x8000000000008009ull, 0x000000000000008aull, 0x0000000000000088ull,
    0x0000000080008009ull, 0x000000008000000aull, 0x000000008000808bull, 0x800000000000008bull, 0x8000000000008089ull,
    0x8000000000008003ull, 0x8000000000008002ull, 0x8000000000000080ull, 0x000000000000800aull, 0x800000008000000aull,
    0x8000000080008081ull, 0x8000000000008080ull, 0x0000000080000001ull, 0x8000000080008008ull};

DEVICE void keccak_round(u64 (&a)[25], u64 constant) {
  u64 c[5], b[25];
  UNROLL
  for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  UNROLL
  for (int x = 0; x < 5; x++) {
    const u64 d = c[(x + 4) % 5] ^ rotate_left(c[(x + 1) % 5], 1);
    UNROLL
    for (int y = 0; y < 25; y += 5) a[x + y] ^= d;
  }
  const int rotations[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                             25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};
  UNROLL
  for (int y = 0; y < 5; y++) {
    UNROLL
    for (int x = 0; x < 5; x++) b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate_left(a[x + 5 * y], rotations[x + 5 * y]);
  }
  UNROLL
  for (int y = 0; y < 25; y += 5) {
    UNROLL
    for (int x = 0; x < 5; x++) a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
  }
  a[0] ^= constant;
}

DEVICE void keccak_permute(u64 (&a)[25]) {
#if defined(__CUDACC__)
#pragma unroll 1
#endif
  for (int round = 0; round < 24; round++) keccak_round(a, roundConstants[round]);
}

DEVICE void keccak_clear(u64 (&a)[25]) {
  UNROLL
  for (int i = 0; i < 25; i++) a[i] = 0;
}

// H of what is in the first lanes of a cleared state, `lanes` of them, fewer than 17.
template <int lanes> DEVICE void keccak_short(u64 (&a)[25]) {
  a[lanes] ^= 1;
  a[RATE_LANES - 1] ^= LAST_PADDING;
  keccak_permute(a);
}

// H(left || right), each of 32 bytes.
DEVICE void hash_pair(u64 (&out)[4], const u64 (&left)[4], const u64 (&right)[4]) {
  u64 a[25];
  keccak_clear(a);
  UNROLL
  for (int i = 0; i < 4; i++) {
    a[i] = left[i];
    a[4 + i] = right[i];
  }
  keccak_short<8>(a);
  UNROLL
  for (int i = 0; i < 4; i++) out[i] = a[i];
}

// The last eight bytes of word(x) as a lane.
DEVICE u64 lane_of_number(u64 x) { return ((u64)swap_bytes((u32)x) << 32) | swap_bytes((u32)(x >> 32)); }

DEVICE void load_digest(u64 (&out)[4], const u64* from) {
  UNROLL
  for (int i = 0; i < 4; i++) out[i] = from[i];
}

DEVICE void store_digest(u64* to, const u64 (&digest)[4]) {
  UNROLL
  for (int i = 0; i < 4; i++) to[i] = digest[i];
}
