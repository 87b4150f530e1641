// RMSprop over a flat arena, in place; threads own packs as in adam.cu. Every operation is rounded
// by itself, in the order of kernels/rmsprop.py: the results are the same bits.

constexpr int THREADS = 256;

struct RmspropNumbers {
  ACC lr, eps;
  ACC alpha, rest;  // alpha, 1 - alpha
  ACC decay;        // weight_decay
  ACC momentum;     // 0: there is no velocity
  ACC centered;     // 0: there is no mean
};

__device__ __forceinline__ ACC variance(const RmspropNumbers& c, ACC dp, ACC square, ACC& mean) {
  if (c.centered == ACC(0)) return square;
  mean = add_rn(mul_rn(mean, c.alpha), mul_rn(dp, c.rest));
  const ACC found = sub_rn(square, mul_rn(mean, mean));
  return is_below_zero(found) ? ACC(0) : found;  // NaN stays
}

__device__ __forceinline__ void rmsprop(const RmspropNumbers& c, ACC& p, ACC dp, ACC& square,
                                        ACC& mean, ACC& velocity) {
  if (c.decay != ACC(0)) dp = add_rn(dp, mul_rn(p, c.decay));
  square = add_rn(mul_rn(square, c.alpha), mul_rn(mul_rn(dp, c.rest), dp));
  ACC step = div_rn(dp, add_rn(sqrt_rn(variance(c, dp, square, mean)), c.eps));
  if (c.momentum != ACC(0)) step = velocity = add_rn(mul_rn(velocity, c.momentum), step);
  p = sub_rn(p, mul_rn(step, c.lr));
}

// The N values from place i on; mean, velocity: null where there is none.
template <int N>
__device__ __forceinline__ void update(const RmspropNumbers& c, T* p, ACC* master, const T* dp,
                                       ACC* square, ACC* mean, ACC* velocity, long long i) {
  Pack<ACC, N> values = load_values<N>(p, master, i), square_pack = load_pack<N>(square + i);
  Pack<ACC, N> mean_pack = {}, velocity_pack = {};
  if (mean != nullptr) mean_pack = load_pack<N>(mean + i);
  if (velocity != nullptr) velocity_pack = load_pack<N>(velocity + i);
  const Pack<ACC, N> dp_pack = load_pack<N>(dp + i);
#pragma unroll
  for (int k = 0; k < N; k++) {
    rmsprop(c, values.at[k], dp_pack.at[k], square_pack.at[k], mean_pack.at[k],
            velocity_pack.at[k]);
  }
  store_values<N>(p, master, i, values);
  store_pack(square + i, square_pack);
  if (mean != nullptr) store_pack(mean + i, mean_pack);
  if (velocity != nullptr) store_pack(velocity + i, velocity_pack);
}

// master: null where p needs none. first, last: the moments behind the square, maybe the same, maybe
// null: the mean is the first, the velocity the last, where there are such.
extern "C" __global__ void __launch_bounds__(THREADS)
rmsprop_update(T* __restrict__ p, ACC* __restrict__ master, const T* __restrict__ dp,
               ACC* __restrict__ square, ACC* first, ACC* last, const RmspropNumbers now,
               const RmspropNumbers* __restrict__ later, long long n_packs, long long n) {
  const RmspropNumbers c = at(now, later);
  ACC* const mean = c.centered != ACC(0) ? first : nullptr;
  ACC* const velocity = c.momentum != ACC(0) ? last : nullptr;
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    update<AT_ONCE>(c, p, master, dp, square, mean, velocity, i * AT_ONCE);
  }
  for (long long i = n_packs * AT_ONCE + thread_index(); i < n; i += n_threads()) {
    update<1>(c, p, master, dp, square, mean, velocity, i);
  }
}
