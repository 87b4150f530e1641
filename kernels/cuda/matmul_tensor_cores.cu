// matmul with bias and activation on tensor cores, sm_80 and later (matmul.cuh: what is computed).
//
// A block computes a tile of y and walks along k in steps of DEPTH. The stretches of a and b that a
// step needs come to shared memory by asynchronous copies, N_STAGES - 1 steps ahead of the
// arithmetic. The tile is divided among N_WARPS_M x N_WARPS_N warps, each of which multiplies
// fragments of 16 rows and of 8 columns and keeps its sums in registers to the end.
//
// a and b start at multiples of 16 bytes, and so do all of their lines (the launcher sees to it).
//
// N_TERMS, for float: 1 rounds factors to TF32. 3 is as accurate as float itself: factors are split
// in two, x = big + small, and small big + big small + big big is added up; small small is below
// what a float keeps. A tensor core cuts sums off instead of rounding them; so those of one step
// are added to the others by ordinary, rounding additions, and the error does not grow with k.

#ifndef N_TERMS
#define N_TERMS 1  // 16-bit numbers have no other
#endif
#ifndef TILE_M
#define TILE_M 128
#define TILE_N 128
#define N_WARPS_M 2
#define N_WARPS_N 4
#endif

constexpr unsigned N_STAGES = 3;  // 96 KB for the largest tile: an sm_86, 89 or 120 has 99
constexpr unsigned N_THREADS = N_WARPS_M * N_WARPS_N * WARP;
constexpr unsigned DEPTH = 128 / sizeof(T);          // k of a step: a line fills all banks once
constexpr unsigned CHUNK = CHUNK_BYTES / sizeof(T);  // numbers
constexpr unsigned MMA_DEPTH = 2 * CHUNK;            // k of one multiplication
constexpr bool IN_TF32 = sizeof(T) == 4;
constexpr bool IS_SPLIT = IN_TF32 && N_TERMS == 3;

// How many threads share the 65536 registers of a multiprocessor. Split, each number of a tile
// takes two registers: the largest tile is alone there, 255 registers for each thread, and three of
// the next size have 168. Else 128 are enough, and blocks overlap their beginnings and ends.
constexpr unsigned N_SUMS = TILE_M * TILE_N / N_THREADS;  // of a thread
constexpr unsigned N_SHARING = !IS_SPLIT || N_SUMS < 32 ? 512 : N_SUMS == 32 ? 384 : 256;

// ---- a stretch of a or b in shared memory ----

// ROWS rows of a, or columns of b, times DEPTH. Lines are as in global memory: along k where
// ALONG_K, else along the rows. The chunks of a line are swizzled, so that what a warp reads at
// once, a chunk of each of 8 lines, lies in different banks without padding. Indices that are made
// of separate bits are joined by ^: what depends on the lane is computed once, the rest constant.
template <unsigned ROWS, bool ALONG_K, bool IS_B>
struct Stretch : Walk<ROWS, DEPTH, ALONG_K, CHUNK, N_THREADS> {
  using Lines = Walk<ROWS, DEPTH, ALONG_K, CHUNK, N_THREADS>;
  using Lines::Lines, Lines::N_LINES, Lines::N_CHUNKS, Lines::LINES_A_PASS;
  static constexpr unsigned LINE_BYTES = N_CHUNKS * CHUNK_BYTES;
  static constexpr unsigned N_BYTES = N_LINES * LINE_BYTES;
  static_assert(LINES_A_PASS % 8 == 0);  // the lines of a thread are swizzled alike

  static __device__ __forceinline__ unsigned swizzle(unsigned line) {
    if (IN_TF32 && !ALONG_K) return line % 4 * 2;  // a warp reads two chunks of each of 4 lines
    constexpr unsigned LINES_IN_BANKS = N_CHUNKS < 8 ? 8 / N_CHUNKS : 1;
    return line / LINES_IN_BANKS % (8 / LINES_IN_BANKS);
  }

  static __device__ __forceinline__ unsigned offset(unsigned line, unsigned chunk) {
    return line * LINE_BYTES + (chunk ^ swizzle(line)) * CHUNK_BYTES;
  }

  // Starts to copy the next stretch, in which the array has k_inside of DEPTH; zeros outside of it.
  __device__ __forceinline__ void copy(unsigned char* stretch, int k_inside) {
    unsigned char* const to = stretch + offset(this->own_line(), this->own_chunk());
#pragma unroll
    for (unsigned line = 0; line < N_LINES; line += LINES_A_PASS) {
      copy_async(to + line * LINE_BYTES, this->from + line * this->line_step,
                 this->is_inside(line, k_inside));
    }
    this->next();
  }

