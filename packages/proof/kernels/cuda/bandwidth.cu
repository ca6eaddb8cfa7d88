// Steps of a bandwidth pass: every byte of the weights is read once, by the thread that multiplies it. Tiled layout, 16 gates, lanes of
// 8 rows. docs/proof.md section 6.
//
// A block takes whole groups (128 columns of one lane's layer), its warps different blocks of k; their sums are joined in shared memory.
// Weights are the operand of 16 lines, states that of 8 columns. Which k a fragment's registers mean is free as long as both operands
// agree: thread t of a quad takes bytes 16t ... 16t + 15 of each 64, so that every access is of 16 bytes.
// Each thread keeps a ring of its own pieces in shared memory, filled ahead without regard to steps: weights do not depend on states, so
// the next step's are on their way while blocks wait for one another.
#include "layout.cuh"

#define LANE_ROWS 8
#define BANDWIDTH_THREADS 256
#define BANDWIDTH_WARPS (BANDWIDTH_THREADS / 32)
#define QUAD_BYTES (4 * 16 * BANDWIDTH_THREADS)
#define SUMS_PER_LANE 32
#define JOIN_BYTES (BANDWIDTH_WARPS * SUMS_PER_LANE * 32 * 4)
#define FOLD_BYTES (BANDWIDTH_WARPS * 2 * 32 * 4)

struct BandwidthShape {
  u32 width, lanes, kBlocks, groups, units;
};

// A place in the order in which a warp goes through its weights.
struct Reader {
  u32 step, unit, kBlock, pair;
  const unsigned char* tile;
};

DEVICE const unsigned char* tile_of(const Reader& at, const u64* layers, const BandwidthShape& shape) {
  const u32 lane = at.unit / shape.groups, group = at.unit % shape.groups;
  const unsigned char* layer = (const unsigned char*)load_constant(layers + (u64)at.step * shape.lanes + lane);
  return layer + ((u64)group * shape.kBlocks + at.kBlock) * TILE_BYTES;
}

// To the next 2 KiB of a tile, the next tile of the unit, the next unit, the next step.
DEVICE void advance(Reader& at, u32 lastStep, u32 warp, const u64* layers, const BandwidthShape& shape) {
  if (++at.pair < TILED_GATES / 2) return;
  at.pair = 0;
  at.kBlock += BANDWIDTH_WARPS;
  if (at.kBlock >= shape.kBlocks) {
    at.kBlock = warp;
    at.unit += block_count();
    if (at.unit >= shape.units) {
      at.unit = block_index();
      at.step++;
    }
  }
  if (at.step < lastStep) at.tile = tile_of(at, layers, shape);
}

// Adds up the warps' sums of a unit and writes its outputs: 8 outputs of 8 rows.
DEVICE void join_unit(const int (&sums)[TILED_GATES / 2][4], u32* join, u32* fold, unsigned char* next, const u32* keys,
                      u32 layer, u32 width, u32 group) {
  const u32 warp = thread_index() / 32, lane = thread_index() % 32;
  UNROLL
  for (u32 pair = 0; pair < TILED_GATES / 2; pair++) {
    UNROLL
    for (u32 q = 0; q < 4; q++) join[(warp * SUMS_PER_LANE + pair * 4 + q) * 32 + lane] = (u32)sums[pair][q];
  }
  sync_block();
  u32 total[4] = {0, 0, 0, 0};
  UNROLL
  for (u32 from = 0; from < BANDWIDTH_WARPS; from++) {
    UNROLL
    for (u32 q = 0; q < 4; q++) total[q] += join[(from * SUMS_PER_LANE + warp * 4 + q) * 32 + lane];
  }
  // This warp's two gates of output lane / 4, for rows 2 (lane % 4) and the next.
  const u32 even = gate_factor(2 * warp), odd = gate_factor(2 * warp + 1);
  fold[(warp * 2) * 32 + lane] = total[0] * even ^ total[2] * odd;
  fold[(warp * 2 + 1) * 32 + lane] = total[1] * even ^ total[3] * odd;
  sync_block();
  if (warp >= 2) return;
  const u32 output = group * GROUP_OUTPUTS + lane / 4, row = lane % 4 * 2 + warp;
  u32 z = tweak(keys[row], layer, output);
  UNROLL
  for (u32 from = 0; from < BANDWIDTH_WARPS; from++) z ^= fold[(from * 2 + warp) * 32 + lane];
  next[(u64)row * width + output] = (unsigned char)requantise(z);
}

