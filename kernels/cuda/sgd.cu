// Gradient descent with momentum over a flat arena, in place; threads own packs as in adam.cu. Every
// operation is rounded by itself, in the order of kernels/sgd.py: the results are the same bits.

constexpr int THREADS = 256;

struct SgdNumbers {
  ACC lr, momentum;
  ACC share;  // of the gradient in the velocity
  ACC decay;  // weight_decay
  ACC ahead;  // nesterov: momentum, how far the step looks ahead; else 0
};

// The direction of the step, after the velocity has been advanced.
__device__ __forceinline__ ACC direction(const SgdNumbers& c, ACC dp, ACC& v) {
  if (c.share != ACC(1)) dp = mul_rn(dp, c.share);
  v = add_rn(mul_rn(v, c.momentum), dp);
  return c.ahead != ACC(0) ? add_rn(dp, mul_rn(v, c.ahead)) : v;
}

// The N values from place i on; v: the velocity if HAS_VELOCITY.
template <bool HAS_VELOCITY, int N>
__device__ __forceinline__ void update(const SgdNumbers& c, T* p, ACC* master, const T* dp, ACC* v,
                                       long long i) {
  Pack<ACC, N> values = load_values<N>(p, master, i), v_pack = {};
  if (HAS_VELOCITY) v_pack = load_pack<N>(v + i);
  const Pack<ACC, N> dp_pack = load_pack<N>(dp + i);
#pragma unroll
  for (int k = 0; k < N; k++) {
    ACC step = dp_pack.at[k];
    if (c.decay != ACC(0)) step = add_rn(step, mul_rn(values.at[k], c.decay));
    if (HAS_VELOCITY) step = direction(c, step, v_pack.at[k]);
    values.at[k] = sub_rn(values.at[k], mul_rn(step, c.lr));
  }
  store_values<N>(p, master, i, values);
  if (HAS_VELOCITY) store_pack(v + i, v_pack);
}

template <bool HAS_VELOCITY>
__device__ __forceinline__ void update_all(const SgdNumbers& c, T* p, ACC* master, const T* dp,
                                           ACC* v, long long n_packs, long long n) {
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    update<HAS_VELOCITY, AT_ONCE>(c, p, master, dp, v, i * AT_ONCE);
  }
  for (long long i = n_packs * AT_ONCE + thread_index(); i < n; i += n_threads()) {
    update<HAS_VELOCITY, 1>(c, p, master, dp, v, i);
  }
}

// master: null where p needs none.
extern "C" __global__ void __launch_bounds__(THREADS)
sgd_update(T* __restrict__ p, ACC* __restrict__ master, const T* __restrict__ dp,
           const SgdNumbers now, const SgdNumbers* __restrict__ later, long long n_packs,
           long long n) {
  update_all<false>(at(now, later), p, master, dp, nullptr, n_packs, n);
}

extern "C" __global__ void __launch_bounds__(THREADS)
momentum_update(T* __restrict__ p, ACC* __restrict__ master, const T* __restrict__ dp,
                ACC* __restrict__ v, const SgdNumbers now, const SgdNumbers* __restrict__ later,
                long long n_packs, long long n) {
  update_all<true>(at(now, later), p, master, dp, v, n_packs, n);
}
