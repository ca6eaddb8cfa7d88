// A test double of the CUDA driver library: the entry points that the engine calls, over emulated kernels. Built by tests alone.
//
// Work is queued as on a device, and done no sooner than somebody asks whether an event has come, one piece at a time, from whichever
// stream comes last: what is not ordered by a stream or an event happens in an order that nobody expects. Memory is of its own
// mapping between pages that may not be touched. The functions whose names begin with `double_` set devices up and break them.
typedef unsigned int u32;
typedef unsigned long long u64;
#include "../hashing.cu"
#include "../plain.cu"
#include "../step.cu"
#include "../bandwidth.cu"
#include "../hopper.cu"
#include <deque>
#include <string>
#include <tuple>
#include <unistd.h>

#define ENTRY extern "C" __attribute__((visibility("default")))

namespace {

enum Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_PTX = 218,
  NOT_FOUND = 500,
  NOT_READY = 600,
  LAUNCH_FAILED = 719,
  TOO_LARGE = 720,
};

using Work = std::function<void()>;

struct Kernel {
  std::function<Work(void**)> bind;
};

template <class... Arguments, size_t... places>
Work bind_to(void (*kernel)(Arguments...), void** from, std::index_sequence<places...>) {
  auto arguments = std::make_tuple(*static_cast<Arguments*>(from[places])...);
  return [=] { std::apply(kernel, arguments); };
}

template <class... Arguments> Kernel kernel_of(void (*kernel)(Arguments...)) {
  return {[=](void** from) { return bind_to(kernel, from, std::index_sequence_for<Arguments...>()); }};
}

const std::map<std::string, Kernel> kernels = {
    {"fill_weights", kernel_of(fill_weights)},
    {"make_inputs", kernel_of(make_inputs)},
    {"digest_chunks", kernel_of(digest_chunks)},
    {"digest_states", kernel_of(digest_states)},
    {"frontier_roots", kernel_of(frontier_roots)},
    {"fold_rows", kernel_of(fold_rows)},
    {"export_rows", kernel_of(export_rows)},
    {"plain_step", kernel_of(plain_step)},
    {"tiled_step", kernel_of(tiled_step)},
    {"hopper_step", kernel_of(hopper_step)},
    {"bandwidth_steps_4", kernel_of(bandwidth_steps_4)},
    {"bandwidth_steps_8", kernel_of(bandwidth_steps_8)},
    {"bandwidth_steps_12", kernel_of(bandwidth_steps_12)},
};

struct Context;

struct Event {
  u32 recorded = 0, come = 0;
};

struct Piece {
  Work work;
  /** What has to come before, and the how manieth time of it. */
  const Event* after = nullptr;
  u32 time = 0;
};

struct Stream {
  std::deque<Piece> queue;
};

struct Module {
  Context* context;
  std::string text;
};

struct Function {
  std::string name;
  const Kernel* kernel;
  int sharedBytes = 48 << 10;
};

struct Device {
  int major = 9, minor = 0, multiprocessors = 3, cooperative = 1, sharedMost = 227 << 10;
  size_t memoryBytes = size_t(256) << 20;
};

struct Context {
  int device = 0, references = 0, lost = 0;
  size_t used = 0;
  std::map<u64, size_t> memory;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<Event>> events;
  std::vector<std::unique_ptr<Module>> modules;
  std::vector<std::unique_ptr<Function>> functions;
};

bool initialised = false;
std::vector<Device> devices(1);
std::map<int, Context> contexts;
thread_local Context* current = nullptr;
std::map<std::string, int> faults, counts;

/** Whether the fault comes now: it was set to come after so many calls. */
bool faulty(const char* name) {
  const auto found = faults.find(name);
  if (found == faults.end()) return false;
  if (found->second-- > 0) return false;
  faults.erase(found);
  return true;
}

int lose(Context& context) {
  context.lost = LAUNCH_FAILED;
  for (auto& stream : context.streams) stream->queue.clear();
  return context.lost;
}

int usable() {
  if (!initialised) return NOT_INITIALIZED;
  if (current == nullptr) return INVALID_CONTEXT;
  return current->lost;
}

#define NEED_CONTEXT \
  if (const int problem = usable()) return problem

