// Convolution's inner loops for every generation of processors, and the choice among them.

#include "convolution.h"

// A product and the sum it is added to are rounded once: twice as fast, and closer.
#if defined(__clang__)
#pragma STDC FP_CONTRACT ON
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

#ifdef __GNUC__
#define UNROLLED _Pragma("GCC unroll 16")
#else
#define UNROLLED
#endif

#define JOINED(name, generation) name##_##generation
#define NAMED(name, generation) JOINED(name, generation)
#define FOR_GENERATION(name) NAMED(name, GENERATION)

// A register of channels: how many there are in some blocks, and where register v lies.
#define REGISTERS_OF(blocks) ((blocks) * CHANNELS / LANES)
#define PLACE_OF(v, block) (((v) * LANES / CHANNELS) * (block) + ((v) * LANES) % CHANNELS)

#if defined(__x86_64__) && defined(__GNUC__)
#define CHOOSES

#define GENERATION avx512
#define TARGET __attribute__((target("arch=x86-64-v4")))
#define LANES 16
#define ROWS 8
#define TAPS 8
#include "tiles.h"

#define GENERATION avx2
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define LANES 8
#define ROWS 4
#define TAPS 6
#include "tiles.h"
#endif

#define GENERATION any
#define TARGET
#ifdef __GNUC__
#define LANES 4
#else
#define LANES 1
#endif
#define ROWS 4
#define TAPS 2
#include "tiles.h"

void products(float *restrict wide, const Products *given) {
#ifdef CHOOSES
  if (__builtin_cpu_supports("x86-64-v4")) {
    products_avx512(wide, given);
    return;
  }
  if (__builtin_cpu_supports("x86-64-v3")) {
    products_avx2(wide, given);
    return;
  }
#endif
  products_any(wide, given);
}

void outer_products(float *restrict sums, const Outer *given) {
#ifdef CHOOSES
  if (__builtin_cpu_supports("x86-64-v4")) {
    outer_products_avx512(sums, given);
    return;
  }
  if (__builtin_cpu_supports("x86-64-v3")) {
    outer_products_avx2(sums, given);
    return;
  }
#endif
  outer_products_any(sums, given);
}
