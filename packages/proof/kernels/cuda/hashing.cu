// Everything of a proof that is keccak: weights, inputs, digests, trees. docs/proof.md sections 4, 5 and 7.
#include "keccak.cuh"
#include "layout.cuh"

DEVICE u32 global_thread() { return block_index() * block_threads() + thread_index(); }

DEVICE void store_words(void* to, u32 x, u32 y, u32 z, u32 w) { *(Words*)to = Words{x, y, z, w}; }

// Weights of one layer: a thread for each block of 32. `session` as four lanes.
KERNEL(128) void fill_weights(unsigned char* weights, u64 session0, u64 session1, u64 session2, u64 session3, u32 layer,
                         u32 width, u32 gates, u32 links, u32 tiled) {
  const u32 index = global_thread(), perColumn = width / 32, blocks = gates * width * perColumn;
  if (index >= blocks) return;
  u64 a[25];
  keccak_clear(a);
  a[0] = session0;
  a[1] = session1;
  a[2] = session2;
  a[3] = session3;
  a[7] = lane_of_number((u64)layer * blocks + index);
  keccak_short<8>(a);
  for (u32 link = 1; link < links; link++) {
    UNROLL
    for (int i = 4; i < 25; i++) a[i] = 0;
    keccak_short<4>(a);
  }
  const u32 column = index / perColumn, block = index % perColumn;
  const u32 gate = column / width, output = column % width;
  // A byte less 128 is the byte with its highest bit turned.
  const u64 turn = 0x8080808080808080ull;
  UNROLL
  for (u32 half = 0; half < 2; half++) {
    const u64 low = a[2 * half] ^ turn, high = a[2 * half + 1] ^ turn;
    store_words(weights + weight_offset(tiled, width, gates, gate, output, 2 * block + half), (u32)low,
                (u32)(low >> 32), (u32)high, (u32)(high >> 32));
  }
}

// Four codes of four bits, one in each byte, as values -8 ... 7.
DEVICE u32 values_of_codes(u32 codes) {
  const u32 x = codes ^ 0x08080808u;
  return x | (x & 0x08080808u) * 0x1E;
}

// State 0 and the keys of a pass's rows: a thread for each group of 64 values, and one for the key.
// `seeds`: 32 bytes for each row at a distance of `seedStride` u64s, or one seed for all if that is 0. `numbers`: which rows of
// their passes they are; none if row i is number i.
KERNEL(128) void make_inputs(unsigned char* states, u32* keys, const u64* seeds, u32 seedStride, const u32* numbers, u32 rows,
                        u32 width, u32 tiled) {
  const u32 groups = width / 64, index = global_thread(), row = index / (groups + 1), group = index % (groups + 1);
  if (row >= rows) return;
  u64 a[25], seed[4];
  keccak_clear(a);
  load_digest(seed, seeds + (u64)row * seedStride);
  UNROLL
  for (int i = 0; i < 4; i++) a[i] = seed[i];
  a[7] = lane_of_number(numbers == nullptr ? row : numbers[row]);
  a[11] = lane_of_number(group);
  keccak_short<12>(a);
  if (group == groups) {
    keys[row] = swap_bytes((u32)a[0]);
    return;
  }
  UNROLL
  for (u32 piece = 0; piece < 4; piece++) {
    const u64 low = a[2 * (piece % 2)] >> (piece / 2 * 4), high = a[2 * (piece % 2) + 1] >> (piece / 2 * 4);
    const u32 mask = 0x0F0F0F0Fu;
    store_words(states + state_offset(tiled, width, row, 4 * group + piece), values_of_codes((u32)low & mask),
                values_of_codes((u32)(low >> 32) & mask), values_of_codes((u32)high & mask),
                values_of_codes((u32)(high >> 32) & mask));
  }
}

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

// Digests of the chunks of `rows` states: a thread for each chunk. out: [row][chunk].
KERNEL(128) void digest_chunks(const unsigned char* states, u64* out, u32 rows, u32 width, u32 tiled) {
  const u32 chunks = width / 256, index = global_thread(), row = index / chunks, chunk = index % chunks;
  if (row >= rows) return;
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
  for (int i = 0; i < 4; i++) out[(u64)index * 4 + i] = a[i];
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

// Digests of states from those of their chunks: a thread for each row.
// `digests`, if given: [row]. `frontier`, if given: [level][row], the nodes of each row's tree that wait for their right sibling,
// to which the digest is added as leaf number `leaf`. Leaves are added in order.
KERNEL(128) void digest_states(const u64* chunkDigests, u64* digests, u64* frontier, u32 leaf, u32 rows, u32 width) {
  const u32 row = global_thread(), lanes = width / 256 * 4;
  if (row >= rows) return;
  u64 node[4];
  digest_of_chunks(node, chunkDigests + (u64)row * lanes, lanes);
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

// Roots of trees whose `leaves` leaves went through the frontier: a thread for each row.
KERNEL(128) void frontier_roots(const u64* frontier, u64* roots, u32 leaves, u32 rows) {
  const u32 row = global_thread();
  if (row >= rows) return;
  u32 depth = 0;
  while ((1u << depth) < leaves) depth++;
  u64 node[4] = {0, 0, 0, 0};
  bool there = false;
  for (u32 level = 0; level < depth; level++) {
    const bool waits = (leaves >> level & 1) != 0;
    if (!waits && !there) continue;
    u64 left[4], right[4];
    UNROLL
    for (int i = 0; i < 4; i++) {
      left[i] = waits ? frontier[((u64)level * rows + row) * 4 + i] : node[i];
      right[i] = waits ? node[i] : 0;
    }
    hash_pair(node, left, right);
    there = true;
  }
  if (!there) load_digest(node, frontier + ((u64)depth * rows + row) * 4);
  store_digest(roots + (u64)row * 4, node);
}

// Roots of the trees of rows whose digests are all there, [leaf][row]: a block for each row. Overwrites the digests: node i of level
// v takes the place of leaf i * 2^v.
KERNEL(256) void fold_rows(u64* digests, u64* roots, u32 leaves, u32 rows) {
  const u32 row = block_index();
  for (u32 stride = 1; stride < leaves; stride *= 2) {
    const u32 count = (leaves + stride - 1) / stride;
    for (u32 pair = thread_index(); 2 * pair < count; pair += block_threads()) {
      u64* place = digests + ((u64)(2 * pair) * stride * rows + row) * 4;
      u64 node[4], left[4], right[4] = {0, 0, 0, 0};
      load_digest(left, place);
      if (2 * pair + 1 < count) load_digest(right, place + (u64)stride * rows * 4);
      hash_pair(node, left, right);
      store_digest(place, node);
    }
    sync_block();
  }
  if (thread_index() < 4) roots[(u64)row * 4 + thread_index()] = digests[(u64)row * 4 + thread_index()];
}

// Whole states, packed, to where they are wanted: a thread for each group of each entry. `entries`: pairs of row and place.
KERNEL(128) void export_rows(const unsigned char* states, u64* out, const u32* entries, u32 count, u32 width, u32 tiled) {
  const u32 groups = width / 64, index = global_thread(), entry = index / groups, group = index % groups;
  if (entry >= count) return;
  u64 packed[4];
  pack_group(packed, states, tiled, width, entries[2 * entry], group);
  store_digest(out + ((u64)entries[2 * entry + 1] * groups + group) * 4, packed);
}
