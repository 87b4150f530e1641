// Adam and AdamW over a flat arena, in place. Each thread owns every n_threads()-th pack of 16 bytes,
// and what is left behind n_packs one by one. Every operation is rounded by itself, in the order of
// kernels/adam.py: the results are the same bits.

constexpr int THREADS = 256;

struct AdamNumbers {
  T beta1, rest1;  // beta1, 1 - beta1
  T beta2, rest2;
  T eps, step;  // with the bias corrections of this update
  T decay;      // of the gradient: weight_decay; decoupled: what p is multiplied by
};

__device__ __forceinline__ void adam(const AdamNumbers& c, bool decoupled, T& p, T dp, T& m, T& v) {
  if (decoupled) {
    p = mul_rn(p, c.decay);
  } else if (c.decay != T(0)) {
    dp = add_rn(dp, mul_rn(p, c.decay));
  }
  m = add_rn(mul_rn(m, c.beta1), mul_rn(dp, c.rest1));
  v = add_rn(mul_rn(v, c.beta2), mul_rn(mul_rn(dp, c.rest2), dp));
  const T quotient = div_rn(m, add_rn(sqrt_rn(v), c.eps));
  p = add_rn(p, -mul_rn(quotient, c.step));
}

extern "C" __global__ void __launch_bounds__(THREADS)
adam_update(T* __restrict__ p, const T* __restrict__ dp, T* __restrict__ m, T* __restrict__ v,
            const AdamNumbers now, const AdamNumbers* __restrict__ later, bool decoupled,
            long long n_packs, long long n) {
  const AdamNumbers c = at(now, later);
  for (long long i = thread_index(); i < n_packs; i += n_threads()) {
    Whole p_pack = load_whole(p, i), m_pack = load_whole(m, i), v_pack = load_whole(v, i);
    const Whole dp_pack = load_whole(dp, i);
#pragma unroll
    for (int k = 0; k < WHOLE; k++) {
      adam(c, decoupled, p_pack.at[k], dp_pack.at[k], m_pack.at[k], v_pack.at[k]);
    }
    store_whole(p, i, p_pack);
    store_whole(m, i, m_pack);
    store_whole(v, i, v_pack);
  }
  for (long long i = n_packs * WHOLE + thread_index(); i < n; i += n_threads()) {
    adam(c, decoupled, p[i], dp[i], m[i], v[i]);
  }
}
