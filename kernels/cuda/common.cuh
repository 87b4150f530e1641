// What every kernel here builds on: types, arithmetic in a wide type, sums over a warp and a block.
// The loader puts this text before each .cu file. CUDA_HOST is defined where a C++ compiler makes
// the kernels for a CPU, to test them: each inline function with GPU assembly has a second body.
#pragma once

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// ---- numbers of 16 bits: kept as bits, computed with as float ----

struct half_t {
  unsigned short bits;
};

struct bfloat_t {
  unsigned short bits;
};

__device__ __forceinline__ float wide(float x) { return x; }

__device__ __forceinline__ double wide(double x) { return x; }

__device__ __forceinline__ float wide(half_t x) {
#ifdef CUDA_HOST
  return host::float_from_half(x.bits);
#else
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#endif
}

__device__ __forceinline__ float wide(bfloat_t x) { return __uint_as_float((unsigned)x.bits << 16); }

// T: the type of a kernel's arrays, named by the macro SCALAR. (A macro named T would break NVRTC's
// own headers, which have template parameters of that name.)
#ifndef SCALAR
#define SCALAR float
#endif
using T = SCALAR;

// narrow<U>(x): x rounded to U, to nearest and even.
template <class U>
struct Narrow {
  static __device__ __forceinline__ U of(U x) { return x; }
};

template <>
struct Narrow<half_t> {
  static __device__ __forceinline__ half_t of(float x) {
#ifdef CUDA_HOST
    return {host::half_from_float(x)};
#else
    half_t y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
#endif
  }
};

template <>
struct Narrow<bfloat_t> {
  static __device__ __forceinline__ bfloat_t of(float x) {
    unsigned bits = __float_as_uint(x);
    if (x != x) return {(unsigned short)(bits >> 16 | 0x40u)};  // a quiet NaN, whatever its payload
    return {(unsigned short)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
  }
};

template <class U, class X>
__device__ __forceinline__ U narrow(X x) {
  return Narrow<U>::of(x);
}

// ACC: the type that arithmetic on T is done in.
using ACC = decltype(wide(T()));

__device__ __forceinline__ ACC infinity() { return __uint_as_float(0x7f800000u); }
__device__ __forceinline__ ACC not_a_number() { return __uint_as_float(0x7fc00000u); }

// ---- exactly rounded arithmetic: never contracted to an FMA, so that a CPU gets the same bits ----
// In float it is written as PTX: CuPy compiles with -ftz=true, which would make numbers below 1.2e-38
// zero, as it does in all other arithmetic here, in -x and in comparisons too.

#ifdef CUDA_HOST
__device__ __forceinline__ float mul_rn(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float add_rn(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub_rn(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float div_rn(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float sqrt_rn(float a) { return __fsqrt_rn(a); }
#else
__device__ __forceinline__ float mul_rn(float a, float b) {
  float y;
  asm("mul.rn.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}

__device__ __forceinline__ float add_rn(float a, float b) {
  float y;
  asm("add.rn.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}

__device__ __forceinline__ float sub_rn(float a, float b) {
  float y;
  asm("sub.rn.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}

__device__ __forceinline__ float div_rn(float a, float b) {
  float y;
  asm("div.rn.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
}

__device__ __forceinline__ float sqrt_rn(float a) {
  float y;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(y) : "f"(a));
  return y;
}
#endif

__device__ __forceinline__ double mul_rn(double a, double b) { return __dmul_rn(a, b); }
__device__ __forceinline__ double add_rn(double a, double b) { return __dadd_rn(a, b); }
__device__ __forceinline__ double sub_rn(double a, double b) { return __dsub_rn(a, b); }
__device__ __forceinline__ double div_rn(double a, double b) { return __ddiv_rn(a, b); }
__device__ __forceinline__ double sqrt_rn(double a) { return __dsqrt_rn(a); }

// x < 0, by its bits: those of the smallest negative number to those of -infinity.
__device__ __forceinline__ bool is_below_zero(float x) {
  return __float_as_uint(x) - 0x80000001u < 0x7f800000u;
}

__device__ __forceinline__ bool is_below_zero(double x) { return x < 0; }

// c[0] x^(N-1) + ... + c[N-1] by Horner's rule.
template <class X, int N>
__device__ __forceinline__ X polynomial(X x, const X (&c)[N]) {
  X y = mul_rn(x, c[0]);
#pragma unroll
  for (int i = 1; i < N - 1; i++) y = mul_rn(add_rn(y, c[i]), x);
  return add_rn(y, c[N - 1]);
}

// ---- functions by one name for float and double ----

__device__ __forceinline__ float exponential(float x) { return expf(x); }
__device__ __forceinline__ double exponential(double x) { return exp(x); }
__device__ __forceinline__ float logarithm(float x) { return logf(x); }
__device__ __forceinline__ double logarithm(double x) { return log(x); }

// ---- where this thread is ----

__device__ __forceinline__ int lane_index() { return threadIdx.x % WARP; }
__device__ __forceinline__ int warp_index() { return threadIdx.x / WARP; }

__device__ __forceinline__ long long thread_index() {
  return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ __forceinline__ long long n_threads() { return (long long)gridDim.x * blockDim.x; }

// ---- numbers that change from step to step: step_numbers of backend/replay.py ----

// In a captured step they are read from `later`, else from `now`.
template <class Numbers>
__device__ __forceinline__ Numbers at(const Numbers& now, const Numbers* later) {
  return later ? *later : now;
}

// ---- reductions: every thread gets the result, always added up in the same order ----

struct Sum {
  template <class X>
  static __device__ __forceinline__ X join(X a, X b) { return a + b; }
};

struct Max {  // a NaN is passed over, as fmax does
  static __device__ __forceinline__ float join(float a, float b) { return fmaxf(a, b); }
  static __device__ __forceinline__ double join(double a, double b) { return fmax(a, b); }
};

template <class Op, class X>
__device__ __forceinline__ X reduce_warp(X x) {
#pragma unroll
  for (int offset = WARP / 2; offset; offset /= 2) {
    x = Op::join(x, __shfl_xor_sync(ALL_LANES, x, offset));
  }
  return x;
}

// All N_WARPS warps of a block call it; `parts` is shared memory for N_WARPS numbers.
template <int N_WARPS, class Op, class X>
__device__ __forceinline__ X reduce_block(X x, X* parts) {
  x = reduce_warp<Op>(x);
  if (N_WARPS == 1) return x;
  if (lane_index() == 0) parts[warp_index()] = x;
  __syncthreads();
  x = parts[0];
#pragma unroll
  for (int i = 1; i < N_WARPS; i++) x = Op::join(x, parts[i]);
  __syncthreads();  // parts may be written again
  return x;
}
