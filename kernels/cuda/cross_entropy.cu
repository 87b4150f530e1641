// Cross entropy of labels: logits (n_rows, n), a label for each row. LABEL: the labels' type.
//
// The loss of a row is log_sum - x at the label, log_sum the log of the sum of exp(x); its gradient
// softmax - one at the label. A label that is none gives NaN for both; how many such there are is
// written to n_bad, where that is not null, and only if there are any.

constexpr int MOST_WARPS = 32;  // of the one block that adds the rows' losses up
constexpr int LANES = 8;        // of a warp that own a row where one block does everything

__device__ __forceinline__ bool is_label(long long label, long long n) {
  return label >= 0 && label < n;
}

struct Row {
  ACC loss, log_sum;
};

// All threads of the team call it.
template <class Owner>
__device__ __forceinline__ Row row_loss(const Owner& team, const T* x, long long label,
                                        long long n) {
  const ACC most = row_maximum(team, x, n);
  const ACC log_sum = logarithm(row_sum_of_exp(team, x, most, n));
  const ACC loss = is_label(label, n) ? log_sum - (wide(x[label]) - most) : not_a_number();
  return {loss, most + log_sum};
}

// The gradient of a row times the cotangent of its loss.
template <class Owner>
__device__ __forceinline__ void row_gradient(const Owner& team, ACC dloss, const T* x,
                                             long long label, ACC log_sum, T* dx, long long n) {
  if (!is_label(label, n)) dloss = not_a_number();
#pragma unroll AT_A_TIME
  for (long long i = team.member; i < n; i += Owner::SIZE) {
    const ACC p = exponential(wide(x[i]) - log_sum);
    dx[i] = narrow<T>((p - ACC(i == label)) * dloss);
  }
}

// The last step of a block whose threads have added up losses, and counted labels that are none:
// its warps are added up one after another.
__device__ __forceinline__ void write_total(ACC sum, int bad, T* loss, long long* n_bad, ACC scale) {
  __shared__ ACC sums[MOST_WARPS];
  __shared__ int counts[MOST_WARPS];
  sum = reduce_warp<Sum>(sum);
  if (__any_sync(ALL_LANES, bad)) bad = reduce_warp<Sum>(bad);
  if (lane_index() == 0) {
    sums[warp_index()] = sum;
    counts[warp_index()] = bad;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  long long all_bad = bad;
  for (int warp = 1; warp < blockDim.x / WARP; warp++) {
    sum += sums[warp];
    all_bad += counts[warp];
  }
  *loss = narrow<T>(sum * scale);
  if (all_bad && n_bad != nullptr) *n_bad = all_bad;
}

// ---- few rows: one block computes everything ----

// The rows of one block, each owned by LANES neighbours of a warp.
struct Lanes {
  static constexpr int SIZE = LANES;

  int member = threadIdx.x % LANES;

  template <class Op>
  __device__ ACC reduce(ACC x) const {
#pragma unroll
    for (int offset = LANES / 2; offset; offset /= 2) {
      x = Op::join(x, __shfl_xor_sync(ALL_LANES, x, offset));
    }
    return x;
  }
};

// loss = scale times the sum of the rows' losses, and where dlogits is not null its gradient; the
// rows' log_sums where these are not null.
extern "C" __global__ void __launch_bounds__(MOST_WARPS * WARP, 1)
cross_entropy_whole(const T* __restrict__ logits, const LABEL* __restrict__ labels,
                    T* __restrict__ loss, ACC* __restrict__ log_sums, T* __restrict__ dlogits,
                    long long* __restrict__ n_bad, ACC scale, long long n_rows, long long n) {
  const Lanes team;
  ACC sum = 0;
  int bad = 0;
  for (long long first = 0; first < n_rows; first += blockDim.x / LANES) {
    // All lanes meet in row_loss(): those without a row do the last one again, and write nothing.
    const long long own = first + threadIdx.x / LANES, row = min(own, n_rows - 1);
    const T* x = logits + row * n;
    const long long label = labels[row];
    const Row found = row_loss(team, x, label, n);
    if (own >= n_rows) continue;
    if (dlogits != nullptr) {
      row_gradient(team, scale, x, label, found.log_sum, dlogits + row * n, n);
    }
    if (team.member != 0) continue;
    if (log_sums != nullptr) log_sums[row] = found.log_sum;
    sum += found.loss;
    bad += !is_label(label, n);
  }
  write_total(sum, bad, loss, n_bad, scale);
}

// ---- many rows ----

template <int N_WARPS>
__device__ void losses(const T* logits, const LABEL* labels, ACC* terms, ACC* log_sums,
                       long long n_rows, long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const Row found = row_loss(team, logits + row * n, labels[row], n);
    if (team.member != 0) continue;
    terms[row] = found.loss;
    log_sums[row] = found.log_sum;
  }
}

// dlogits: the rows' gradients times the cotangents of their losses, scale times dy.
template <int N_WARPS>
__device__ void gradients(const T* dy, bool dy_per_row, ACC scale, const T* logits,
                          const LABEL* labels, const ACC* log_sums, T* dlogits, long long n_rows,
                          long long n) {
  __shared__ ACC parts[N_WARPS];
  const Team<N_WARPS> team(parts);
  for (long long row = team.row; row < n_rows; row += team.n_teams) {
    const ACC dloss = wide(dy[dy_per_row ? row : 0]) * scale;
    row_gradient(team, dloss, logits + row * n, labels[row], log_sums[row], dlogits + row * n, n);
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

// loss = scale times the sum of the terms. One block, thread t owns the rows t, t + 1024, ...: the
// order of the sum is always the same.
extern "C" __global__ void __launch_bounds__(MOST_WARPS * WARP)
cross_entropy_total(const ACC* __restrict__ terms, const LABEL* __restrict__ labels,
                    T* __restrict__ loss, long long* __restrict__ n_bad, ACC scale,
                    long long n_rows, long long n) {
  ACC sum = 0;
  int bad = 0;
#pragma unroll 4
  for (long long row = threadIdx.x; row < n_rows; row += MOST_WARPS * WARP) {
    sum += terms[row];
    bad += !is_label(labels[row], n);
  }
  write_total(sum, bad, loss, n_bad, scale);
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
