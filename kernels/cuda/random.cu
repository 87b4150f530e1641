// Random numbers from the words of a Philox stream, the same bits as backend/distributions.py makes.
// A thread owns words (philox.cuh says which), and of the numbers those that they give.

constexpr int THREADS = 256;

// ---- the numbers of a word: two float, one double ----

template <class X>
struct Stream;

template <>
struct Stream<float> {
  static constexpr int PER_WORD = 2;

  static __device__ __forceinline__ unsigned bits(word_t word, int half) {
    return (unsigned)(word >> 32 * half);
  }

  static __device__ __forceinline__ float unit(unsigned bits) {
    return (float)(bits >> 8) * 0x1p-24f;
  }

  static __device__ __forceinline__ float split_exponent(float r, float* exponent) {
    const unsigned pattern = __float_as_uint(r);
    *exponent = (float)(126 - (int)(pattern >> 23));
    return __uint_as_float((pattern & 0x007fffffu) | 0x3f000000u);
  }
};

template <>
struct Stream<double> {
  static constexpr int PER_WORD = 1;

  static __device__ __forceinline__ word_t bits(word_t word, int) { return word; }

  static __device__ __forceinline__ double unit(word_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
  }

  static __device__ __forceinline__ double split_exponent(double r, double* exponent) {
    const long long pattern = __double_as_longlong(r);
    *exponent = (double)(1022 - (int)(pattern >> 52));
    return __longlong_as_double((pattern & 0x000fffffffffffffll) | 0x3fe0000000000000ll);
  }
};

// ---- the standard normal quantile, as backend/normal.py: every operation rounded by itself ----
// centre_numerator(x) and its kin, and the constants Normal<T>, are written by random.py.

__device__ __forceinline__ T normal_tail(T r) {
  T exponent;
  const T m = Stream<T>::split_exponent(r, &exponent);
  const T fraction = div_rn(add_rn(m, -Normal<T>::root_half()), add_rn(m, Normal<T>::root_half()));
  const T series = mul_rn(log_series(mul_rn(fraction, fraction)), fraction);
  const T scaled = mul_rn(exponent, Normal<T>::log_2());
  const T root = sqrt_rn(add_rn(add_rn(scaled, Normal<T>::half_log_2()), -series));
  if (Normal<T>::HAS_FAR && root > Normal<T>::far_root()) {
    const T x = add_rn(root, -Normal<T>::far_root());
    return div_rn(far_numerator(x), far_denominator(x));
  }
  const T x = add_rn(root, -Normal<T>::near_root());
  return div_rn(near_numerator(x), near_denominator(x));
}

template <class Bits>
__device__ __forceinline__ T probability(Bits magnitude) {
  return mul_rn(add_rn((T)magnitude, T(0.5)), Normal<T>::step());
}

template <class Bits>
__device__ __forceinline__ T normal(Bits bits) {
  const Bits mask = ~Bits(0) >> 1;
  const Bits magnitude = bits & mask;
  T size;
  if (magnitude > (Bits)Normal<T>::SPLIT) {
    size = normal_tail(probability(magnitude ^ mask));
  } else {
    const T q = probability(magnitude);
    const T x = add_rn(Normal<T>::centre_square(), -mul_rn(q, q));
    size = mul_rn(div_rn(centre_numerator(x), centre_denominator(x)), q);
  }
  return bits > mask ? -size : size;
}

// ---- kernels: n numbers; y is scaled, shifted, and kept below an end ----

__device__ __forceinline__ T placed(T y, T scale, T offset, T top) {
  y = add_rn(mul_rn(y, scale), offset);
  return y < top ? y : top;
}

template <class Make>
__device__ __forceinline__ void fill(const Place& place, T* y, long long n, const Make& make) {
  constexpr int PER_WORD = Stream<T>::PER_WORD;
  const bool is_packed = is_aligned<PER_WORD>(y);
  each_word<THREADS>(place, (n + PER_WORD - 1) / PER_WORD, [&](long long i, word_t word) {
    Pack<T, PER_WORD> numbers;
#pragma unroll
    for (int k = 0; k < PER_WORD; k++) numbers.at[k] = make(Stream<T>::bits(word, k));
    const long long first = i * PER_WORD;
    if (is_packed && first + PER_WORD <= n) {
      store_pack(y + first, numbers);
      return;
    }
    for (int k = 0; k < PER_WORD && first + k < n; k++) y[first + k] = numbers.at[k];
  });
}

extern "C" __global__ void __launch_bounds__(THREADS)
random_unit(T* __restrict__ y, const Place now, const Place* __restrict__ later, T scale, T offset,
            T top, long long n) {
  fill(at(now, later), y, n,
       [=](auto bits) { return placed(Stream<T>::unit(bits), scale, offset, top); });
}

extern "C" __global__ void __launch_bounds__(THREADS)
random_normal(T* __restrict__ y, const Place now, const Place* __restrict__ later, T scale,
              T offset, T top, long long n) {
  fill(at(now, later), y, n, [=](auto bits) { return placed(normal(bits), scale, offset, top); });
}
