// Sums of rows, of columns and of all elements, times scale: 1, or one over their number for a mean.
// rows.cuh and columns.cuh say which threads own which; sums are always added up in the same order.

template <int TEAM_WARPS, class X>
__device__ __forceinline__ void sum_rows(const X* x, T* y, ACC scale, long long n_rows,
                                         long long n) {
  __shared__ ACC parts[TEAM_WARPS];
  const Team<TEAM_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    ACC sum = 0;
#pragma unroll 4
    for (long long i = team.member; i < n; i += TEAM_WARPS * WARP) sum += wide(x[row * n + i]);
    sum = team.template reduce<Sum>(sum);
    if (team.member == 0) y[row] = narrow<T>(sum * scale);
  }
}

// x: (n_rows, n); y: (n_rows,).
extern "C" __global__ void __launch_bounds__(SHORT_ROWS * WARP)
row_sums_short(const T* __restrict__ x, T* __restrict__ y, ACC scale, long long n_rows,
               long long n) {
  sum_rows<1>(x, y, scale, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
row_sums_long(const T* __restrict__ x, T* __restrict__ y, ACC scale, long long n_rows,
              long long n) {
  sum_rows<LONG_WARPS>(x, y, scale, n_rows, n);
}

// sums[block] = the sum of the elements thread_index(), + n_threads(), ... of its threads.
extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
sum_parts(const T* __restrict__ x, ACC* __restrict__ sums, long long n) {
  __shared__ ACC parts[LONG_WARPS];
  ACC sum = 0;
#pragma unroll 4
  for (long long i = thread_index(); i < n; i += n_threads()) sum += wide(x[i]);
  sum = reduce_block<LONG_WARPS, Sum>(sum, parts);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// y, one number: the sum of sums (n,). One block.
extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
sum_total(const ACC* __restrict__ sums, T* __restrict__ y, ACC scale, long long n) {
  sum_rows<LONG_WARPS>(sums, y, scale, 1, n);
}

// The sums of the columns of x (m, n) go to partial (gridDim.y, n) if that is given, else to y (n,).
extern "C" __global__ void __launch_bounds__(N_WARPS * WARP)
column_sums(const T* __restrict__ x, ACC* __restrict__ partial, T* __restrict__ y, ACC scale,
            long long m, long long n, long long rows_a_block) {
  __shared__ Parts parts;
  const long long column = own_column();
  const long long first = blockIdx.y * rows_a_block, end = min(m, first + rows_a_block);
  const auto load = [&](long long row) { return load_pack<PACK>(x + row * n + column); };
  const Sums sums = add_rows(first, column < n ? end : first, load);
  add_warps(parts, sums, n, [&](long long i, ACC sum) {
    if (partial != nullptr) {
      partial[blockIdx.y * n + i] = sum;
    } else {
      y[i] = narrow<T>(sum * scale);
    }
  });
}

// y: the sums of the columns of partial (n_parts, n).
extern "C" __global__ void __launch_bounds__(N_WARPS * WARP)
column_totals(const ACC* __restrict__ partial, T* __restrict__ y, ACC scale, long long n_parts,
              long long n) {
  __shared__ Parts parts;
  const long long column = own_column();
  const auto load = [&](long long part) {
    Sums values;
#pragma unroll
    for (int i = 0; i < PACK; i++) values.at[i] = partial[part * n + column + i];
    return values;
  };
  const Sums sums = add_rows(0, column < n ? n_parts : 0, load);
  add_warps(parts, sums, n, [&](long long i, ACC sum) { y[i] = narrow<T>(sum * scale); });
}
