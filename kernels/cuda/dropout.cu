// Choices from the words of a Philox stream, and dropout that makes its mask anew in each pass.
// A thread owns words (philox.cuh says which), and of the elements those that they decide: four
// neighbours for each word, which it loads and stores at once.

constexpr int THREADS = 256;
constexpr int CHOICES = 4;  // of a word

// Calls use.four(i, chosen) for the elements i to i + 3, use.one(i, chosen) for those of the last
// word where it decides fewer, and for all where use.is_packed is false.
template <class Use>
__device__ __forceinline__ void choose(const Place& place, long long threshold, long long n,
                                       const Use& use) {
  const Chance chance(threshold);
  each_word<THREADS>(place, (n + CHOICES - 1) / CHOICES, [&](long long i, word_t word) {
    const word_t twin = chance.twin(place, i, word);
    Pack<bool, CHOICES> chosen;
#pragma unroll
    for (int k = 0; k < CHOICES; k++) chosen.at[k] = chance.choose(word, twin, k);
    const long long first = i * CHOICES;
    if (use.is_packed && first + CHOICES <= n) return use.four(first, chosen);
    for (int k = 0; k < CHOICES && first + k < n; k++) use.one(first + k, chosen.at[k]);
  });
}

struct Choices {
  bool* y;
  bool is_packed;

  __device__ __forceinline__ void one(long long i, bool chosen) const { y[i] = chosen; }

  __device__ __forceinline__ void four(long long i, const Pack<bool, 4>& chosen) const {
    *(Pack<bool, 4>*)(y + i) = chosen;
  }
};

extern "C" __global__ void __launch_bounds__(THREADS)
bernoulli(bool* __restrict__ y, const Place now, const Place* __restrict__ later,
          long long threshold, long long n) {
  choose(at(now, later), threshold, n, Choices{y, (unsigned long long)y % CHOICES == 0});
}

// y = x scale where kept, x 0 elsewhere: an infinite x that is dropped gives NaN, as in the CPU's.
struct Masked {
  const T* __restrict__ x;
  T* __restrict__ y;
  ACC scale;
  bool is_packed;

  __device__ __forceinline__ void one(long long i, bool kept) const {
    y[i] = narrow<T>(wide(x[i]) * (kept ? scale : ACC(0)));
  }

  __device__ __forceinline__ void four(long long i, const Pack<bool, 4>& kept) const {
    Pack<ACC, 4> values = load_pack<4>(x + i);
#pragma unroll
    for (int k = 0; k < 4; k++) values.at[k] *= kept.at[k] ? scale : ACC(0);
    store_pack(y + i, values);
  }
};

extern "C" __global__ void __launch_bounds__(THREADS)
dropout_apply(const T* __restrict__ x, T* __restrict__ y, const Place now,
              const Place* __restrict__ later, ACC scale, long long threshold, long long n) {
  const bool is_packed = is_aligned<4>(x) && is_aligned<4>(y);
  choose(at(now, later), threshold, n, Masked{x, y, scale, is_packed});
}
