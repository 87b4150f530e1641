// Lets a C++ compiler make CUDA kernels for a CPU, to test them without a GPU.
//
// It is included before the text of the kernels. What the text finds here: CUDA's keywords and
// vector types (this file), threads and barriers (host_threads.h), what the lanes of a warp do
// together (host_warp.h), asynchronous copies (host_copies.h), arithmetic (host_arithmetic.h).
//
// One thread of the CPU runs one block after another, with a fiber for each CUDA thread; the order
// in which the fibers run is chosen from outside. Not seen here: bank conflicts, races between
// blocks, the order in which a GPU makes writes visible, wgmma and TMA.
#pragma once

#include <math.h>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include <link.h>
#include <sys/mman.h>

#define CUDA_HOST 1

// ---- keywords ----

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// Nothing else is thread_local: all such variables together are a block's static shared memory.
#define __shared__ static thread_local

// ---- vector types: aligned as on a GPU ----

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
};

#define HOST_PAIR(name, number)             \
  struct alignas(2 * sizeof(number)) name { \
    number x, y;                            \
  };                                        \
  inline name make_##name(number x, number y) { return {x, y}; }

#define HOST_FOUR(name, number)                                            \
  struct alignas(4 * sizeof(number) < 16 ? 4 * sizeof(number) : 16) name { \
    number x, y, z, w;                                                     \
  };                                                                       \
  inline name make_##name(number x, number y, number z, number w) { return {x, y, z, w}; }

HOST_PAIR(char2, signed char)
HOST_PAIR(uchar2, unsigned char)
HOST_PAIR(short2, short)
HOST_PAIR(ushort2, unsigned short)
HOST_PAIR(int2, int)
HOST_PAIR(uint2, unsigned)
HOST_PAIR(longlong2, long long)
HOST_PAIR(ulonglong2, unsigned long long)
HOST_PAIR(float2, float)
HOST_PAIR(double2, double)
HOST_FOUR(char4, signed char)
HOST_FOUR(uchar4, unsigned char)
HOST_FOUR(short4, short)
HOST_FOUR(ushort4, unsigned short)
HOST_FOUR(int4, int)
HOST_FOUR(uint4, unsigned)
HOST_FOUR(float4, float)

#include "host_threads.h"
#include "host_warp.h"
#include "host_copies.h"
#include "host_arithmetic.h"
#include "host_sanitizer.h"
#include "host_export.h"
