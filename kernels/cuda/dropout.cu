// Choices from the words of a Philox stream, and dropout that makes its mask anew in each pass.
// A thread owns a block of four words, and of the elements those sixteen that they decide.

constexpr int THREADS = 256;
constexpr int CHOICES = 4;  // of a word

template <class Use>
__device__ __forceinline__ void choose(const Place& place, long long threshold, long long n, Use use) {
  const Chance chance(threshold);
  const long long blocks = n_blocks(place, (n + CHOICES - 1) / CHOICES);
  for (long long block = thread_index(); block < blocks; block += n_threads()) {
    const Block words = philox_block(place, block);
#pragma unroll
    for (int i = 0; i < 4 * CHOICES; i++) {
      const long long at = (4 * block - place.skipped) * CHOICES + i;
      if (at < 0 || at >= n) continue;
      use(at, chance.choose(place, block, words, i / CHOICES, i % CHOICES));
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
bernoulli(bool* __restrict__ y, const Place now, const Place* __restrict__ later,
          long long threshold, long long n) {
  choose(at(now, later), threshold, n, [=](long long i, bool chosen) { y[i] = chosen; });
}

// y = x scale where kept, x 0 elsewhere: an infinite x that is dropped gives NaN, as in the CPU's.
extern "C" __global__ void __launch_bounds__(THREADS)
dropout_apply(const T* __restrict__ x, T* __restrict__ y, const Place now,
              const Place* __restrict__ later, ACC scale, long long threshold, long long n) {
  choose(at(now, later), threshold, n, [=](long long i, bool kept) {
    y[i] = narrow<T>(wide(x[i]) * (kept ? scale : ACC(0)));
  });
}
