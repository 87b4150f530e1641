// Kernels with one mistake each, and without it: NAME_wrong and NAME_right. test_planted_bugs.py
// shows that each mistake is found and that nothing is found where there is none.

constexpr int THREADS = 64;

#define PLANT(name, parameters, arguments)                                        \
  extern "C" __global__ void __launch_bounds__(THREADS) name##_right parameters { \
    name<true> arguments;                                                         \
  }                                                                               \
  extern "C" __global__ void __launch_bounds__(THREADS) name##_wrong parameters { \
    name<false> arguments;                                                        \
  }

// The barrier between writing and reading is missing.
template <bool IS_RIGHT>
__device__ void reversed(const float* x, float* y) {
  __shared__ float numbers[THREADS];
  const int t = threadIdx.x;
  numbers[t] = x[t];
  if (IS_RIGHT) __syncthreads();
  y[t] = numbers[THREADS - 1 - t];
}
PLANT(reversed, (const float* x, float* y), (x, y))

// The barrier between reading and writing again is missing.
template <bool IS_RIGHT>
__device__ void reversed_rows(const float* x, float* y, long long n_rows) {
  __shared__ float numbers[THREADS];
  const int t = threadIdx.x;
  for (long long row = 0; row < n_rows; row++) {
    numbers[t] = x[row * THREADS + t];
    __syncthreads();
    y[row * THREADS + t] = numbers[THREADS - 1 - t];
    if (IS_RIGHT) __syncthreads();
  }
}
PLANT(reversed_rows, (const float* x, float* y, long long n_rows), (x, y, n_rows))

// One element too many is written.
template <bool IS_RIGHT>
__device__ void copied(const float* x, float* y, long long n) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (IS_RIGHT ? i < n : i <= n) y[i] = x[IS_RIGHT ? i : 0];
}
PLANT(copied, (const float* x, float* y, long long n), (x, y, n))

// One element too many is read.
template <bool IS_RIGHT>
__device__ void summed(const float* x, float* y, long long n) {
  float sum = 0;
  for (long long i = 0; IS_RIGHT ? i < n : i <= n; i++) sum += x[i];
  if (threadIdx.x == 0) y[0] = sum;
}
PLANT(summed, (const float* x, float* y, long long n), (x, y, n))

// A row of the result is as long as a row of x.
template <bool IS_RIGHT>
__device__ void transposed(const float* x, float* y, long long n_rows, long long n) {
  for (long long i = threadIdx.x; i < n_rows * n; i += THREADS) {
    y[i % n * (IS_RIGHT ? n_rows : n) + i / n] = x[i];
  }
}
PLANT(transposed, (const float* x, float* y, long long n_rows, long long n), (x, y, n_rows, n))

// One of two warps leaves its part of the shared memory as it was; a maximum passes a NaN over.
template <bool IS_RIGHT>
__device__ void largest(const float* x, float* y) {
  __shared__ float parts[2];
  float most = x[threadIdx.x];
  for (int offset = 16; offset; offset /= 2) {
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, offset));
  }
  if (threadIdx.x == 0 || (IS_RIGHT && threadIdx.x == 32)) parts[threadIdx.x / 32] = most;
  __syncthreads();
  y[threadIdx.x] = fmaxf(parts[0], parts[1]);
}
PLANT(largest, (const float* x, float* y), (x, y))

// Four numbers at once from an address that is not a multiple of 16.
template <bool IS_RIGHT>
__device__ void first_four(const float* x, float* y) {
  if (threadIdx.x == 0) *(float4*)y = *(const float4*)(IS_RIGHT ? x : x + 1);
}
PLANT(first_four, (const float* x, float* y), (x, y))

// A barrier that half of the threads reach.
template <bool IS_RIGHT>
__device__ void waiting(float* y) {
  if (IS_RIGHT || threadIdx.x < 32) __syncthreads();
  y[threadIdx.x] = 1;
}
PLANT(waiting, (float* y), (y))

// Two barriers, each reached by half of the threads.
template <bool IS_RIGHT>
__device__ void waiting_apart(float* y) {
  if (IS_RIGHT || threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = 1;
}
PLANT(waiting_apart, (float* y), (y))

// A shuffle of all lanes that some do not reach.
template <bool IS_RIGHT>
__device__ void swapped(const float* x, float* y) {
  const int t = threadIdx.x;
  y[t] = x[t];
  if (IS_RIGHT || t % 4 == 0) y[t] = __shfl_xor_sync(0xffffffffu, x[t], 1);
  __syncthreads();
}
PLANT(swapped, (const float* x, float* y), (x, y))

// An index outside of a row of shared memory, inside of the array.
template <bool IS_RIGHT>
__device__ void next_in_row(const float* x, float* y) {
  __shared__ float rows[2][32];
  const int row = threadIdx.x / 32, column = threadIdx.x % 32;
  rows[row][column] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = rows[0][IS_RIGHT ? (column + 1) % 32 : column + 1];
}
PLANT(next_in_row, (const float* x, float* y), (x, y))

// A write behind the dynamic shared memory.
template <bool IS_RIGHT>
__device__ void kept(const float* x, float* y) {
  float* numbers = (float*)host::dynamic_shared();
  const int i = IS_RIGHT ? threadIdx.x : threadIdx.x + 1;
  numbers[i] = x[threadIdx.x];
  y[threadIdx.x] = numbers[i];
}
PLANT(kept, (const float* x, float* y), (x, y))

// The second of two copies to shared memory is read when the first has been waited for.
template <bool IS_RIGHT>
__device__ void copied_later(const float* x, float* y) {
  __shared__ __align__(16) float numbers[8];
  if (threadIdx.x == 0) {
    for (int half = 0; half < 2; half++) {
      host::copy_async(numbers + 4 * half, x + 4 * half, 16, 16);
      host::commit_copies();
    }
    host::wait_copies(IS_RIGHT ? 0 : 1);
  }
  __syncthreads();
  y[threadIdx.x] = numbers[threadIdx.x % 8];
}
PLANT(copied_later, (const float* x, float* y), (x, y))

// An index that is too large for an int.
template <bool IS_RIGHT>
__device__ void far_away(const float* x, float* y, int stride) {
  const int t = threadIdx.x;
  if (IS_RIGHT) {
    y[t] = x[(long long)t * stride % THREADS];
  } else {
    y[t] = x[t * stride % THREADS];
  }
}
PLANT(far_away, (const float* x, float* y, int stride), (x, y, stride))

// A barrier after some threads have returned.
template <bool IS_RIGHT>
__device__ void returning(float* y, long long n) {
  if (!IS_RIGHT && threadIdx.x >= n) return;
  __syncthreads();
  if (threadIdx.x < n) y[threadIdx.x] = 1;
}
PLANT(returning, (float* y, long long n), (y, n))
