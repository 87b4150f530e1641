// The threads of a block as fibers, block barriers, shared memory, and the loop over the blocks.
#pragma once

namespace host {

constexpr int LANES = 32;
constexpr size_t STACK = 64 << 10;            // bytes of stack for a fiber
constexpr unsigned STACK_END = 0x57ac0e4du;   // written at the far end of each stack
constexpr size_t SHARED_END = 1024;           // guarded bytes behind the dynamic shared memory
constexpr size_t STATIC_SHARED = 48 << 10;    // what a kernel may declare

enum class State { running, at_block_barrier, meeting, finished };

// Where a fiber waits, to be told from other places.
struct Place {
  const char* what;
  const char* file;
  int line;
};

struct Fiber {
  void* stack_pointer;
  uint3 thread;
  int lane, warp;
  State state;
  Place place;          // of the barrier or the meeting that it waits in
  unsigned mask;        // the lanes that a meeting waits for
  bool vote;            // what it brings to a block barrier
};

// One launch, as host_compiler.py lays it out.
struct Launch {
  unsigned grid[3], block[3];
  unsigned long long shared_bytes;
  unsigned order;   // 0: threads, warps and blocks in order; 1: in reverse; more: random, the seed
  unsigned poison;  // the byte that shared memory is filled with
};

static const Launch* launch;
static std::vector<Fiber> fibers;
static Fiber* current;  // the fiber that runs
static void* main_stack_pointer;
static char* stacks;
static size_t n_stacks;
static uint3 block;
static int votes;  // how many threads brought true to the last block barrier
static std::vector<unsigned char> dynamic_memory;
static char error[600];
static uint64_t random_state;

// ---- changing from one stack to another: saves what a called function must preserve ----

extern "C" void host_change_stack(void** save, void* load);

#if defined(__x86_64__)
asm(R"(
.text
.hidden host_change_stack
.globl host_change_stack
.type host_change_stack, @function
host_change_stack:
    push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
    ret
.size host_change_stack, .-host_change_stack
)");
#elif defined(__aarch64__)
asm(R"(
.text
.hidden host_change_stack
.globl host_change_stack
.type host_change_stack, %function
host_change_stack:
    sub sp, sp, #160
    stp x19, x20, [sp];       stp x21, x22, [sp, #16];  stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48];  stp x27, x28, [sp, #64];  stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96];    stp d10, d11, [sp, #112]; stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp];       ldp x21, x22, [sp, #16];  ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48];  ldp x27, x28, [sp, #64];  ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96];    ldp d10, d11, [sp, #112]; ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size host_change_stack, .-host_change_stack
)");
#else
#error "the host runner knows x86-64 and aarch64"
#endif

// The stack of a fiber that starts in `entry`.
inline void* fresh_stack(char* end, void (*entry)()) {
  *(unsigned*)(end - STACK) = STACK_END;
#if defined(__x86_64__)
  void** top = (void**)end - 8;  // six registers, the return address, and none for entry itself
  memset(top, 0, 8 * sizeof(void*));
  top[6] = (void*)entry;
#else
  void** top = (void**)(end - 160);
  memset(top, 0, 160);
  top[11] = (void*)entry;  // x30
#endif
  return top;
}

// ---- errors: the first one ends the launch ----

inline void leave() { host_change_stack(&current->stack_pointer, main_stack_pointer); }

__attribute__((format(printf, 1, 2))) inline void fail(const char* format, ...) {
  if (!error[0]) {
    va_list values;
    va_start(values, format);
    const int n = vsnprintf(error, sizeof error, format, values);
    va_end(values);
    if (current && n < (int)sizeof error) {
      const uint3 t = current->thread;
      snprintf(error + n, sizeof error - n, " (thread %u %u %u of block %u %u %u)", t.x, t.y, t.z,
               block.x, block.y, block.z);
    }
  }
  if (current) {
    current->state = State::finished;
    leave();
  }
}

// ---- waiting ----

inline void wait(State state, Place place) {
  current->state = state;
  current->place = place;
  leave();
}

inline int block_barrier(bool vote, Place place) {
  current->vote = vote;
  wait(State::at_block_barrier, place);
  return votes;
}

bool end_meetings(int warp);  // host_warp.h
void reset_warps();           // host_warp.h
void reset_copies();          // host_copies.h

// ---- the order in which fibers run ----

inline unsigned random_below(unsigned n) {  // splitmix64
  uint64_t x = random_state += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return (unsigned)((x ^ x >> 31) % n);
}

inline std::vector<int> in_order(int n) {
  std::vector<int> order(n);
  for (int i = 0; i < n; i++) order[i] = launch->order == 1 ? n - 1 - i : i;
  return order;
}

inline void shuffle(std::vector<int>& order) {
  for (int i = (int)order.size() - 1; i > 0; i--) std::swap(order[i], order[random_below(i + 1)]);
}

inline int warp_size(int warp) {
  const int left = (int)fibers.size() - warp * LANES;
  return left < LANES ? left : LANES;
}

// Runs each lane that can run up to its next wait; then ends the meetings that are complete.
inline bool run_warp(int warp) {
  std::vector<int> lanes = in_order(warp_size(warp));
  if (launch->order > 1) shuffle(lanes);
  bool progress = false;
  for (int lane : lanes) {
    Fiber& fiber = fibers[warp * LANES + lane];
    if (fiber.state != State::running) continue;
    progress = true;
    current = &fiber;
    host_change_stack(&main_stack_pointer, fiber.stack_pointer);
    current = nullptr;
    if (error[0]) return false;
  }
  return end_meetings(warp) || progress;
}

// Runs all warps until none can go on. A warp may run far ahead of another: all of the way to a
// block barrier in the fixed orders, a few meetings in the random ones.
inline void run_warps(std::vector<int>& warps) {
  const bool is_random = launch->order > 1;
  for (bool progress = true; progress && !error[0];) {
    progress = false;
    if (is_random) shuffle(warps);
    for (int warp : warps) {
      const unsigned turns = is_random ? 1 + random_below(4) : ~0u;
      for (unsigned turn = 0; turn < turns && run_warp(warp); turn++) progress = true;
    }
  }
}

inline const Fiber* first_in(State state) {
  for (const Fiber& fiber : fibers) {
    if (fiber.state == state) return &fiber;
  }
  return nullptr;
}

// No warp can go on: true if the block is done, else all threads must be at one barrier.
inline bool pass_block_barrier() {
  const Fiber* waiting = first_in(State::at_block_barrier);
  const Fiber* finished = first_in(State::finished);
  if (const Fiber* meeting = first_in(State::meeting)) {
    fail("divergent barrier: thread %u waits in %s at %s:%d for lanes 0x%08x, which do not come%s",
         meeting->thread.x, meeting->place.what, meeting->place.file, meeting->place.line,
         meeting->mask, waiting ? ": others wait in __syncthreads" : "");
    return false;
  }
  if (!waiting) return true;
  if (finished) {
    fail("divergent barrier: thread %u waits in __syncthreads at %s:%d, thread %u has returned",
         waiting->thread.x, waiting->place.file, waiting->place.line, finished->thread.x);
    return false;
  }
  votes = 0;
  for (Fiber& fiber : fibers) {
    if (fiber.place.line != waiting->place.line || strcmp(fiber.place.file, waiting->place.file)) {
      fail("divergent barrier: thread %u waits at %s:%d, thread %u at %s:%d", waiting->thread.x,
           waiting->place.file, waiting->place.line, fiber.thread.x, fiber.place.file,
           fiber.place.line);
      return false;
    }
    votes += fiber.vote;
    fiber.state = State::running;
  }
  return false;
}

// ---- shared memory ----

// The thread_local variables of this library: all of the static shared memory of its kernels.
struct SharedMemory {
  unsigned char* begin = nullptr;
  size_t size = 0;
};

static thread_local char shared_anchor;  // there is always one

inline SharedMemory static_shared() {
  SharedMemory found;
  shared_anchor = 1;  // the first use allocates the block
  dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void* result) {
        SharedMemory& found = *(SharedMemory*)result;
        for (int i = 0; i < library->dlpi_phnum; i++) {
          const auto& part = library->dlpi_phdr[i];
          unsigned char* begin = (unsigned char*)library->dlpi_tls_data;
          unsigned char* anchor = (unsigned char*)&shared_anchor;
          if (part.p_type != PT_TLS || begin == nullptr) continue;
          if (begin <= anchor && anchor < begin + part.p_memsz) found = {begin, part.p_memsz};
        }
        return 0;
      },
      &found);
  return found;
}

