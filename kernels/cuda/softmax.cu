// Softmax and log-softmax along rows: x, y (n_rows, n), rows one after another.

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
#pragma unroll AT_A_TIME
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
#pragma unroll AT_A_TIME
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      sum += in_logs ? wide(dy_row[i]) : wide(dy_row[i]) * wide(y_row[i]);
    }
    sum = team.template reduce<Sum>(sum);
#pragma unroll AT_A_TIME
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      const ACC y_i = wide(y_row[i]), dy_i = wide(dy_row[i]);
      dx[row * n + i] = narrow<T>(in_logs ? dy_i - exponential(y_i) * sum : y_i * (dy_i - sum));
    }
  }
}

extern "C" __global__ void __launch_bounds__(SHORT_ROWS * WARP)
softmax_forward_short(const T* __restrict__ x, T* __restrict__ y, bool in_logs, long long n_rows,
                      long long n) {
  forward<1>(in_logs, x, y, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
softmax_forward_long(const T* __restrict__ x, T* __restrict__ y, bool in_logs, long long n_rows,
                     long long n) {
  forward<LONG_WARPS>(in_logs, x, y, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(SHORT_ROWS * WARP)
softmax_backward_short(const T* __restrict__ dy, const T* __restrict__ y, T* __restrict__ dx,
                       bool in_logs, long long n_rows, long long n) {
  backward<1>(in_logs, dy, y, dx, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
softmax_backward_long(const T* __restrict__ dy, const T* __restrict__ y, T* __restrict__ dx,
                      bool in_logs, long long n_rows, long long n) {
  backward<LONG_WARPS>(in_logs, dy, y, dx, n_rows, n);
}