/** Does one piece of work of the last stream that can go on. */
bool work_once(Context& context) {
  for (size_t i = context.streams.size(); i-- > 0;) {
    auto& queue = context.streams[i]->queue;
    if (queue.empty() || (queue.front().after != nullptr && queue.front().after->come < queue.front().time)) continue;
    const Work work = std::move(queue.front().work);
    queue.pop_front();
    work();
    return true;
  }
  return false;
}

void finish_all(Context& context) {
  while (context.lost == 0 && work_once(context)) {
  }
}

bool within(Context& context, u64 address, size_t bytes) {
  auto next = context.memory.upper_bound(address);
  if (next == context.memory.begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}

template <class Part, class Whole> bool drop(std::vector<std::unique_ptr<Part>>& all, Whole* one) {
  for (size_t i = 0; i < all.size(); i++)
    if (all[i].get() == one) {
      all.erase(all.begin() + i);
      return true;
    }
  return false;
}

int launch(Function* function, u32 blocks, u32 threads, u32 shared, Stream* stream, void** parameters, bool atOnce) {
  NEED_CONTEXT;
  const Device& device = devices[current->device];
  if (faulty("launch")) return INVALID_VALUE;
  if (blocks == 0 || threads == 0 || threads > 1024 || (int)shared > function->sharedBytes) return INVALID_VALUE;
  if (atOnce && (!device.cooperative || (int)blocks > device.multiprocessors)) return TOO_LARGE;
  counts[function->name]++;
  const Work kernel = function->kernel->bind(parameters);
  Context* context = current;
  stream->queue.push_back({[=] {
    if (faulty("lose")) lose(*context);
    else emulator::launch(blocks, threads, shared, atOnce, kernel);
  }});
  return SUCCESS;
}

}  // namespace

// ---- the driver

