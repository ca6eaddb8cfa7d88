// The words of `device.cuh` for a processor without a device: every thread of a block is a fiber, and what a warp, a warpgroup or a
// block does together happens when the last of them has come. The kernels' own sources run on it, bit for bit.
//
// What a device does in its own time can be done here at either end of what is allowed, so that a kernel that waits too little or
// frees too early gives a wrong result: copies as soon as they are asked for or not before they are waited for, and likewise
// the matrix operations of warpgroups. The order in which fibers run can be turned round or shuffled.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <sys/mman.h>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#define KERNEL(threads) extern "C"
#define DEVICE static inline
#define CONSTANT static const
#define UNROLL

struct alignas(16) Words { u32 x, y, z, w; };

namespace emulator {

struct Options {
  bool copiesLate = true, multipliesLate = true;
  /** 0 in order, 1 backwards, else a seed to shuffle by. */
  u32 order = 0;
};
inline Options options;

/** How often fibers may be gone through without any of them getting on, before that is taken for a deadlock. */
constexpr int MOST_IDLE_ROUNDS = 4;
constexpr size_t STACK_BYTES = 256 << 10;
/** Shared memory does not begin at 0 on a device either. */
constexpr u32 SHARED_BASE = 1024 + 256;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "emulator: %s\n", what);
  std::abort();
}

struct Gate {
  u32 arrived = 0, generation = 0;
};

struct Copy {
  u32 shared;
  const void* global;
  u32 bytes;
};

struct Multiply {
  u64 a, b;
  u32 accumulate, committedBefore;
  int* sums[128];
};

struct Barrier {
  u32 arrivals, pending, phase = 0;
  std::int64_t bytes = 0;
  std::vector<Copy> copies;
};

struct Warp {
  Gate gate;
  void* operands[32];
};

struct WarpGroup {
  Gate gate;
  void* operands[128];
  std::vector<Multiply> queue;
};

struct Block;

struct Fiber {
  Block* block;
  u32 thread;
  bool done = false;
  /** What it waits for: until this is no longer `seen`. None if it can run. */
  const u32* waitsFor = nullptr;
  u32 seen = 0;
  /** It looks again and again at what others have to change. */
  bool spins = false;
  std::vector<std::vector<Copy>> copies{1};
  u32 commits = 0;
  unsigned char* stack = nullptr;
  void* pointer = nullptr;
#if !defined(__x86_64__)
  ucontext_t context;
#endif
};

struct Block {
  u32 index, count, threads;
  std::vector<unsigned char> memory;
  unsigned char* shared;
  u32 sharedBytes;
  Gate gate;
  std::vector<Warp> warps;
  std::vector<WarpGroup> groups;
  std::map<u32, Barrier> barriers;
  std::vector<Fiber> fibers;
};

inline Fiber* self = nullptr;
inline const std::function<void()>* body = nullptr;

#if defined(__x86_64__)
extern "C" void emulator_switch(void** from, void* to);
asm(R"(
.text
.type emulator_switch,@function
emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulator_switch,.-emulator_switch
)");
inline void* scheduler = nullptr;
#else
inline ucontext_t scheduler;
#endif

inline void yield() {
#if defined(__x86_64__)
  emulator_switch(&self->pointer, scheduler);
#else
  swapcontext(&self->context, &scheduler);
#endif
}

inline void enter() {
  (*body)();
  self->done = true;
  yield();
  std::abort();
}

/** Stacks of fibers that have ended. */
inline std::vector<unsigned char*> stacks;

inline unsigned char* take_stack() {
  if (!stacks.empty()) {
    unsigned char* stack = stacks.back();
    stacks.pop_back();
    return stack;
  }
  void* stack = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) fail("no memory for a fiber");
  return static_cast<unsigned char*>(stack);
}

inline void prepare(Fiber& fiber) {
  fiber.stack = take_stack();
#if defined(__x86_64__)
  auto* top = reinterpret_cast<void**>(fiber.stack + STACK_BYTES);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&enter);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.pointer = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = STACK_BYTES;
  makecontext(&fiber.context, enter, 0);
#endif
}

inline void resume(Fiber& fiber) {
  self = &fiber;
#if defined(__x86_64__)
  emulator_switch(&scheduler, fiber.pointer);
#else
  swapcontext(&scheduler, &fiber.context);
#endif
  self = nullptr;
}

inline void wait_for(const u32& value, u32 seen) {
  while (value == seen) {
    self->waitsFor = &value;
    self->seen = seen;
    yield();
  }
  self->waitsFor = nullptr;
}