  // The fragment of 16 rows and MMA_DEPTH, both from multiples of these on. Registers of a: rows
  // 0-7 and 8-15 of the first chunk of depth, then of the second. Of b: both chunks of rows 0-7,
  // then of rows 8-15; each of these two is multiplied by itself.
  static __device__ __forceinline__ void load(unsigned (&fragment)[4],
                                              const unsigned char* stretch, unsigned row,
                                              unsigned depth) {
    const unsigned lane = lane_index(), matrix = lane / 8;
    const unsigned row_half = IS_B ? matrix / 2 : matrix % 2;
    const unsigned depth_half = IS_B ? matrix % 2 : matrix / 2;
    if (ALONG_K) {
      const unsigned line = row_half * 8 ^ lane % 8, chunk = depth / CHUNK ^ depth_half;
      load_matrices(fragment, stretch + row * LINE_BYTES + offset(line, chunk));
    } else if (!IN_TF32) {
      const unsigned line = depth_half * 8 ^ lane % 8, chunk = row / CHUNK ^ row_half;
      load_matrices_transposed(fragment, stretch + depth * LINE_BYTES + offset(line, chunk));
    } else {
#pragma unroll
      for (unsigned i = 0; i < 4; i++) {
        const unsigned below = depth + (IS_B ? i % 2 : i / 2) * 4;
        const unsigned chunk = row / CHUNK ^ (IS_B ? i / 2 : i % 2) * 2 ^ lane / 16;
        const unsigned char* line = stretch + below * LINE_BYTES;
        fragment[i] = *(const unsigned*)(line + offset(lane % 4, chunk) + lane / 4 % 4 * 4);
      }
    }
  }
};

using StretchA = Stretch<TILE_M, A_ALONG_K, false>;
using StretchB = Stretch<TILE_N, B_ALONG_K, true>;
constexpr unsigned STAGE_BYTES = StretchA::N_BYTES + StretchB::N_BYTES;

// ---- the part of one warp ----

constexpr unsigned WARP_M = TILE_M / N_WARPS_M, WARP_N = TILE_N / N_WARPS_N;
constexpr unsigned FRAGMENTS_M = WARP_M / 16, FRAGMENTS_N = WARP_N / 16;

struct Sums {
  float at[FRAGMENTS_M][2 * FRAGMENTS_N][4];
};

struct Factors {
  unsigned big[4];
  unsigned small[4];  // where IS_SPLIT
};

template <class AnyStretch>
__device__ __forceinline__ Factors load_factors(const unsigned char* stretch, unsigned row,
                                                unsigned depth) {
  Factors factors;
  unsigned loaded[4];
  AnyStretch::load(loaded, stretch, row, depth);
#pragma unroll
  for (unsigned i = 0; i < 4; i++) {
    if (IS_SPLIT) {
      split(loaded[i], factors.big[i], factors.small[i]);
    } else {
      factors.big[i] = IN_TF32 ? tf32(loaded[i]) : loaded[i];
    }
  }
  return factors;
}

// sums += a b, a fragment of 16 rows times all columns of the warp. Terms are the outer loop: the
// same sum is not needed again at once.
__device__ __forceinline__ void multiply_row(float (&sums)[2 * FRAGMENTS_N][4], const Factors& a,
                                             const Factors (&b)[FRAGMENTS_N]) {
  constexpr unsigned N = 2 * FRAGMENTS_N;
  if (IS_SPLIT) {
#pragma unroll
    for (unsigned j = 0; j < N; j++) {
      multiply(sums[j], a.small, b[j / 2].big[j % 2 * 2], b[j / 2].big[j % 2 * 2 + 1], T());
    }
#pragma unroll
    for (unsigned j = 0; j < N; j++) {
      multiply(sums[j], a.big, b[j / 2].small[j % 2 * 2], b[j / 2].small[j % 2 * 2 + 1], T());
    }
  }
#pragma unroll
  for (unsigned j = 0; j < N; j++) {
    multiply(sums[j], a.big, b[j / 2].big[j % 2 * 2], b[j / 2].big[j % 2 * 2 + 1], T());
  }
}

