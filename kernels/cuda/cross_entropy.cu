// Cross entropy of labels: logits (n_rows, n), a label for each row. LABEL: the labels' type.

constexpr int TOTAL_WARPS = 32;  // of the one block that adds the rows' losses up

__device__ __forceinline__ bool is_label(long long label, long long n) {
  return label >= 0 && label < n;
}

// The loss of a row: log_sum - x at the label, log_sum the log of the sum of exp(x). A label that is
// none gives NaN.
template <int N_WARPS>
__device__ void losses(const T* logits, const LABEL* labels, ACC* terms, ACC* log_sums,
                       long long n_rows, long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const T* x = logits + row * n;
    const ACC most = row_maximum(team, x, n);
    const ACC log_sum = logarithm(row_sum_of_exp(team, x, most, n));
    if (team.member != 0) continue;
    const long long label = labels[row];
    terms[row] = is_label(label, n) ? log_sum - (wide(x[label]) - most) : not_a_number();
    log_sums[row] = most + log_sum;
  }
}

// dlogits = (softmax - one at the label) times the cotangent of the row's loss.
template <int N_WARPS>
__device__ void gradients(const T* dy, bool dy_per_row, ACC scale, const T* logits,
                          const LABEL* labels, const ACC* log_sums, T* dlogits, long long n_rows,
                          long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const long long label = labels[row];
    const ACC log_sum = log_sums[row];
    const ACC given = wide(dy[dy_per_row ? row : 0]) * scale;
    const ACC dterm = is_label(label, n) ? given : not_a_number();
#pragma unroll AT_A_TIME
    for (long long i = team.member; i < n; i += N_WARPS * WARP) {
      const ACC p = exponential(wide(logits[row * n + i]) - log_sum);
      dlogits[row * n + i] = narrow<T>((p - ACC(i == label)) * dterm);
    }
  }
}

extern "C" __global__ void __launch_bounds__(SHORT_ROWS * WARP)
cross_entropy_forward_short(const T* __restrict__ logits, const LABEL* __restrict__ labels,
                            ACC* __restrict__ terms, ACC* __restrict__ log_sums, long long n_rows,
                            long long n) {
  losses<1>(logits, labels, terms, log_sums, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
cross_entropy_forward_long(const T* __restrict__ logits, const LABEL* __restrict__ labels,
                           ACC* __restrict__ terms, ACC* __restrict__ log_sums, long long n_rows,
                           long long n) {
  losses<LONG_WARPS>(logits, labels, terms, log_sums, n_rows, n);
}

// loss = scale times the sum of the terms, and how many labels are none. One block, thread t owns
// the rows t, t + 1024, ...: the order of the sum is always the same.
extern "C" __global__ void __launch_bounds__(TOTAL_WARPS * WARP)
cross_entropy_total(const ACC* __restrict__ terms, const LABEL* __restrict__ labels,
                    T* __restrict__ loss, long long* __restrict__ n_bad, ACC scale,
                    long long n_rows, long long n) {
  __shared__ ACC sums[TOTAL_WARPS];
  __shared__ long long counts[TOTAL_WARPS];
  ACC sum = 0;
  long long bad = 0;
#pragma unroll 4
  for (long long row = threadIdx.x; row < n_rows; row += TOTAL_WARPS * WARP) {
    sum += terms[row];
    bad += !is_label(labels[row], n);
  }
  sum = reduce_block<TOTAL_WARPS, Sum>(sum, sums);
  bad = reduce_block<TOTAL_WARPS, Sum>(bad, counts);
  if (threadIdx.x != 0) return;
  *loss = narrow<T>(sum * scale);
  *n_bad = bad;
}

extern "C" __global__ void __launch_bounds__(SHORT_ROWS * WARP)
cross_entropy_backward_short(const T* __restrict__ dy, bool dy_per_row, ACC scale,
                             const T* __restrict__ logits, const LABEL* __restrict__ labels,
                             const ACC* __restrict__ log_sums, T* __restrict__ dlogits,
                             long long n_rows, long long n) {
  gradients<1>(dy, dy_per_row, scale, logits, labels, log_sums, dlogits, n_rows, n);
}

extern "C" __global__ void __launch_bounds__(LONG_WARPS * WARP)
cross_entropy_backward_long(const T* __restrict__ dy, bool dy_per_row, ACC scale,
                            const T* __restrict__ logits, const LABEL* __restrict__ labels,
                            const ACC* __restrict__ log_sums, T* __restrict__ dlogits,
                            long long n_rows, long long n) {
  gradients<LONG_WARPS>(dy, dy_per_row, scale, logits, labels, log_sums, dlogits, n_rows, n);
}
