// Softmax and log-softmax along rows: x, y (n_rows, n), rows one after another.
// A team of threads owns a row: a warp where rows are short, a block where they are long.

constexpr int ROWS = 4;        // warps a block where a warp owns a row
constexpr int LONG_WARPS = 8;  // warps a block where a block owns a row: 256 threads

__device__ __forceinline__ float exponential(float x) { return expf(x); }
__device__ __forceinline__ double exponential(double x) { return exp(x); }
__device__ __forceinline__ float logarithm(float x) { return logf(x); }
__device__ __forceinline__ double logarithm(double x) { return log(x); }

template <int N_WARPS>
struct Team {
  ACC* parts;       // shared memory for N_WARPS numbers
  long long row;    // the first row
  long long n_teams;
  int member;

  __device__ Team(ACC* parts) : parts(parts) {
    row = N_WARPS == 1 ? (long long)blockIdx.x * ROWS + warp_index() : blockIdx.x;
    n_teams = N_WARPS == 1 ? (long long)gridDim.x * ROWS : gridDim.x;
    member = N_WARPS == 1 ? lane_index() : threadIdx.x;
  }

  template <class Op>
  __device__ ACC reduce(ACC x) const { return reduce_block<N_WARPS, Op>(x, parts); }
};

// The maximum of a row, -inf for no columns; NaN is passed over: its exp makes the sum NaN.
template <int N_WARPS>
__device__ ACC row_maximum(const Team<N_WARPS>& team, const T* x, long long n) {
  ACC most = -infinity();
  for (long long i = team.member; i < n; i += N_WARPS * WARP) most = Max::join(most, wide(x[i]));
  return team.template reduce<Max>(most);
}

template <int N_WARPS>
__device__ ACC row_sum_of_exp(const Team<N_WARPS>& team, const T* x, ACC shift, long long n) {
  ACC sum = 0;
  for (long long i = team.member; i < n; i += N_WARPS * WARP) sum += exponential(wide(x[i]) - shift);
  return team.template reduce<Sum>(sum);
}

template <int N_WARPS>
__device__ void forward(bool in_logs, const T* x, T* y, long long n_rows, long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const T* x_row = x + row * n;
    T* y_row = y + row * n;
    const ACC most = row_maximum(team, x_row, n);
    const ACC sum = row_sum_of_exp(team, x_row, most, n);
    const ACC log_sum = in_logs ? logarithm(sum) : ACC(0);
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      const ACC shifted = wide(x_row[i]) - most;
      y_row[i] = narrow<T>(in_logs ? shifted - log_sum : exponential(shifted) / sum);
    }
  }
}

// softmax: dx = y (dy - sum of dy y). log_softmax: dx = dy - exp(y) (sum of dy).
template <int N_WARPS>
__device__ void backward(
    bool in_logs, const T* dy, const T* y, T* dx, long long n_rows, long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const T* dy_row = dy + row * n;
    const T* y_row = y + row * n;
    ACC sum = 0;
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      sum += in_logs ? wide(dy_row[i]) : wide(dy_row[i]) * wide(y_row[i]);
    }
    sum = team.template reduce<Sum>(sum);
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      const ACC y_i = wide(y_row[i]), dy_i = wide(dy_row[i]);
      dx[row * n + i] = narrow<T>(in_logs ? dy_i - exponential(y_i) * sum : y_i * (dy_i - sum));
    }
  }
}

extern "C" __global__ void __launch_bounds__(ROWS * WARP)
softmax_forward_short(const T* __restrict__ x, T* __restrict__ y, bool in_logs, long long n_rows,
                      long long n) {
  forward<1>(in_logs, x, y, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
softmax_forward_long(const T* __restrict__ x, T* __restrict__ y, bool in_logs, long long n_rows,
                     long long n) {
  forward<LONG_WARPS>(in_logs, x, y, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(ROWS * WARP)
softmax_backward_short(const T* __restrict__ dy, const T* __restrict__ y, T* __restrict__ dx,
                       bool in_logs, long long n_rows, long long n) {
  backward<1>(in_logs, dy, y, dx, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
softmax_backward_long(const T* __restrict__ dy, const T* __restrict__ y, T* __restrict__ dx,
                      bool in_logs, long long n_rows, long long n) {
  backward<LONG_WARPS>(in_logs, dy, y, dx, n_rows, n);
}