inline unsigned char* dynamic_shared() {
  const uintptr_t start = (uintptr_t)dynamic_memory.data();
  return (unsigned char*)((start + 1023) & ~(uintptr_t)1023);
}

inline void poison(const SharedMemory& memory) {
  memset(memory.begin, launch->poison, memory.size);
  memset(dynamic_memory.data(), launch->poison, dynamic_memory.size());
}

inline void check_ends() {
  const unsigned char* end = dynamic_shared() + launch->shared_bytes;
  for (size_t i = 0; i < SHARED_END - 1; i++) {
    if (end[i] == launch->poison) continue;
    return fail("a write %zu bytes behind the dynamic shared memory", i);
  }
  for (size_t i = 0; i < fibers.size(); i++) {
    if (*(unsigned*)(stacks + i * STACK) != STACK_END) return fail("a stack of 64 KB overflowed");
  }
}

// ---- blocks ----

static void (*body)();  // calls the kernel with its arguments

inline void fiber_entry() {
  body();
  current->state = State::finished;
  leave();
}

inline void start_fibers() {
  const unsigned* size = launch->block;
  for (size_t i = 0; i < fibers.size(); i++) {
    Fiber& fiber = fibers[i] = Fiber{};
    const unsigned n = (unsigned)i;
    fiber.thread = {n % size[0], n / size[0] % size[1], n / size[0] / size[1]};
    fiber.lane = (int)(i % LANES);
    fiber.warp = (int)(i / LANES);
    fiber.stack_pointer = fresh_stack(stacks + (i + 1) * STACK, fiber_entry);
  }
}

