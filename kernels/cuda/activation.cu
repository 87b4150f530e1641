// Activations elementwise: one of activation.cuh or below, named by the macro ACTIVATION.
// Each thread owns every n_threads()-th element.

constexpr int THREADS = 256;

__device__ __forceinline__ float log_of_one_and(float x) { return log1pf(x); }
__device__ __forceinline__ double log_of_one_and(double x) { return log1p(x); }
__device__ __forceinline__ float exponential_less_one(float x) { return expm1f(x); }
__device__ __forceinline__ double exponential_less_one(double x) { return expm1(x); }
__device__ __forceinline__ float absolute(float x) { return fabsf(x); }
__device__ __forceinline__ double absolute(double x) { return fabs(x); }

struct LogSigmoid {  // min(z, 0) - log(1 + exp(-|z|)); its slope logistic(-z)
  static constexpr bool KEEPS_Y = false;
  template <class X>
  static __device__ __forceinline__ X of(X z) {
    const X least = z > X(0) ? X(0) : z;
    return least - log_of_one_and(exponential(-absolute(z)));
  }
  template <class X>
  static __device__ __forceinline__ X slope(X z) { return logistic(-z); }
};

struct Softplus {  // log(1 + exp(z)), z itself above THRESHOLD; its slope logistic(z) and 1
  static constexpr bool KEEPS_Y = false;
  static constexpr int THRESHOLD = 20;  // torch's
  template <class X>
  static __device__ __forceinline__ X of(X z) {
    if (z > X(THRESHOLD)) return z;
    return (z < X(0) ? X(0) : z) + log_of_one_and(exponential(-absolute(z)));
  }
  template <class X>
  static __device__ __forceinline__ X slope(X z) { return z > X(THRESHOLD) ? X(1) : logistic(z); }
};

struct Elu {  // exp(z) - 1 below 0; its slope there y + 1
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z > X(0) ? z : exponential_less_one(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X y) { return y > X(0) ? X(1) : y + X(1); }
};

extern "C" __global__ void __launch_bounds__(THREADS)
activation_forward(const T* __restrict__ x, T* __restrict__ y, long long n) {
#pragma unroll 4
  for (long long i = thread_index(); i < n; i += n_threads()) {
    y[i] = narrow<T>(ACTIVATION::of(wide(x[i])));
  }
}

// kept: what the forward pass was given, or gave where ACTIVATION::KEEPS_Y.
extern "C" __global__ void __launch_bounds__(THREADS)
activation_backward(const T* __restrict__ dy, const T* __restrict__ kept, T* __restrict__ dx,
                    long long n) {
#pragma unroll 4
  for (long long i = thread_index(); i < n; i += n_threads()) {
    dx[i] = narrow<T>(wide(dy[i]) * ACTIVATION::slope(wide(kept[i])));
  }
}
