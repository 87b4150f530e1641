// Arrays read and written 16 bytes at a time, which is what reaches the full speed of the memory.
#pragma once

template <class X>
struct alignas(16) Pack {
  static constexpr int SIZE = 16 / sizeof(X);
  X x[SIZE];
};

template <class X>
__device__ __forceinline__ Pack<X>& pack(X* x, long long i) {
  return reinterpret_cast<Pack<X>*>(x)[i];
}

template <class X>
__device__ __forceinline__ Pack<X> pack(const X* x, long long i) {
  return reinterpret_cast<const Pack<X>*>(x)[i];
}
