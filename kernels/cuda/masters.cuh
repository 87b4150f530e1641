// What an update changes: parameters of float and double, and the float masters of those of 16 bits,
// which these are then rounded from. Every optimizer reads and writes them through this.
#pragma once

constexpr bool HAS_MASTER = sizeof(T) < sizeof(ACC);
constexpr int AT_ONCE = 16 / sizeof(ACC);  // values of a thread: 16 bytes reach the memory's speed

// Also of numbers below 1.2e-38, which -ftz=true takes for equal.
__device__ __forceinline__ bool same_bits(float a, float b) {
  return __float_as_uint(a) == __float_as_uint(b);
}
__device__ __forceinline__ bool same_bits(double a, double b) { return a == b; }

// N values from place i on. A parameter that is not its master rounded was changed by somebody else:
// then it is the value.
template <int N>
__device__ __forceinline__ Pack<ACC, N> load_values(const T* p, const ACC* master, long long i) {
  const Pack<ACC, N> seen = load_pack<N>(p + i);
  Pack<ACC, N> values = HAS_MASTER ? load_pack<N>(master + i) : seen;
#pragma unroll
  for (int k = 0; k < N; k++) {
    if (!same_bits(wide(narrow<T>(values.at[k])), seen.at[k])) values.at[k] = seen.at[k];
  }
  return values;
}

template <int N>
__device__ __forceinline__ void store_values(T* p, ACC* master, long long i,
                                             const Pack<ACC, N>& values) {
  if (HAS_MASTER) store_pack(master + i, values);
  store_pack(p + i, values);
}