// sums += the products of one stage, for the warp's rows and columns from row and column on.
__device__ __forceinline__ void multiply_stage(Sums& sums, const unsigned char* stage, unsigned row,
                                               unsigned column) {
#pragma unroll
  for (unsigned depth = 0; depth < DEPTH; depth += MMA_DEPTH) {
    Factors b[FRAGMENTS_N];
#pragma unroll
    for (unsigned j = 0; j < FRAGMENTS_N; j++) {
      b[j] = load_factors<StretchB>(stage + StretchA::N_BYTES, column + 16 * j, depth);
    }
#pragma unroll
    for (unsigned i = 0; i < FRAGMENTS_M; i++) {
      multiply_row(sums.at[i], load_factors<StretchA>(stage, row + 16 * i, depth), b);
    }
  }
}

__device__ __forceinline__ void add_stage(Sums& sums, const unsigned char* stage, unsigned row,
                                          unsigned column) {
  if (!IS_SPLIT) return multiply_stage(sums, stage, row, column);
  Sums part = {};
  multiply_stage(part, stage, row, column);
#pragma unroll
  for (unsigned i = 0; i < FRAGMENTS_M; i++) {
#pragma unroll
    for (unsigned j = 0; j < 2 * FRAGMENTS_N; j++) {
#pragma unroll
      for (unsigned k = 0; k < 4; k++) sums.at[i][j][k] += part.at[i][j][k];
    }
  }
}

// A lane holds pairs of neighbours: in rows group and group + 8, columns 2 member and 2 member + 1.
__device__ __forceinline__ void finish(const Sums& sums, const Epilogue<2>& epilogue, long long row,
                                       long long column) {
  row += lane_index() / 4;
  column += lane_index() % 4 * 2;
#pragma unroll
  for (unsigned j = 0; j < 2 * FRAGMENTS_N; j++) {
    const Pack<ACC, 2> biases = epilogue.bias_of(column + 8 * j);
#pragma unroll
    for (unsigned i = 0; i < 2 * FRAGMENTS_M; i++) {
      const float(&four)[4] = sums.at[i / 2][j];
      const Pack<ACC, 2> pair = {{four[i % 2 * 2], four[i % 2 * 2 + 1]}};
      epilogue.finish(pair, biases, row + 8 * i, column + 8 * j);
    }
  }
}

extern "C" __global__ void __launch_bounds__(N_THREADS, N_SHARING / N_THREADS)
matmul_tensor_cores(const T* __restrict__ a, const T* __restrict__ b, const T* __restrict__ bias,
                    T* __restrict__ y, T* __restrict__ z, bool accumulate, long long m, long long n,
                    long long k, long long a_line, long long b_line, long long a_step,
                    long long b_step, long long y_step) {
#if HAS_TENSOR_CORES
  unsigned char* const stages = dynamic_shared();
  const TilePlace tile = tile_place<TILE_M, TILE_N>(m, n);
  StretchA stretch_a(a + tile.batch * a_step, a_line, tile.row, m);
  StretchB stretch_b(b + tile.batch * b_step, b_line, tile.column, n);
  const unsigned n_stages = (unsigned)ceil_divide(k, DEPTH);
  const auto copy_stage = [&](unsigned i) {
    if (i < n_stages) {
      unsigned char* stage = stages + i % N_STAGES * STAGE_BYTES;
      const int k_inside = (int)min(k - (long long)i * DEPTH, (long long)DEPTH);
      stretch_a.copy(stage, k_inside);
      stretch_b.copy(stage + StretchA::N_BYTES, k_inside);
    }
    commit_copies();
  };
#pragma unroll
  for (unsigned i = 0; i < N_STAGES - 1; i++) copy_stage(i);

  Sums sums = {};
  const unsigned row = warp_index() / N_WARPS_N * WARP_M;
  const unsigned column = warp_index() % N_WARPS_N * WARP_N;
  for (unsigned i = 0; i < n_stages; i++) {
    wait_for_copies<N_STAGES - 2>();
    __syncthreads();  // stage i is there for all, and nobody reads stage i - 1 any more
    copy_stage(i + N_STAGES - 1);
    add_stage(sums, stages + i % N_STAGES * STAGE_BYTES, row, column);
  }

  const long long first = tile.batch * y_step;
  const Epilogue<2> epilogue(bias, y + first, z == nullptr ? z : z + first, m, n, accumulate);
  finish(sums, epilogue, tile.row + row, tile.column + column);
#endif
}