/** Does `work` once, when `size` threads have come with their operands. */
template <class Work> void together(Gate& gate, void** operands, u32 place, u32 size, void* own, Work work) {
  if (operands != nullptr) operands[place] = own;
  const u32 generation = gate.generation;
  if (++gate.arrived < size) return wait_for(gate.generation, generation);
  gate.arrived = 0;
  work();
  gate.generation++;
}

inline unsigned char* at_shared(Block& block, u32 address, u32 bytes) {
  if (address < SHARED_BASE || address - SHARED_BASE + bytes > block.sharedBytes) fail("shared memory out of range");
  return block.shared + (address - SHARED_BASE);
}

inline void perform(Block& block, const Copy& copy) {
  std::memcpy(at_shared(block, copy.shared, copy.bytes), copy.global, copy.bytes);
}

/** Goes through the blocks' fibers until all have ended. */
inline void run_blocks(std::vector<std::unique_ptr<Block>>& blocks, const std::function<void()>& entry) {
  body = &entry;
  std::vector<Fiber*> alive;
  for (auto& block : blocks)
    for (Fiber& fiber : block->fibers) alive.push_back(&fiber);
  if (options.order == 1) std::vector<Fiber*>(alive.rbegin(), alive.rend()).swap(alive);
  u32 random = options.order | 1;
  int idle = 0;
  while (!alive.empty()) {
    bool moved = false;
    if (options.order > 1)
      for (size_t i = alive.size() - 1; i > 0; i--) {
        random = random * 1664525 + 1013904223;
        std::swap(alive[i], alive[(random >> 8) % (i + 1)]);
      }
    size_t kept = 0;
    for (Fiber* fiber : alive) {
      if (fiber->waitsFor == nullptr || *fiber->waitsFor != fiber->seen) {
        const bool spun = fiber->spins;
        fiber->spins = false;
        resume(*fiber);
        if (!spun || !fiber->spins) moved = true;
      }
      if (!fiber->done) alive[kept++] = fiber;
    }
    alive.resize(kept);
    idle = moved ? 0 : idle + 1;
    if (idle > MOST_IDLE_ROUNDS) fail("deadlock");
  }
}

inline std::unique_ptr<Block> make_block(u32 index, u32 count, u32 threads, u32 sharedBytes) {
  auto block = std::make_unique<Block>();
  block->index = index;
  block->count = count;
  block->threads = threads;
  block->memory.assign(sharedBytes + 4096, 0xEE);
  const auto start = reinterpret_cast<std::uintptr_t>(block->memory.data());
  block->shared = reinterpret_cast<unsigned char*>((start + 1023) / 1024 * 1024 + SHARED_BASE % 1024);
  block->sharedBytes = sharedBytes;
  block->warps.resize((threads + 31) / 32);
  block->groups.resize((threads + 127) / 128);
  block->fibers.resize(threads);
  for (u32 i = 0; i < threads; i++) {
    block->fibers[i].block = block.get();
    block->fibers[i].thread = i;
    prepare(block->fibers[i]);
  }
  return block;
}

inline void free_block(Block& block) {
  for (Fiber& fiber : block.fibers) stacks.push_back(fiber.stack);
}

/** One launch. `atOnce`: all blocks are there at once, as after a cooperative launch. */
inline void launch(u32 count, u32 threads, u32 sharedBytes, bool atOnce, const std::function<void()>& entry) {
  for (u32 first = 0; first < count; first += atOnce ? count : 1) {
    std::vector<std::unique_ptr<Block>> blocks;
    for (u32 i = first; i < (atOnce ? count : first + 1); i++)
      blocks.push_back(make_block(i, count, threads, sharedBytes));
    run_blocks(blocks, entry);
    for (auto& block : blocks) free_block(*block);
  }
}

inline Warp& own_warp() { return self->block->warps[self->thread / 32]; }
inline WarpGroup& own_group() { return self->block->groups[self->thread / 128]; }

inline void settle(Barrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  barrier.pending = barrier.arrivals;
  barrier.phase++;
}

inline void complete(Block& block, Barrier& barrier) {
  std::vector<Copy> copies;
  copies.swap(barrier.copies);
  for (const Copy& copy : copies) {
    perform(block, copy);
    barrier.bytes -= copy.bytes;
  }
  if (!copies.empty()) settle(barrier);
}

