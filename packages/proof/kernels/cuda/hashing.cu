// Everything of a proof that is keccak: weights, inputs, digests, trees. docs/proof.md sections 4, 5 and 7.
#include "digests.cuh"

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

// Digests of the chunks of `rows` states: a thread for each chunk. out: [row][chunk].
KERNEL(128) void digest_chunks(const unsigned char* states, u64* out, u32 rows, u32 width, u32 tiled) {
  const u32 chunks = width / 256, index = global_thread(), row = index / chunks, chunk = index % chunks;
  if (row >= rows) return;
  u64 digest[4];
  digest_chunk(digest, states, tiled, width, row, chunk);
  store_digest(out + (u64)index * 4, digest);
}

// Digests of states from those of their chunks, as `digest_state`: a thread for each row.
KERNEL(128) void digest_states(const u64* chunkDigests, u64* digests, u64* frontier, u32 leaf, u32 rows, u32 width) {
  const u32 row = global_thread(), lanes = width / 256 * 4;
  if (row >= rows) return;
  digest_state(chunkDigests + (u64)row * lanes, lanes, digests, frontier, leaf, row, rows);
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
