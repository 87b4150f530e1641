// Gradient descent with momentum over a flat arena, in place; threads own packs as in adam.cu. Every
// operation is rounded by itself, in the order of kernels/sgd.py: the results are the same bits.

constexpr int THREADS = 256;

struct SgdNumbers {
  T lr, momentum;
  T share;  // of the gradient in the velocity
  T decay;  // weight_decay
  T ahead;  // nesterov: momentum, how far the step looks ahead; else 0
};

// The direction of the step, after the velocity has been advanced.
__device__ __forceinline__ T direction(const SgdNumbers& c, T dp, T& v) {
  if (c.share != T(1)) dp = mul_rn(dp, c.share);
  v = add_rn(mul_rn(v, c.momentum), dp);
  return c.ahead != T(0) ? add_rn(dp, mul_rn(v, c.ahead)) : v;
}

__device__ __forceinline__ T decayed(const SgdNumbers& c, T dp, T p) {
  return c.decay != T(0) ? add_rn(dp, mul_rn(p, c.decay)) : dp;
}

extern "C" __global__ void __launch_bounds__(THREADS)
sgd_update(T* __restrict__ p, const T* __restrict__ dp, const SgdNumbers now,
           const SgdNumbers* __restrict__ later, long long n_packs, long long n) {
  const SgdNumbers c = at(now, later);
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    Whole p_pack = load_whole(p, i);
    const Whole dp_pack = load_whole(dp, i);
#pragma unroll
    for (int k = 0; k < WHOLE; k++) {
      const T step = mul_rn(decayed(c, dp_pack.at[k], p_pack.at[k]), c.lr);
      p_pack.at[k] = add_rn(p_pack.at[k], -step);
    }
    store_whole(p, i, p_pack);
  }
  for (long long i = n_packs * WHOLE + thread_index(); i < n; i += n_threads()) {
    p[i] = add_rn(p[i], -mul_rn(decayed(c, dp[i], p[i]), c.lr));
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
momentum_update(T* __restrict__ p, const T* __restrict__ dp, T* __restrict__ v,
                const SgdNumbers now, const SgdNumbers* __restrict__ later,
                long long n_packs, long long n) {
  const SgdNumbers c = at(now, later);
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    Whole p_pack = load_whole(p, i), v_pack = load_whole(v, i);
    const Whole dp_pack = load_whole(dp, i);
#pragma unroll
    for (int k = 0; k < WHOLE; k++) {
      const T dp_k = decayed(c, dp_pack.at[k], p_pack.at[k]);
      const T step = mul_rn(direction(c, dp_k, v_pack.at[k]), c.lr);
      p_pack.at[k] = add_rn(p_pack.at[k], -step);
    }
    store_whole(p, i, p_pack);
    store_whole(v, i, v_pack);
  }
  for (long long i = n_packs * WHOLE + thread_index(); i < n; i += n_threads()) {
    const T step = mul_rn(direction(c, decayed(c, dp[i], p[i]), v[i]), c.lr);
    p[i] = add_rn(p[i], -step);
  }
}
