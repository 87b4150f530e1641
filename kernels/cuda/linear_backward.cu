// The backward pass of linear before its products: dz = dy times the slope of the activation, and
// the gradient of the bias, the sums of the columns of dz. dy, kept, dz: (m, n). columns.cuh says
// which threads own which columns.

// kept: y where ACTIVATION::KEEPS_Y, else z, the value before the activation. dz: null where it is
// not wanted. Sums go to partial (gridDim.y, n) if that is given, else to dbias (n,), else nowhere.
extern "C" __global__ void __launch_bounds__(N_WARPS * WARP)
linear_backward_dz(const T* __restrict__ dy, const T* __restrict__ kept, T* __restrict__ dz,
                   ACC* __restrict__ partial, T* __restrict__ dbias, long long m, long long n,
                   long long rows_a_block) {
  __shared__ Parts parts;
  const long long column = own_column();
  const long long first = blockIdx.y * rows_a_block, end = min(m, first + rows_a_block);
  const auto dz_of = [&](long long row) {
    const long long place = row * n + column;
    Sums values = load_pack<PACK>(dy + place);
    const Sums at = load_pack<PACK>(kept + place);
#pragma unroll
    for (int i = 0; i < PACK; i++) values.at[i] *= ACTIVATION::slope(at.at[i]);
    if (dz != nullptr) store_pack(dz + place, values);
    return values;
  };
  const Sums sums = add_rows(first, column < n ? end : first, dz_of);
  if (partial == nullptr && dbias == nullptr) return;
  add_warps(parts, sums, n, [&](long long i, ACC sum) {
    if (partial != nullptr) {
      partial[blockIdx.y * n + i] = sum;
    } else {
      dbias[i] = narrow<T>(sum);
    }
  });
}
