// What products on tensor cores are made of, for sm_80 and later: copies to shared memory that run
// beside the arithmetic, fragments, and the multiplication of two fragments by a warp.
// Names of lanes are those of the PTX manual: group = lane / 4, member = lane % 4.
#pragma once

#if defined(CUDA_HOST) || __CUDA_ARCH__ >= 800
#define HAS_TENSOR_CORES 1
#else
#define HAS_TENSOR_CORES 0  // they compile to nothing; the launcher takes other kernels
#endif

constexpr int CHUNK_BYTES = 16;  // of one asynchronous copy, and of a fragment's line

// Shared memory whose size the launch says.
__device__ __forceinline__ unsigned char* dynamic_shared() {
#ifdef CUDA_HOST
  return host::dynamic_shared();
#else
  extern __shared__ __align__(128) unsigned char dynamic_shared_memory[];
  return dynamic_shared_memory;
#endif
}

#ifndef CUDA_HOST
__device__ __forceinline__ unsigned shared_address(const void* shared) {
  return (unsigned)__cvta_generic_to_shared(shared);
}
#endif

// ---- asynchronous copies ----

// Starts to copy CHUNK_BYTES, both addresses multiples of that; zeros where not is_inside, and then
// `global` is not read.
__device__ __forceinline__ void copy_async(void* shared, const void* global, bool is_inside) {
  const int n_bytes = is_inside ? CHUNK_BYTES : 0;
#ifdef CUDA_HOST
  host::copy_async(shared, global, CHUNK_BYTES, n_bytes);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(n_bytes) : "memory");
#endif
}

// Ends a group of copies: those that this thread started since the last group, maybe none.
__device__ __forceinline__ void commit_copies() {
#ifdef CUDA_HOST
  host::commit_copies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most N of this thread's groups are under way; others' need a barrier after it.
template <int N>
__device__ __forceinline__ void wait_for_copies() {
#ifdef CUDA_HOST
  host::wait_copies(N);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

// ---- fragments ----

#ifdef CUDA_HOST
namespace host {

// What each lane's line is, checked as the hardware does.
inline Brought<const void*> exchange_lines(const void* line, const char* what) {
  if ((uintptr_t)line % CHUNK_BYTES) fail("%s: an address is not a multiple of 16", what);
  return exchange(line, what);
}

}  // namespace host
#endif

// Four 8 x 8 matrices of 16-bit numbers (or 8 x 4 of 32 bits), each line of them one chunk. Lane i
// says where line i % 8 of matrix i / 8 is. A lane gets 4 bytes of each: of line group, its own.
__device__ __forceinline__ void load_matrices(unsigned (&matrices)[4], const void* line) {
#ifdef CUDA_HOST
  const auto lines = host::exchange_lines(line, "ldmatrix");
  for (int i = 0; i < 4; i++) {
    const auto words = (const unsigned*)lines[i * 8 + lane_index() / 4];
    matrices[i] = words[lane_index() % 4];
  }
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
               : "r"(shared_address(line)) : "memory");
#endif
}

// The same with each matrix of 16-bit numbers transposed: lane gets numbers 2 member and
// 2 member + 1 of column group.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&matrices)[4],
                                                         const void* line) {
#ifdef CUDA_HOST
  const auto lines = host::exchange_lines(line, "ldmatrix.trans");
  const int group = lane_index() / 4, member = lane_index() % 4;
  for (int i = 0; i < 4; i++) {
    const unsigned low = ((const unsigned short*)lines[i * 8 + 2 * member])[group];
    const unsigned high = ((const unsigned short*)lines[i * 8 + 2 * member + 1])[group];
    matrices[i] = high << 16 | low;
  }
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
               : "r"(shared_address(line)) : "memory");
#endif
}

// ---- TF32: a float whose last 13 bits the tensor core does not look at ----

constexpr unsigned TF32_BITS = 0xffffe000u;
constexpr unsigned HALF_A_STEP = 0x1000u;

