// The backward pass of linear before its products: dz = dy times the slope of the activation, and
// the gradient of the bias, the sums of the columns of dz. dy, kept, dz: (m, n).
//
// A block owns a strip of WARP * PACK columns in rows_a_block rows. A lane owns PACK columns of it;
// warp w takes row w and every N_WARPS-th after it. Sums are added up in a fixed order: the rows of
// a warp, then the warps of a block, then, by the second kernel, the blocks below one another.

#ifndef IS_PACKED
#define IS_PACKED 1  // 16 bytes are loaded at once: addresses and rows are multiples of them
#endif

constexpr int PACK = IS_PACKED ? 16 / sizeof(T) : 1;
constexpr int N_WARPS = 8;
constexpr int STRIP = WARP * PACK;

// Rows whose loads are under way at a time; slopes of many numbers, or of doubles, take registers.
constexpr int UNROLL = sizeof(ACC) == 8 ? 1 : PACK > 4 ? 2 : 4;

using Sums = Pack<ACC, PACK>;
using Parts = ACC[N_WARPS][STRIP];

// The sums of a block's columns out of those of its warps: finish(column of the strip, sum).
template <class Finish>
__device__ __forceinline__ void add_warps(Parts& parts, const Sums& sums, Finish finish) {
#pragma unroll
  for (int i = 0; i < PACK; i++) parts[warp_index()][lane_index() * PACK + i] = sums.at[i];
  __syncthreads();
  for (int column = threadIdx.x; column < STRIP; column += N_WARPS * WARP) {
    ACC sum = parts[0][column];
#pragma unroll
    for (int warp = 1; warp < N_WARPS; warp++) sum += parts[warp][column];
    finish(column, sum);
  }
}

// kept: y where ACTIVATION::KEEPS_Y, else z, the value before the activation. dz: null where it is
// not wanted. Sums go to partial (gridDim.y, n) if that is given, else to dbias (n,), else nowhere.
extern "C" __global__ void __launch_bounds__(N_WARPS * WARP)
linear_backward_dz(const T* __restrict__ dy, const T* __restrict__ kept, T* __restrict__ dz,
                   ACC* __restrict__ partial, T* __restrict__ dbias, long long m, long long n,
                   long long rows_a_block) {
  __shared__ Parts parts;
  const long long strip = (long long)blockIdx.x * STRIP, column = strip + lane_index() * PACK;
  const long long first = blockIdx.y * rows_a_block, end = min(m, first + rows_a_block);
  Sums sums = {};
  if (column < n) {
#pragma unroll UNROLL
    for (long long row = first + warp_index(); row < end; row += N_WARPS) {
      const long long place = row * n + column;
      Sums values = load_pack<PACK>(dy + place);
      const Sums at = load_pack<PACK>(kept + place);
#pragma unroll
      for (int i = 0; i < PACK; i++) {
        values.at[i] *= ACTIVATION::slope(at.at[i]);
        sums.at[i] += values.at[i];
      }
      if (dz != nullptr) store_pack(dz + place, values);
    }
  }
  if (partial == nullptr && dbias == nullptr) return;
  add_warps(parts, sums, [&](int i, ACC sum) {
    if (strip + i >= n) return;
    if (partial != nullptr) {
      partial[blockIdx.y * n + strip + i] = sum;
    } else {
      dbias[strip + i] = narrow<T>(sum);
    }
  });
}

// dbias: the sums of the columns of partial (n_parts, n).
extern "C" __global__ void __launch_bounds__(N_WARPS * WARP)
linear_backward_dbias(const ACC* __restrict__ partial, T* __restrict__ dbias, long long n_parts,
                      long long n) {
  __shared__ Parts parts;
  const long long strip = (long long)blockIdx.x * STRIP, column = strip + lane_index() * PACK;
  Sums sums = {};
  if (column < n) {
#pragma unroll UNROLL
    for (long long part = warp_index(); part < n_parts; part += N_WARPS) {
#pragma unroll
      for (int i = 0; i < PACK; i++) sums.at[i] += partial[part * n + column + i];
    }
  }
  add_warps(parts, sums, [&](int i, ACC sum) {
    if (strip + i < n) dbias[strip + i] = narrow<T>(sum);
  });
}
