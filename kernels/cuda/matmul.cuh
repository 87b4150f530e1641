// What the matmul kernels share. All compute y = activation(op(a) op(b) + bias), a batch of them:
// y (m, n). Every array is stored in lines, which begin a_line or b_line numbers after one another
// (n in y); the matrices of a batch begin a_step, b_step and y_step after one another.
//
// A_ALONG_K: 1 where a line of a runs along k, a (m, k); 0 where it runs along m, a (k, m).
// B_ALONG_K: 1 where a line of b runs along k, b (n, k); 0 where it runs along n, b (k, n).
// ACTIVATION: a struct of activation.cuh.
#pragma once

#ifndef A_ALONG_K
#define A_ALONG_K 1
#endif
#ifndef B_ALONG_K
#define B_ALONG_K 1
#endif
#ifndef ACTIVATION
#define ACTIVATION Identity
#endif

using Activation = ACTIVATION;

__device__ __forceinline__ long long ceil_divide(long long a, long long b) {
  return (a + b - 1) / b;
}

// ---- which tile of y a block computes ----

struct TilePlace {
  unsigned batch, row, column;  // row and column of its first number
};

// Blocks that run at one time should read few lines of a and b, which then come from L2: tiles are
// numbered down the columns of bands that are BAND tiles high.
constexpr int BAND = 8;

template <int ROWS, int COLUMNS>
__device__ __forceinline__ TilePlace tile_place(long long m, long long n) {
  const unsigned n_down = (unsigned)ceil_divide(m, ROWS);
  const unsigned n_across = (unsigned)ceil_divide(n, COLUMNS);
  const unsigned tile = blockIdx.x % (n_down * n_across);
  const unsigned in_band = tile % (BAND * n_across);
  const unsigned first = tile / (BAND * n_across) * BAND;
  const unsigned height = min((unsigned)BAND, n_down - first);
  const unsigned row = (first + in_band % height) * ROWS;
  const unsigned column = in_band / height * COLUMNS;
  return {blockIdx.x / (n_down * n_across), row, column};
}

// ---- how a block comes by the parts of a and b that its tile needs ----

// One of a and b, on the way along k in steps of DEPTH: each needs a stretch of ROWS rows of a, or
// columns of b. It lies in memory in lines along k where ALONG_K, else along the rows, and is read
// in chunks of CHUNK numbers: a thread reads own_chunk() of own_line() and of every LINES_A_PASS-th
// line after it.
template <unsigned ROWS, unsigned DEPTH, bool ALONG_K, unsigned CHUNK, unsigned N_THREADS>
struct Walk {
  static constexpr unsigned N_LINES = ALONG_K ? ROWS : DEPTH;
  static constexpr unsigned N_CHUNKS = (ALONG_K ? DEPTH : ROWS) / CHUNK;  // in a line
  static constexpr unsigned LINES_A_PASS = N_THREADS / N_CHUNKS;
  static_assert(N_THREADS % N_CHUNKS == 0 && N_LINES % LINES_A_PASS == 0);

  const T* from;        // where this thread reads next
  long long line_step;  // from one line to the next
  int n_rows_inside;    // rows of the stretches that the array has

  // The stretches from row `row` on, of an array with n_rows rows.
  __device__ __forceinline__ Walk(const T* array, long long line_step, long long row,
                                  long long n_rows)
      : line_step(line_step), n_rows_inside((int)min(n_rows - row, (long long)ROWS)) {
    const long long first = ALONG_K ? row * line_step : row;
    from = array + first + own_line() * line_step + own_chunk() * CHUNK;
  }

  static __device__ __forceinline__ unsigned own_line() { return threadIdx.x / N_CHUNKS; }
  static __device__ __forceinline__ unsigned own_chunk() { return threadIdx.x % N_CHUNKS; }

  // Whether the array has own_chunk() `below` lines below own_line(), if it has k_inside of DEPTH.
  __device__ __forceinline__ bool is_inside(unsigned below, int k_inside) const {
    const int n_lines_inside = ALONG_K ? n_rows_inside : k_inside;
    const int n_places_inside = ALONG_K ? k_inside : n_rows_inside;
    return (int)(own_line() + below) < n_lines_inside &&
           (int)(own_chunk() * CHUNK) < n_places_inside;
  }

  __device__ __forceinline__ void next() { from += ALONG_K ? DEPTH : DEPTH * line_step; }
};

// ---- what is done with sums ----

template <int N>
struct Epilogue {
  const T* bias;  // (n,) or null
  T* y;
  T* z;  // y before the activation, or null
  long long m, n;
  bool accumulate;  // y is added to what is there
  bool whole;       // packs are whole and aligned: all N columns or none are inside

  __device__ Epilogue(const T* bias, T* y, T* z, long long m, long long n, bool accumulate)
      : bias(bias), y(y), z(z), m(m), n(n), accumulate(accumulate) {
    whole = n % N == 0 && is_aligned<N>(bias) && is_aligned<N>(y) && is_aligned<N>(z);
  }

  __device__ __forceinline__ Pack<ACC, N> load(const T* from, long long column) const {
    if (whole) return load_pack<N>(from);
    Pack<ACC, N> values;
#pragma unroll
    for (int i = 0; i < N; i++) values.at[i] = column + i < n ? wide(from[i]) : ACC(0);
    return values;
  }

  __device__ __forceinline__ void store(T* to, const Pack<ACC, N>& values, long long column) const {
    if (whole) return store_pack(to, values);
#pragma unroll
    for (int i = 0; i < N; i++) {
      if (column + i < n) to[i] = narrow<T>(values.at[i]);
    }
  }

  // The bias of N columns, 0 where there is none.
  __device__ __forceinline__ Pack<ACC, N> bias_of(long long column) const {
    if (bias != nullptr && column < n) return load(bias + column, column);
    return {};
  }

  // Ends the work on N neighbours of y: sums are the products, added up along k.
  __device__ __forceinline__ void finish(Pack<ACC, N> sums, const Pack<ACC, N>& biases,
                                         long long row, long long column) const {
    if (row >= m || column >= n) return;
    const long long place = row * n + column;
#pragma unroll
    for (int i = 0; i < N; i++) sums.at[i] += biases.at[i];
    if (z != nullptr) store(z + place, sums, column);
#pragma unroll
    for (int i = 0; i < N; i++) sums.at[i] = Activation::of(sums.at[i]);
    if (accumulate) {
      const Pack<ACC, N> before = load(y + place, column);
#pragma unroll
      for (int i = 0; i < N; i++) sums.at[i] += before.at[i];
    }
    store(y + place, sums, column);
  }
};
