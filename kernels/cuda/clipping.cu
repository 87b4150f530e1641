// The norm of all gradients together, and gradients scaled by it, without the host reading it.

constexpr int THREADS = 256;
constexpr int N_WARPS = THREADS / WARP;
constexpr int TOTAL_WARPS = 32;  // of the one block that adds the parts up

// sums[block] = the sum of x^2 over the elements thread_index(), + n_threads(), ... of its threads.
// In double: no square of a float overflows.
extern "C" __global__ void __launch_bounds__(THREADS)
square_sums(const T* __restrict__ x, double* __restrict__ sums, long long n) {
  __shared__ double parts[N_WARPS];
  double sum = 0;
#pragma unroll 4
  for (long long i = thread_index(); i < n; i += n_threads()) {
    const double x_i = (double)wide(x[i]);
    sum += x_i * x_i;
  }
  sum = reduce_block<N_WARPS, Sum>(sum, parts);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// norm[0] = the root of all sums; norm[1] = what brings it down to max_norm, at most 1. One block.
extern "C" __global__ void __launch_bounds__(TOTAL_WARPS * WARP)
norm_total(const double* __restrict__ sums, double* __restrict__ norm, double max_norm,
           long long n) {
  __shared__ double parts[TOTAL_WARPS];
  double sum = 0;
#pragma unroll 4
  for (long long i = threadIdx.x; i < n; i += TOTAL_WARPS * WARP) sum += sums[i];
  sum = reduce_block<TOTAL_WARPS, Sum>(sum, parts);
  if (threadIdx.x != 0) return;
  const double root = sqrt(sum), factor = max_norm / (root + 1e-6);
  norm[0] = root;
  norm[1] = factor >= 1 ? 1 : factor;  // NaN stays
}

// x times norm[1], in place; nothing is touched where that is 1.
extern "C" __global__ void __launch_bounds__(THREADS)
scale_by_norm(T* __restrict__ x, const double* __restrict__ norm, long long n) {
  const double factor = norm[1];
  if (factor == 1) return;
#pragma unroll 4
  for (long long i = thread_index(); i < n; i += n_threads()) {
    x[i] = narrow<T>(wide(x[i]) * (ACC)factor);
  }
}