/** Byte `k` of line `line` of an operand with K contiguous and 128-byte swizzle. PTX ISA, "Matrix descriptor", "Swizzling modes". */
inline int operand(Block& block, u64 descriptor, u32 line, u32 k) {
  if (descriptor >> 62 != 1) fail("a descriptor without 128-byte swizzle");
  if ((descriptor >> 49 & 7) != 0) fail("a descriptor with a base offset");
  const u32 start = (u32)(descriptor & 0x3FFF) << 4, stride = (u32)(descriptor >> 32 & 0x3FFF) << 4;
  const u32 address = start + line / 8 * stride + line % 8 * 128 + k;
  return (signed char)*at_shared(block, address ^ (address >> 7 & 7) << 4, 1);
}

inline void perform(Block& block, const Multiply& multiply) {
  std::vector<signed char> a(64 * 32), b(256 * 32);
  for (u32 i = 0; i < 64 * 32; i++) a[i] = (signed char)operand(block, multiply.a, i / 32, i % 32);
  for (u32 i = 0; i < 256 * 32; i++) b[i] = (signed char)operand(block, multiply.b, i / 32, i % 32);
  for (u32 thread = 0; thread < 128; thread++)
    for (u32 i = 0; i < 128; i++) {
      const u32 lane = thread % 32, row = thread / 32 * 16 + lane / 4 + i % 4 / 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      int sum = multiply.accumulate ? multiply.sums[thread][i] : 0;
      for (u32 k = 0; k < 32; k++) sum += a[row * 32 + k] * b[column * 32 + k];
      multiply.sums[thread][i] = sum;
    }
}

}  // namespace emulator

DEVICE u32 thread_index() { return emulator::self->thread; }
DEVICE u32 block_index() { return emulator::self->block->index; }
DEVICE u32 block_count() { return emulator::self->block->count; }
DEVICE u32 block_threads() { return emulator::self->block->threads; }
DEVICE unsigned char* shared_pointer() { return emulator::self->block->shared; }
DEVICE u32 shared_address() { return emulator::SHARED_BASE; }

DEVICE void sync_block() {
  emulator::Block& block = *emulator::self->block;
  emulator::together(block.gate, nullptr, 0, block.threads, nullptr, [] {});
}

DEVICE Words load_shared_by_all(const void* from) { return *(const Words*)from; }
DEVICE u64 load_constant(const u64* from) { return *from; }
DEVICE u32 swap_bytes(u32 x) { return __builtin_bswap32(x); }
DEVICE u32 funnel_left(u32 low, u32 high, u32 by) { return by % 32 == 0 ? high : high << by % 32 | low >> (32 - by % 32); }

DEVICE void arrive_and_wait(u32* counter, u32 target) {
  ++*counter;
  while (*counter < target) {
    emulator::self->spins = true;
    emulator::yield();
  }
}

DEVICE void copy_async(u32 shared, const void* global) {
  emulator::Fiber& fiber = *emulator::self;
  if (shared % 16 != 0 || (std::uintptr_t)global % 16 != 0) emulator::fail("a copy that is not aligned to 16 bytes");
  const emulator::Copy copy = {shared, global, 16};
  if (emulator::options.copiesLate) fiber.copies.back().push_back(copy);
  else emulator::perform(*fiber.block, copy);
}
DEVICE void copy_commit() { emulator::self->copies.emplace_back(); }
template <int N> DEVICE void copy_wait() {
  // The last entry is the group that is not committed yet.
  auto& groups = emulator::self->copies;
  while (groups.size() > N + 1) {
    for (const emulator::Copy& copy : groups.front()) emulator::perform(*emulator::self->block, copy);
    groups.erase(groups.begin());
  }
}

DEVICE void load_matrices(u32 (&d)[4], u32 shared) {
  struct Operand { u32 address; u32* d; } own = {shared, d};
  emulator::Warp& warp = emulator::own_warp();
  emulator::Block& block = *emulator::self->block;
  emulator::together(warp.gate, warp.operands, thread_index() % 32, 32, &own, [&] {
    for (u32 lane = 0; lane < 32; lane++)
      for (u32 matrix = 0; matrix < 4; matrix++) {
        const u32 line = static_cast<Operand*>(warp.operands[8 * matrix + lane / 4])->address;
        if (line % 16 != 0) emulator::fail("a matrix line that is not aligned to 16 bytes");
        std::memcpy(&static_cast<Operand*>(warp.operands[lane])->d[matrix], emulator::at_shared(block, line, 16) + lane % 4 * 4, 4);
      }
  });
}

