// CUDA's intrinsics, by the same rounding. Those that are only approximate on a GPU are exact here.
#pragma once

// ---- bits ----

inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }

// ---- integers ----

inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

template <class Number>
Number min(Number a, Number b) {
  return b < a ? b : a;
}

template <class Number>
Number max(Number a, Number b) {
  return a < b ? b : a;
}

// ---- exactly rounded: the build forbids the compiler to contract a product and a sum ----

inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __drcp_rn(double a) { return 1.0 / a; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __ll2float_rn(long long x) { return (float)x; }
inline float __ull2float_rn(unsigned long long x) { return (float)x; }
inline double __ll2double_rn(long long x) { return (double)x; }
inline double __ull2double_rn(unsigned long long x) { return (double)x; }
inline float __double2float_rn(double x) { return (float)x; }
inline int __float2int_rn(float x) { return (int)nearbyintf(x); }

// ---- approximate on a GPU ----

#define __expf(x) expf(x)  // macros: the C library declares functions of these names
#define __logf(x) logf(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __powf(x, y) powf(x, y)
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }

// ---- memory: loads and stores with a hint, atomics (blocks run one after another) ----

template <class Value>
Value __ldg(const Value* address) {
  return *address;
}

template <class Value>
Value __ldcs(const Value* address) {
  return *address;
}

template <class Value>
Value __ldcg(const Value* address) {
  return *address;
}

template <class Value>
void __stcs(Value* address, Value value) {
  *address = value;
}

template <class Value>
Value atomicExch(Value* address, std::type_identity_t<Value> value) {
  return std::exchange(*address, value);
}

template <class Value>
Value atomicAdd(Value* address, std::type_identity_t<Value> value) {
  return std::exchange(*address, (Value)(*address + value));
}

template <class Value>
Value atomicOr(Value* address, std::type_identity_t<Value> value) {
  return std::exchange(*address, (Value)(*address | value));
}

template <class Value>
Value atomicMax(Value* address, std::type_identity_t<Value> value) {
  return std::exchange(*address, max<Value>(*address, value));
}

template <class Value>
Value atomicMin(Value* address, std::type_identity_t<Value> value) {
  return std::exchange(*address, min<Value>(*address, value));
}

template <class Value>
Value atomicCAS(Value* address, std::type_identity_t<Value> expected,
                std::type_identity_t<Value> value) {
  return std::exchange(*address, *address == expected ? value : *address);
}

// ---- half precision, as cvt.f32.f16 and cvt.rn.f16.f32 do it ----

namespace host {

inline float float_from_half(unsigned short bits) {
  const unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, rest = bits & 0x3ffu;
  if (exponent == 31) return __uint_as_float(sign | 0x7f800000u | rest << 13);
  const float size = exponent ? ldexpf((float)(rest + 1024u), (int)exponent - 25)
                              : ldexpf((float)rest, -24);
  return sign ? -size : size;
}

inline unsigned short half_from_float(float x) {
  if (x != x) return 0x7fffu;
  const unsigned sign = __float_as_uint(x) >> 16 & 0x8000u;
  const double size = fabs((double)x);
  if (size == 0.0) return (unsigned short)sign;  // frexp gives it the exponent 0
  if (size >= 65520.0) return (unsigned short)(sign | 0x7c00u);  // rounds to infinity
  int exponent;
  frexp(size, &exponent);
  exponent = exponent < -13 ? -13 : exponent;  // subnormal from 2**-14 down: steps of 2**-24
  const unsigned steps = (unsigned)nearbyint(ldexp(size, 11 - exponent));  // to nearest and even
  return (unsigned short)(sign | (((unsigned)(exponent + 13) << 10) + steps));
}

}  // namespace host