inline void run_block(const SharedMemory& memory) {
  poison(memory);
  start_fibers();
  reset_warps();
  reset_copies();
  std::vector<int> warps = in_order((int)(fibers.size() + LANES - 1) / LANES);
  do {
    run_warps(warps);
  } while (!error[0] && !pass_block_barrier());
  if (!error[0]) check_ends();
}

inline void make_stacks(size_t n) {
  if (n <= n_stacks) return;
  if (stacks) munmap(stacks, n_stacks * STACK);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  stacks = (char*)mmap(nullptr, n * STACK, PROT_READ | PROT_WRITE, flags, -1, 0);
  n_stacks = n;
}

// Runs all blocks; returns what went wrong, "" for nothing.
inline const char* run(const Launch* asked, void (*calls_kernel)()) {
  launch = asked;
  body = calls_kernel;
  error[0] = 0;
  current = nullptr;
  random_state = asked->order;
  const size_t n_threads = (size_t)asked->block[0] * asked->block[1] * asked->block[2];
  make_stacks(n_threads);
  fibers.assign(n_threads, Fiber{});
  dynamic_memory.assign(asked->shared_bytes + 1024 + SHARED_END, 0);
  const SharedMemory memory = static_shared();
  const unsigned* grid = asked->grid;
  std::vector<int> order = in_order((int)(grid[0] * grid[1] * grid[2]));
  if (asked->order > 1) shuffle(order);
  for (int i : order) {
    const unsigned n = (unsigned)i;
    block = {n % grid[0], n / grid[0] % grid[1], n / grid[0] / grid[1]};
    run_block(memory);
    if (error[0]) break;
  }
  return error;
}

inline dim3 as_dim3(const unsigned* sizes) { return {sizes[0], sizes[1], sizes[2]}; }

}  // namespace host

#define threadIdx (host::current->thread)
#define blockIdx (host::block)
#define blockDim (host::as_dim3(host::launch->block))
#define gridDim (host::as_dim3(host::launch->grid))
#define HOST_PLACE(what) host::Place{what, __FILE__, __LINE__}
#define __syncthreads() ((void)host::block_barrier(false, HOST_PLACE("__syncthreads")))
#define __syncthreads_count(vote) host::block_barrier((vote) != 0, HOST_PLACE("a count"))
#define __syncthreads_or(vote) (__syncthreads_count(vote) > 0)
#define __syncthreads_and(vote) (__syncthreads_count(vote) == (int)host::fibers.size())
#define __threadfence() ((void)0)
#define __threadfence_block() ((void)0)
