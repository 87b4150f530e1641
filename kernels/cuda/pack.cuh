// Numbers that are neighbours in memory, loaded and stored at once, in the wide type in between.
#pragma once

template <class U, int N>
struct __align__(sizeof(U) * N) Pack {
  U at[N];
};

// Whether packs of N of T can be at this address; null is where nothing is loaded or stored.
template <int N>
__device__ __forceinline__ bool is_aligned(const T* address) {
  return (unsigned long long)address % sizeof(Pack<T, N>) == 0;
}

template <int N, class U>
__device__ __forceinline__ Pack<ACC, N> load_pack(const U* from) {
  const auto loaded = *(const Pack<U, N>*)from;
  Pack<ACC, N> values;
#pragma unroll
  for (int i = 0; i < N; i++) values.at[i] = wide(loaded.at[i]);
  return values;
}

template <int N, class U>
__device__ __forceinline__ void store_pack(U* to, const Pack<ACC, N>& values) {
  Pack<U, N> stored;
#pragma unroll
  for (int i = 0; i < N; i++) stored.at[i] = narrow<U>(values.at[i]);
  *(Pack<U, N>*)to = stored;
}

// Whole packs are 16 bytes, which is what reaches the full speed of the memory: pack i of an array.
constexpr int WHOLE = 16 / sizeof(T);
using Whole = Pack<ACC, WHOLE>;

__device__ __forceinline__ Whole load_whole(const T* from, long long i) {
  return load_pack<WHOLE>(from + i * WHOLE);
}

__device__ __forceinline__ void store_whole(T* to, long long i, const Whole& values) {
  store_pack(to + i * WHOLE, values);
}
