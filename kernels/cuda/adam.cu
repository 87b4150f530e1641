// Adam and AdamW over a flat arena, in place. Each thread owns every n_threads()-th pack of 16 bytes,
// and what is left behind n_packs one by one. Every operation is rounded by itself, in the order of
// kernels/adam.py: the results are the same bits.
// It moves 28 bytes a parameter in float: p, dp, m and v read, p, m and v written. Parameters of 16
// bits take 30, with the master and p read, to see whether p was changed, and both written.

constexpr int THREADS = 256;

struct AdamNumbers {
  ACC beta1, rest1;  // beta1, 1 - beta1
  ACC beta2, rest2;
  ACC eps, step;  // with the bias corrections of this update
  ACC decay;      // of the gradient: weight_decay; decoupled: what p is multiplied by
};

__device__ __forceinline__ void adam(const AdamNumbers& c, bool decoupled, ACC& p, ACC dp, ACC& m,
                                     ACC& v) {
  if (decoupled) {
    p = mul_rn(p, c.decay);
  } else if (c.decay != ACC(0)) {
    dp = add_rn(dp, mul_rn(p, c.decay));
  }
  m = add_rn(mul_rn(m, c.beta1), mul_rn(dp, c.rest1));
  v = add_rn(mul_rn(v, c.beta2), mul_rn(mul_rn(dp, c.rest2), dp));
  const ACC quotient = div_rn(m, add_rn(sqrt_rn(v), c.eps));
  p = sub_rn(p, mul_rn(quotient, c.step));
}

// The N values from place i on.
template <int N>
__device__ __forceinline__ void update(const AdamNumbers& c, bool decoupled, T* p, ACC* master,
                                       const T* dp, ACC* m, ACC* v, long long i) {
  Pack<ACC, N> values = load_values<N>(p, master, i);
  Pack<ACC, N> m_pack = load_pack<N>(m + i), v_pack = load_pack<N>(v + i);
  const Pack<ACC, N> dp_pack = load_pack<N>(dp + i);
#pragma unroll
  for (int k = 0; k < N; k++) {
    adam(c, decoupled, values.at[k], dp_pack.at[k], m_pack.at[k], v_pack.at[k]);
  }
  store_values<N>(p, master, i, values);
  store_pack(m + i, m_pack);
  store_pack(v + i, v_pack);
}

// master: null where p needs none.
extern "C" __global__ void __launch_bounds__(THREADS)
adam_update(T* __restrict__ p, ACC* __restrict__ master, const T* __restrict__ dp,
            ACC* __restrict__ m, ACC* __restrict__ v, const AdamNumbers now,
            const AdamNumbers* __restrict__ later, bool decoupled, long long n_packs, long long n) {
  const AdamNumbers c = at(now, later);
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    update<AT_ONCE>(c, decoupled, p, master, dp, m, v, i * AT_ONCE);
  }
  for (long long i = n_packs * AT_ONCE + thread_index(); i < n; i += n_threads()) {
    update<1>(c, decoupled, p, master, dp, m, v, i);
  }
}