// The bits of x rounded to nearest, but that those which nobody looks at are left as they come. A NaN
// stays as it is: a GPU's own is 0x7fffffff, and HALF_A_STEP more of that is -0.
__device__ __forceinline__ unsigned tf32(unsigned x) {
  const float value = __uint_as_float(x);
  return value == value ? x + HALF_A_STEP : x;
}

// x as a sum: big to 11 bits, and what is left to another 11, exact but for its last bits. An
// infinity gives a NaN, as infinity - infinity does; a NaN stays one in small.
__device__ __forceinline__ void split(unsigned x, unsigned& big, unsigned& small) {
  big = (x + HALF_A_STEP) & TF32_BITS;
  small = __float_as_uint(__uint_as_float(x) - __uint_as_float(big));
}

// ---- multiplication: sums (16 x 8) += a (16 x depth) b (depth x 8) ----
// sums: rows group (0, 1) and group + 8 (2, 3), columns 2 member and 2 member + 1.
// a: rows group (0, 2) and group + 8 (1, 3), the first 16 bytes of depth (0, 1), the others (2, 3).
// b: column group, the first 16 bytes of depth, the others. Of each 16 a member has 4, in order.

#ifdef CUDA_HOST
namespace host {

// Exact products of one row and one column and the sum so far, cut off to a float once: the worst
// that tensor cores do.
template <int DEPTH, class Factor>
void multiply(float (&sums)[4], const unsigned (&a)[4], unsigned b_first, unsigned b_last,
              Factor factor) {
  struct Six {
    unsigned a[4], b[2];
  };
  const auto lanes = exchange(Six{{a[0], a[1], a[2], a[3]}, {b_first, b_last}}, "mma");
  const int group = lane_index() / 4, member = lane_index() % 4;
  for (int i = 0; i < 4; i++) {
    double sum = sums[i];
    for (int k = 0; k < DEPTH; k++) {
      const int owner = k % (DEPTH / 2) * 8 / DEPTH, half = k / (DEPTH / 2);
      const int place = k % (DEPTH / 8);
      const unsigned of_a = lanes[group * 4 + owner].a[i / 2 + 2 * half];
      const unsigned of_b = lanes[(2 * member + i % 2) * 4 + owner].b[half];
      sum += factor(of_a, place) * factor(of_b, place);
    }
    const float nearest = (float)sum;
    sums[i] = fabs((double)nearest) > fabs(sum) ? nextafterf(nearest, 0.0f) : nearest;
  }
}

}  // namespace host
#endif

// float: depth 8, in TF32.
__device__ __forceinline__ void multiply(float (&sums)[4], const unsigned (&a)[4],
                                         unsigned b_first, unsigned b_last, float) {
#ifdef CUDA_HOST
  host::multiply<8>(sums, a, b_first, b_last, [](unsigned bits, int) {
    return (double)__uint_as_float(bits & TF32_BITS);
  });
#else
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_first), "r"(b_last));
#endif
}

// float16: depth 16.
__device__ __forceinline__ void multiply(float (&sums)[4], const unsigned (&a)[4],
                                         unsigned b_first, unsigned b_last, half_t) {
#ifdef CUDA_HOST
  host::multiply<16>(sums, a, b_first, b_last, [](unsigned bits, int place) {
    return (double)wide(half_t{(unsigned short)(bits >> 16 * place)});
  });
#else
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_first), "r"(b_last));
#endif
}

// bfloat16: depth 16.
__device__ __forceinline__ void multiply(float (&sums)[4], const unsigned (&a)[4],
                                         unsigned b_first, unsigned b_last, bfloat_t) {
#ifdef CUDA_HOST
  host::multiply<16>(sums, a, b_first, b_last, [](unsigned bits, int place) {
    return (double)wide(bfloat_t{(unsigned short)(bits >> 16 * place)});
  });
#else
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_first), "r"(b_last));
#endif
}