DEVICE void multiply_add(int (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
  struct Operand { u32 a[4], b[2]; int* d; } own = {{a0, a1, a2, a3}, {b0, b1}, d};
  emulator::Warp& warp = emulator::own_warp();
  emulator::together(warp.gate, warp.operands, thread_index() % 32, 32, &own, [&] {
    const auto lane_at = [&](u32 lane) -> Operand& { return *static_cast<Operand*>(warp.operands[lane]); };
    signed char a[16][32], b[8][32];
    for (u32 lane = 0; lane < 32; lane++)
      for (u32 byte = 0; byte < 4; byte++) {
        const Operand& from = lane_at(lane);
        const u32 line = lane / 4, k = lane % 4 * 4 + byte;
        for (u32 i = 0; i < 4; i++) a[line + i % 2 * 8][k + i / 2 * 16] = (signed char)(from.a[i] >> 8 * byte);
        for (u32 i = 0; i < 2; i++) b[line][k + i * 16] = (signed char)(from.b[i] >> 8 * byte);
      }
    for (u32 lane = 0; lane < 32; lane++)
      for (u32 i = 0; i < 4; i++) {
        int sum = 0;
        for (u32 k = 0; k < 32; k++) sum += a[lane / 4 + i / 2 * 8][k] * b[lane % 4 * 2 + i % 2][k];
        lane_at(lane).d[i] += sum;
      }
  });
}

DEVICE void barrier_init(u32 barrier, u32 arrivals) {
  emulator::Barrier made;
  made.arrivals = made.pending = arrivals;
  emulator::at_shared(*emulator::self->block, barrier, 8);
  emulator::self->block->barriers[barrier] = made;
}
DEVICE void barrier_publish() {}
DEVICE emulator::Barrier& barrier_at(u32 address) {
  auto& barriers = emulator::self->block->barriers;
  const auto found = barriers.find(address);
  if (found == barriers.end()) emulator::fail("a barrier that was not initialised");
  return found->second;
}
DEVICE void barrier_arrive(u32 address) {
  emulator::Barrier& barrier = barrier_at(address);
  if (barrier.pending == 0) emulator::fail("more arrivals than a barrier expects");
  barrier.pending--;
  emulator::settle(barrier);
}
DEVICE void barrier_arrive_expecting(u32 address, u32 bytes) {
  barrier_at(address).bytes += bytes;
  barrier_arrive(address);
}
DEVICE void barrier_wait(u32 address, u32 parity) {
  emulator::Barrier& barrier = barrier_at(address);
  while ((barrier.phase & 1) == parity) {
    emulator::complete(*emulator::self->block, barrier);
    if ((barrier.phase & 1) != parity) return;
    emulator::self->spins = true;
    emulator::yield();
  }
}
DEVICE void copy_bulk(u32 shared, const void* global, u32 bytes, u32 address) {
  if (shared % 16 != 0 || (std::uintptr_t)global % 16 != 0 || bytes % 16 != 0) emulator::fail("a copy that is not aligned to 16 bytes");
  emulator::Barrier& barrier = barrier_at(address);
  barrier.copies.push_back({shared, global, bytes});
  if (!emulator::options.copiesLate) emulator::complete(*emulator::self->block, barrier);
}

template <int N> DEVICE void registers_grow() {}
template <int N> DEVICE void registers_shrink() {}

DEVICE void group_fence() {}
DEVICE void group_commit() { emulator::self->commits++; }
template <int N> DEVICE void group_wait() {
  emulator::WarpGroup& group = emulator::own_group();
  std::vector<emulator::Multiply> later;
  for (const emulator::Multiply& multiply : group.queue)
    if (multiply.committedBefore + N < emulator::self->commits) emulator::perform(*emulator::self->block, multiply);
    else later.push_back(multiply);
  group.queue.swap(later);
}
DEVICE void group_multiply(int (&d)[128], u64 a, u64 b, u32 accumulate) {
  emulator::WarpGroup& group = emulator::own_group();
  const u32 place = thread_index() % 128;
  emulator::together(group.gate, group.operands, place, 128, d, [&] {
    emulator::Multiply multiply = {a, b, accumulate, emulator::self->commits, {}};
    for (u32 i = 0; i < 128; i++) multiply.sums[i] = static_cast<int*>(group.operands[i]);
    if (emulator::options.multipliesLate) group.queue.push_back(multiply);
    else emulator::perform(*emulator::self->block, multiply);
  });
}
