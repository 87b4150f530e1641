// Rows, and who owns them: a team of threads, a warp where rows are short, a block where they are
// long. Matrices are (n_rows, n), rows one after another.
#pragma once

constexpr int SHORT_ROWS = 4;  // rows a block, and warps, where a warp owns a row
constexpr int LONG_WARPS = 8;  // warps a block where a block owns a row: 256 threads

// Loads of a thread that are under way at a time in a loop over a row; exp of doubles takes registers.
constexpr int AT_A_TIME = sizeof(ACC) == 8 ? 1 : 4;

template <int N_WARPS>
struct Team {
  static constexpr int SIZE = N_WARPS * WARP;

  ACC* parts;     // shared memory for N_WARPS numbers
  long long row;  // the first one
  long long n_teams;
  int member;     // which thread of the team this is

  __device__ Team(ACC* parts) : parts(parts) {
    row = N_WARPS == 1 ? (long long)blockIdx.x * SHORT_ROWS + warp_index() : blockIdx.x;
    n_teams = N_WARPS == 1 ? (long long)gridDim.x * SHORT_ROWS : gridDim.x;
    member = N_WARPS == 1 ? lane_index() : threadIdx.x;
  }

  template <class Op>
  __device__ ACC reduce(ACC x) const { return reduce_block<N_WARPS, Op>(x, parts); }
};

// The maximum of a row, -inf for no columns; NaN is passed over: its exp makes the sum NaN.
template <class Owner>
__device__ ACC row_maximum(const Owner& team, const T* x, long long n) {
  ACC most = -infinity();
#pragma unroll AT_A_TIME
  for (long long i = team.member; i < n; i += Owner::SIZE) most = Max::join(most, wide(x[i]));
  return team.template reduce<Max>(most);
}

// The sum of exp(x - shift) over a row.
template <class Owner>
__device__ ACC row_sum_of_exp(const Owner& team, const T* x, ACC shift, long long n) {
  ACC sum = 0;
#pragma unroll AT_A_TIME
  for (long long i = team.member; i < n; i += Owner::SIZE) sum += exponential(wide(x[i]) - shift);
  return team.template reduce<Sum>(sum);
}
