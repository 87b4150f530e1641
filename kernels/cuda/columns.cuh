// Sums of the columns of a matrix (m, n), rows one after another, and who adds them up.
//
// A block owns a strip of WARP * PACK columns in some rows. A lane owns PACK columns of it; warp w
// takes row w and every N_WARPS-th after it. Sums are added up in a fixed order: the rows of a warp,
// then the warps of a block, then, by a second kernel, the blocks below one another.
#pragma once

#ifndef IS_PACKED
#define IS_PACKED 1  // 16 bytes are loaded at once: addresses and rows are multiples of them
#endif

constexpr int PACK = IS_PACKED ? WHOLE : 1;
constexpr int N_WARPS = 8;
constexpr int STRIP = WARP * PACK;

// Rows whose loads are under way at a time; slopes of many numbers, or of doubles, take registers.
constexpr int UNROLL = sizeof(ACC) == 8 ? 1 : PACK > 4 ? 2 : 4;

using Sums = Pack<ACC, PACK>;
using Parts = ACC[N_WARPS][STRIP];

__device__ __forceinline__ long long own_column() {
  return (long long)blockIdx.x * STRIP + lane_index() * PACK;
}

// A warp's sums over its rows between first and end: make(row) gives the numbers of own_column().
template <class Make>
__device__ __forceinline__ Sums add_rows(long long first, long long end, Make make) {
  Sums sums = {};
#pragma unroll UNROLL
  for (long long row = first + warp_index(); row < end; row += N_WARPS) {
    const Sums values = make(row);
#pragma unroll
    for (int i = 0; i < PACK; i++) sums.at[i] += values.at[i];
  }
  return sums;
}

// The sums of a block's columns out of those of its warps: finish(column, sum).
template <class Finish>
__device__ __forceinline__ void add_warps(Parts& parts, const Sums& sums, long long n,
                                          Finish finish) {
#pragma unroll
  for (int i = 0; i < PACK; i++) parts[warp_index()][lane_index() * PACK + i] = sums.at[i];
  __syncthreads();
  for (int i = threadIdx.x; i < STRIP; i += N_WARPS * WARP) {
    const long long column = (long long)blockIdx.x * STRIP + i;
    if (column >= n) return;
    ACC sum = parts[0][i];
#pragma unroll
    for (int warp = 1; warp < N_WARPS; warp++) sum += parts[warp][i];
    finish(column, sum);
  }
}