ENTRY int cuInit(unsigned) {
  if (devices.empty()) return NO_DEVICE;
  initialised = true;
  return SUCCESS;
}
ENTRY int cuDriverGetVersion(int* version) {
  *version = 13000;
  return SUCCESS;
}
ENTRY int cuGetErrorName(int error, const char** name) {
  static const std::map<int, const char*> names = {
      {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},     {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
      {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"}, {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
      {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},   {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
      {INVALID_PTX, "CUDA_ERROR_INVALID_PTX"},         {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
      {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},             {TOO_LARGE, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE"}};
  const auto found = names.find(error);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? INVALID_VALUE : SUCCESS;
}
ENTRY int cuGetErrorString(int error, const char** text) {
  const char* name = nullptr;
  if (cuGetErrorName(error, &name) != SUCCESS) return INVALID_VALUE;
  *text = "what the double says of it";
  return SUCCESS;
}
ENTRY int cuDeviceGetCount(int* count) {
  *count = (int)devices.size();
  return initialised ? SUCCESS : NOT_INITIALIZED;
}
ENTRY int cuDeviceGet(int* device, int index) {
  if (index < 0 || index >= (int)devices.size()) return INVALID_DEVICE;
  *device = index;
  return SUCCESS;
}
ENTRY int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, length, "Double %d", device);
  return SUCCESS;
}
ENTRY int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  for (int i = 0; i < 16; i++) uuid[i] = (unsigned char)(16 * device + i);
  return SUCCESS;
}
ENTRY int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = devices[device].memoryBytes;
  return SUCCESS;
}
ENTRY int cuDeviceGetPCIBusId(char* id, int length, int device) {
  std::snprintf(id, length, "0000:%02x:00.0", device + 1);
  return SUCCESS;
}
ENTRY int cuDeviceGetAttribute(int* value, int attribute, int index) {
  const Device& device = devices[index];
  switch (attribute) {
    case 13: *value = 1980000; break;
    case 16: *value = device.multiprocessors; break;
    case 75: *value = device.major; break;
    case 76: *value = device.minor; break;
    case 95: *value = device.cooperative; break;
    case 97: *value = device.sharedMost; break;
    default: return INVALID_VALUE;
  }
  return SUCCESS;
}
ENTRY int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (!initialised) return NOT_INITIALIZED;
  Context& own = contexts[device];
  own.device = device;
  own.references++;
  *context = &own;
  return SUCCESS;
}
ENTRY int cuDevicePrimaryCtxRelease_v2(int device) {
  Context& own = contexts[device];
  if (own.references == 0) return INVALID_CONTEXT;
  if (--own.references > 0) return SUCCESS;
  counts["leaked"] += (int)(own.memory.size() + own.streams.size() + own.events.size() + own.modules.size());
  if (current == &own) current = nullptr;
  contexts.erase(device);
  return SUCCESS;
}
ENTRY int cuCtxSetCurrent(void* context) {
  current = static_cast<Context*>(context);
  return SUCCESS;
}
ENTRY int cuModuleLoadDataEx(void** module, const void* image, u32 options, const int* names, void** values) {
  NEED_CONTEXT;
  const std::string text = static_cast<const char*>(image);
  if (faulty("ptx") || text.find(".visible .entry") == std::string::npos) {
    for (u32 i = 0; i + 1 < options; i++)
      if (names[i] == 5 && names[i + 1] == 6)
        std::snprintf(static_cast<char*>(values[i]), (size_t)values[i + 1], "ptxas fatal : the double refuses");
    return INVALID_PTX;
  }
  const Device& device = devices[current->device];
  if (text.find(".target sm_90a") != std::string::npos && (device.major != 9 || device.minor != 0)) return INVALID_PTX;
  if (device.major < 8) return INVALID_PTX;
  current->modules.push_back(std::make_unique<Module>(Module{current, text}));
  *module = current->modules.back().get();
  return SUCCESS;
}
ENTRY int cuModuleUnload(void* module) {
  NEED_CONTEXT;
  return drop(current->modules, module) ? SUCCESS : INVALID_VALUE;
}
ENTRY int cuModuleGetFunction(void** function, void* module, const char* name) {
  NEED_CONTEXT;
  const auto found = kernels.find(name);
  const std::string entry = std::string(".entry ") + name + "(";
  if (found == kernels.end() || static_cast<Module*>(module)->text.find(entry) == std::string::npos) return NOT_FOUND;
  current->functions.push_back(std::make_unique<Function>(Function{name, &found->second}));
  *function = current->functions.back().get();
  return SUCCESS;
}
ENTRY int cuFuncSetAttribute(void* function, int attribute, int value) {
  NEED_CONTEXT;
  if (attribute != 8 || value > devices[current->device].sharedMost) return INVALID_VALUE;
  static_cast<Function*>(function)->sharedBytes = value;
  return SUCCESS;
}
ENTRY int cuMemAlloc_v2(u64* address, size_t bytes) {
  NEED_CONTEXT;
  if (bytes == 0) return INVALID_VALUE;
  if (faulty("memory") || current->used + bytes > devices[current->device].memoryBytes) return OUT_OF_MEMORY;
  const size_t page = sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
  auto* start = static_cast<unsigned char*>(
      mmap(nullptr, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (start == MAP_FAILED) return OUT_OF_MEMORY;
  mprotect(start + page, room, PROT_READ | PROT_WRITE);
  // Ends at the page that may not be touched, as far as its alignment allows.
  u64 begin = (u64)(start + page + (room - bytes) / 256 * 256);
  std::memset((void*)begin, 0xA5, bytes);
  current->memory[begin] = bytes;
  current->used += bytes;
  *address = begin;
  return SUCCESS;
}
ENTRY int cuMemFree_v2(u64 address) {
  NEED_CONTEXT;
  const auto found = current->memory.find(address);
  if (found == current->memory.end()) return INVALID_VALUE;
  finish_all(*current);
  const size_t page = sysconf(_SC_PAGESIZE), bytes = found->second, room = (bytes + page - 1) / page * page;
  munmap((void*)(address / page * page - page), room + 2 * page);
  current->used -= bytes;
  current->memory.erase(found);
  return SUCCESS;
}
ENTRY int cuMemGetInfo_v2(size_t* freeBytes, size_t* total) {
  NEED_CONTEXT;
  *total = devices[current->device].memoryBytes;
  *freeBytes = *total - current->used;
  return SUCCESS;
}
// As with streams that do not wait for the null stream, this waits for nothing.
ENTRY int cuMemcpyDtoH_v2(void* to, u64 from, size_t bytes) {
  NEED_CONTEXT;
  if (!within(*current, from, bytes)) return INVALID_VALUE;
  std::memcpy(to, (const void*)from, bytes);
  return SUCCESS;
}
ENTRY int cuMemcpyHtoDAsync_v2(u64 to, const void* from, size_t bytes, void* stream) {
  NEED_CONTEXT;
  if (!within(*current, to, bytes)) return INVALID_VALUE;
  const std::string staged(static_cast<const char*>(from), bytes);
  static_cast<Stream*>(stream)->queue.push_back({[=] { std::memcpy((void*)to, staged.data(), bytes); }});
  return SUCCESS;
}
ENTRY int cuMemsetD32Async(u64 to, u32 value, size_t count, void* stream) {
  NEED_CONTEXT;
  if (!within(*current, to, count * 4)) return INVALID_VALUE;
  static_cast<Stream*>(stream)->queue.push_back({[=] {
    for (size_t i = 0; i < count; i++) ((u32*)to)[i] = value;
  }});
  return SUCCESS;
}
ENTRY int cuStreamCreate(void** stream, u32 flags) {
  NEED_CONTEXT;
  if (flags != 1) return INVALID_VALUE;
  current->streams.push_back(std::make_unique<Stream>());
  *stream = current->streams.back().get();
  return SUCCESS;
}
ENTRY int cuStreamDestroy_v2(void* stream) {
  NEED_CONTEXT;
  finish_all(*current);
  return drop(current->streams, stream) ? SUCCESS : INVALID_VALUE;
}
ENTRY int cuStreamWaitEvent(void* stream, void* event, u32) {
  NEED_CONTEXT;
  const auto* own = static_cast<Event*>(event);
  static_cast<Stream*>(stream)->queue.push_back({[] {}, own, own->recorded});
  return SUCCESS;
}
ENTRY int cuEventCreate(void** event, u32) {
  NEED_CONTEXT;
  current->events.push_back(std::make_unique<Event>());
  *event = current->events.back().get();
  return SUCCESS;
}
ENTRY int cuEventDestroy_v2(void* event) {
  NEED_CONTEXT;
  finish_all(*current);
  return drop(current->events, event) ? SUCCESS : INVALID_VALUE;
}
ENTRY int cuEventRecord(void* event, void* stream) {
  NEED_CONTEXT;
  auto* own = static_cast<Event*>(event);
  const u32 time = ++own->recorded;
  static_cast<Stream*>(stream)->queue.push_back({[=] { own->come = time; }});
  return SUCCESS;
}
ENTRY int cuEventQuery(void* event) {
  NEED_CONTEXT;
  const auto* own = static_cast<Event*>(event);
  if (own->come < own->recorded) work_once(*current);
  if (current->lost != 0) return current->lost;
  return own->come < own->recorded ? NOT_READY : SUCCESS;
}
ENTRY int cuEventElapsedTime(float* milliseconds, void*, void*) {
  NEED_CONTEXT;
  *milliseconds = 1;
  return SUCCESS;
}
ENTRY int cuLaunchKernel(void* function, u32 x, u32 y, u32 z, u32 threads, u32, u32, u32 shared, void* stream,
                         void** parameters, void**) {
  if (y != 1 || z != 1) return INVALID_VALUE;
  return launch(static_cast<Function*>(function), x, threads, shared, static_cast<Stream*>(stream), parameters, false);
}
ENTRY int cuLaunchCooperativeKernel(void* function, u32 x, u32 y, u32 z, u32 threads, u32, u32, u32 shared, void* stream,
                                    void** parameters) {
  if (y != 1 || z != 1) return INVALID_VALUE;
  return launch(static_cast<Function*>(function), x, threads, shared, static_cast<Stream*>(stream), parameters, true);
}

// ---- what tests do to it

/** So many devices, of compute capability 9.0. Ends all faults. */
ENTRY void double_devices(int count) {
  devices.assign(count, Device());
  initialised = false;
  faults.clear();
  counts.clear();
}
ENTRY void double_device(int index, int major, int minor, int multiprocessors, int sharedMost, int cooperative, int memoryMib) {
  devices[index] = {major, minor, multiprocessors, cooperative, sharedMost, size_t(memoryMib) << 20};
}
/** `memory`, `launch`, `lose`, `ptx`: once, after so many calls that go well. */
ENTRY void double_fault(const char* name, int after) { faults[name] = after; }
/** How often a kernel was launched; or `leaked`, what contexts still held when they ended. */
ENTRY int double_count(const char* name) { return counts[name]; }
ENTRY void double_schedule(int copiesLate, int multipliesLate, int order) {
  emulator::options = {copiesLate != 0, multipliesLate != 0, (u32)order};
}
