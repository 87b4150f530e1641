// Many arrays of one shape joined along an axis: each, (outer, inner), goes to its place in
// y (outer, n_arrays, inner). Nobody looks at what they hold: it is moved in units of the type UNIT.

constexpr int THREADS = 256;
constexpr int MOST = 128;  // arrays of a launch: their addresses are an argument of 1 KB

struct __align__(16) Sixteen {
  unsigned long long at[2];
};

struct Addresses {
  const UNIT* of[MOST];
};

// Blocks of one blockIdx.y copy array first + blockIdx.y of y, each thread every n_threads()-th unit.
// inner, y_row: units from one row to the next, of an array and of y. n: units of an array.
extern "C" __global__ void __launch_bounds__(THREADS)
concat_arrays(void* __restrict__ y, const Addresses arrays, long long first, long long inner,
              long long y_row, long long n) {
  const UNIT* const x = arrays.of[blockIdx.y];
  UNIT* const to = (UNIT*)y + (first + blockIdx.y) * inner;
  for (long long i = thread_index(); i < n; i += n_threads()) {
    to[i / inner * y_row + i % inner] = x[i];
  }
}
