// matmul with bias and activation by ordinary arithmetic (matmul.cuh says what is computed): any
// sizes, alignments and dtypes; sums in float, in double for double.
//
// A block of 16 x 16 threads computes a tile of y and walks along k in steps of DEPTH. A thread
// keeps PER_THREAD x PER_THREAD sums in registers, in groups of up to four neighbours. While it
// multiplies one step it already reads its numbers of the next.

#ifndef PER_THREAD
#define PER_THREAD 4  // 8: more arithmetic for each number from shared memory; 2: more blocks
#endif

constexpr unsigned SIDE = 16;  // threads along a side of the tile
constexpr unsigned N_THREADS = SIDE * SIDE;
constexpr unsigned TILE = SIDE * PER_THREAD;
constexpr unsigned GROUP = PER_THREAD < 4 ? PER_THREAD : 4;
constexpr unsigned N_GROUPS = PER_THREAD / GROUP;  // SIDE groups from one to the next of a thread
constexpr unsigned READS = 4;  // numbers of a, and of b, that a thread reads for each step
constexpr unsigned DEPTH = READS * N_THREADS / TILE;
constexpr unsigned PAD = GROUP;  // beside a line, so that a column lies in different banks

// 64 floats fit into 128 registers, and then two blocks on a multiprocessor; 64 doubles into 255.
constexpr unsigned N_BLOCKS = PER_THREAD * PER_THREAD * sizeof(ACC) > 256 ? 1 : 2;

using Group = Pack<ACC, GROUP>;
using Shared = Group[DEPTH][(TILE + PAD) / GROUP];  // k, then row of a or column of b

template <bool ALONG_K>
struct Stretch : Walk<TILE, DEPTH, ALONG_K, 1, N_THREADS> {
  using Lines = Walk<TILE, DEPTH, ALONG_K, 1, N_THREADS>;
  using Lines::Lines, Lines::LINES_A_PASS;

  ACC read[READS];

  // Reads this thread's part of the next stretch, in which the array has k_inside of DEPTH.
  __device__ __forceinline__ void load(int k_inside) {
#pragma unroll
    for (unsigned i = 0; i < READS; i++) {
      const unsigned line = i * LINES_A_PASS;
      const bool is_inside = this->is_inside(line, k_inside);
      read[i] = is_inside ? wide(this->from[line * this->line_step]) : ACC(0);
    }
    this->next();
  }

  __device__ __forceinline__ void store(Shared& shared) const {
#pragma unroll
    for (unsigned i = 0; i < READS; i++) {
      const unsigned line = this->own_line() + i * LINES_A_PASS, place = this->own_chunk();
      const unsigned depth = ALONG_K ? place : line, row = ALONG_K ? line : place;
      shared[depth][row / GROUP].at[row % GROUP] = read[i];
    }
  }
};

struct Sums {
  ACC at[PER_THREAD][PER_THREAD];
};

// sums += the products of one step, for the rows and columns of the thread at (row, column).
__device__ __forceinline__ void multiply_step(Sums& sums, const Shared& a, const Shared& b,
                                              unsigned row, unsigned column) {
#pragma unroll
  for (unsigned k = 0; k < DEPTH; k++) {
    Group rows[N_GROUPS], columns[N_GROUPS];
#pragma unroll
    for (unsigned i = 0; i < N_GROUPS; i++) {
      rows[i] = a[k][i * SIDE + row];
      columns[i] = b[k][i * SIDE + column];
    }
#pragma unroll
    for (unsigned i = 0; i < PER_THREAD; i++) {
#pragma unroll
      for (unsigned j = 0; j < PER_THREAD; j++) {
        sums.at[i][j] += rows[i / GROUP].at[i % GROUP] * columns[j / GROUP].at[j % GROUP];
      }
    }
  }
}

__device__ __forceinline__ void finish(const Sums& sums, const Epilogue<GROUP>& epilogue,
                                       long long row, long long column) {
#pragma unroll
  for (unsigned j = 0; j < N_GROUPS; j++) {
    const long long first = column + j * SIDE * GROUP;
    const Group biases = epilogue.bias_of(first);
#pragma unroll
    for (unsigned i = 0; i < PER_THREAD; i++) {
      Group group;
#pragma unroll
      for (unsigned k = 0; k < GROUP; k++) group.at[k] = sums.at[i][j * GROUP + k];
      epilogue.finish(group, biases, row + i / GROUP * SIDE * GROUP + i % GROUP, first);
    }
  }
}

extern "C" __global__ void __launch_bounds__(N_THREADS, N_BLOCKS)
matmul_simt(const T* __restrict__ a, const T* __restrict__ b, const T* __restrict__ bias,
            T* __restrict__ y, T* __restrict__ z, bool accumulate, long long m, long long n,
            long long k, long long a_line, long long b_line, long long a_step, long long b_step,
            long long y_step) {
  __shared__ Shared shared_a[2], shared_b[2];
  const TilePlace tile = tile_place<TILE, TILE>(m, n);
  Stretch<A_ALONG_K> stretch_a(a + tile.batch * a_step, a_line, tile.row, m);
  Stretch<B_ALONG_K> stretch_b(b + tile.batch * b_step, b_line, tile.column, n);
  const unsigned n_steps = (unsigned)ceil_divide(k, DEPTH);
  const auto load_step = [&](unsigned i) {
    const int k_inside = (int)min(k - (long long)i * DEPTH, (long long)DEPTH);
    stretch_a.load(k_inside);
    stretch_b.load(k_inside);
  };
  const auto store_step = [&](unsigned i) {
    stretch_a.store(shared_a[i % 2]);
    stretch_b.store(shared_b[i % 2]);
  };
  load_step(0);
  store_step(0);
  __syncthreads();

  Sums sums = {};
  const unsigned row = threadIdx.x / SIDE, column = threadIdx.x % SIDE;
  for (unsigned i = 0; i < n_steps; i++) {
    if (i + 1 < n_steps) load_step(i + 1);
    multiply_step(sums, shared_a[i % 2], shared_b[i % 2], row, column);
    if (i + 1 < n_steps) store_step(i + 1);
    __syncthreads();  // step i + 1 is there for all, and nobody reads step i any more
  }

  const long long first = tile.batch * y_step;
  const Epilogue<GROUP> epilogue(bias, y + first, z == nullptr ? z : z + first, m, n, accumulate);
  finish(sums, epilogue, tile.row + row * GROUP, tile.column + column * GROUP);
}