// Steps firstStep ... lastStep - 1 of all lanes. `states`: [step][lane][8 rows][k], of which `firstStep` is there. `layers`: addresses.
// `arrivals`: 0 at launch. More than one step needs a cooperative launch, as blocks wait for each other between steps.
// RING: quads of 16 bytes that a thread keeps on their way.
template <int RING>
DEVICE void bandwidth_steps(unsigned char* states, const u32* keys, const u64* layers, u32* arrivals, u32 firstStep,
                            u32 lastStep, u32 lanes, u32 width) {
  const u32 warp = thread_index() / 32, lane = thread_index() % 32;
  BandwidthShape shape;
  shape.width = width;
  shape.lanes = lanes;
  shape.kBlocks = width / 128;
  shape.groups = width / GROUP_OUTPUTS;
  shape.units = lanes * shape.groups;
  unsigned char* const ring = shared_pointer() + thread_index() * 16;
  const u32 ringAddress = shared_address() + thread_index() * 16;
  u32* const join = (u32*)(shared_pointer() + RING * QUAD_BYTES);
  u32* const fold = join + JOIN_BYTES / 4;
  const u32 offset = tile_offset(lane / 4, lane % 4);

  Reader ahead;
  ahead.step = block_index() < shape.units && warp < shape.kBlocks ? firstStep : lastStep;
  ahead.unit = block_index();
  ahead.kBlock = warp;
  ahead.pair = 0;
  ahead.tile = ahead.step < lastStep ? tile_of(ahead, layers, shape) : nullptr;
  u32 fillSlot = 0;
  auto fetch = [&]() {
    if (ahead.step < lastStep) {
      const unsigned char* from = ahead.tile + ahead.pair * 2048;
      const u32 to = ringAddress + fillSlot * QUAD_BYTES;
      copy_async(to, from + offset);
      copy_async(to + QUAD_BYTES / 4, from + (offset ^ 64));
      copy_async(to + QUAD_BYTES / 2, from + 1024 + offset);
      copy_async(to + QUAD_BYTES / 4 * 3, from + 1024 + (offset ^ 64));
      advance(ahead, lastStep, warp, layers, shape);
    }
    copy_commit();
    fillSlot = fillSlot + 1 == RING ? 0 : fillSlot + 1;
  };
  for (u32 i = 0; i < RING - 1; i++) fetch();

  u32 useSlot = 0;
  for (u32 step = firstStep; step < lastStep; step++) {
    if (step > firstStep) {
      sync_block();
      if (thread_index() == 0) arrive_and_wait(arrivals, (step - firstStep) * block_count());
      sync_block();
    }
    for (u32 unit = block_index(); unit < shape.units; unit += block_count()) {
      const u32 group = unit % shape.groups, rowsBefore = unit / shape.groups * LANE_ROWS;
      const u64 stateRow = (u64)step * lanes * LANE_ROWS + rowsBefore;
      const unsigned char* state = states + (stateRow + lane / 4) * width + lane % 4 * 16;
      int sums[TILED_GATES / 2][4] = {};
      for (u32 kBlock = warp; kBlock < shape.kBlocks; kBlock += BANDWIDTH_WARPS) {
        const Words low = load_shared_by_all(state + kBlock * 128), high = load_shared_by_all(state + kBlock * 128 + 64);
        UNROLL
        for (u32 pair = 0; pair < TILED_GATES / 2; pair++) {
          copy_wait<RING - 2>();
          const unsigned char* slot = ring + useSlot * QUAD_BYTES;
          const Words even0 = *(const Words*)slot, even1 = *(const Words*)(slot + QUAD_BYTES / 4);
          const Words odd0 = *(const Words*)(slot + QUAD_BYTES / 2), odd1 = *(const Words*)(slot + QUAD_BYTES / 4 * 3);
          multiply_add(sums[pair], even0.x, odd0.x, even0.y, odd0.y, low.x, low.y);
          multiply_add(sums[pair], even0.z, odd0.z, even0.w, odd0.w, low.z, low.w);
          multiply_add(sums[pair], even1.x, odd1.x, even1.y, odd1.y, high.x, high.y);
          multiply_add(sums[pair], even1.z, odd1.z, even1.w, odd1.w, high.z, high.w);
          useSlot = useSlot + 1 == RING ? 0 : useSlot + 1;
          fetch();
        }
      }
      const u32 layer = step * lanes + unit / shape.groups;
      unsigned char* next = states + (stateRow + (u64)lanes * LANE_ROWS) * width;
      join_unit(sums, join, fold, next, keys + rowsBefore, layer, width, group);
    }
  }
}

// Shared memory for devices that have 99, 163 or 227 KiB for a block.
#define BANDWIDTH_KERNEL(name, ring)                                                                                  \
  KERNEL(BANDWIDTH_THREADS) void                                                                                          \
  name(unsigned char* states, const u32* keys, const u64* layers, u32* arrivals, u32 firstStep, u32 lastStep,         \
       u32 lanes, u32 width) {                                                                                        \
    bandwidth_steps<ring>(states, keys, layers, arrivals, firstStep, lastStep, lanes, width);                         \
  }
BANDWIDTH_KERNEL(bandwidth_steps_4, 4)
BANDWIDTH_KERNEL(bandwidth_steps_8, 8)
BANDWIDTH_KERNEL(bandwidth_steps_12, 12)
