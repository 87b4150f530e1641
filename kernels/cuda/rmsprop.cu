// RMSprop over a flat arena, in place; threads own packs as in adam.cu. Every operation is rounded
// by itself, in the order of kernels/rmsprop.py: the results are the same bits.

constexpr int THREADS = 256;

struct RmspropNumbers {
  T lr, eps;
  T alpha, rest;  // alpha, 1 - alpha
  T decay;        // weight_decay
  T momentum;     // 0: there is no velocity
  T centered;     // 0: there is no mean
};

__device__ __forceinline__ T variance(const RmspropNumbers& c, T dp, T square, T& mean) {
  if (c.centered == T(0)) return square;
  mean = add_rn(mul_rn(mean, c.alpha), mul_rn(dp, c.rest));
  const T found = add_rn(square, -mul_rn(mean, mean));
  return found < T(0) ? T(0) : found;  // NaN stays
}

__device__ __forceinline__ void rmsprop(const RmspropNumbers& c, T& p, T dp, T& square, T& mean,
                                        T& velocity) {
  if (c.decay != T(0)) dp = add_rn(dp, mul_rn(p, c.decay));
  square = add_rn(mul_rn(square, c.alpha), mul_rn(mul_rn(dp, c.rest), dp));
  T step = div_rn(dp, add_rn(sqrt_rn(variance(c, dp, square, mean)), c.eps));
  if (c.momentum != T(0)) step = velocity = add_rn(mul_rn(velocity, c.momentum), step);
  p = add_rn(p, -mul_rn(step, c.lr));
}

// first, last: the moments behind the square, maybe the same, maybe null: the mean is the first, the
// velocity the last, where there are such.
extern "C" __global__ void __launch_bounds__(THREADS)
rmsprop_update(T* __restrict__ p, const T* __restrict__ dp, T* __restrict__ square, T* first,
               T* last, const RmspropNumbers now, const RmspropNumbers* __restrict__ later,
               long long n_packs, long long n) {
  const RmspropNumbers c = at(now, later);
  T* const mean = c.centered != T(0) ? first : nullptr;
  T* const velocity = c.momentum != T(0) ? last : nullptr;
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    Whole p_pack = load_whole(p, i), square_pack = load_whole(square, i);
    Whole mean_pack = {}, velocity_pack = {};
    if (mean != nullptr) mean_pack = load_whole(mean, i);
    if (velocity != nullptr) velocity_pack = load_whole(velocity, i);
    const Whole dp_pack = load_whole(dp, i);
#pragma unroll
    for (int k = 0; k < WHOLE; k++) {
      rmsprop(c, p_pack.at[k], dp_pack.at[k], square_pack.at[k], mean_pack.at[k],
              velocity_pack.at[k]);
    }
    store_whole(p, i, p_pack);
    store_whole(square, i, square_pack);
    if (mean != nullptr) store_whole(mean, i, mean_pack);
    if (velocity != nullptr) store_whole(velocity, i, velocity_pack);
  }
  for (long long i = n_packs * WHOLE + thread_index(); i < n; i += n_threads()) {
    T none = T(0);
    rmsprop(c, p[i], dp[i], square[i], mean != nullptr ? mean[i] : none,
            velocity != nullptr ? velocity[i] : none);
  }
}
