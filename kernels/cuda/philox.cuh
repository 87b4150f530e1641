// Philox4x64-10 in NumPy's convention: block i of four words comes from the counter place + i.
// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".

typedef unsigned long long word_t;

// Where the words of a draw begin: PLACE of backend/place.py.
struct Place {
  word_t key[2];
  word_t counter[4];  // of the first block
  long long skipped;  // words of that block that belong to an earlier draw
};

struct Block {
  word_t word[4];
};

__device__ __forceinline__ Block philox_block(const Place& place, word_t index, bool far = false) {
  word_t x[4];
  word_t carry = index;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    x[i] = place.counter[i] + carry;
    carry = x[i] < carry;
  }
  if (far) x[3] ^= 1ull << 63;  // half of the stream's 2**256 blocks away: FAR of backend/philox.py
  word_t key0 = place.key[0], key1 = place.key[1];
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const word_t high0 = __umul64hi(x[0], 0xD2E7470EE14C6C93ull), low0 = x[0] * 0xD2E7470EE14C6C93ull;
    const word_t high1 = __umul64hi(x[2], 0xCA5A826395121157ull), low1 = x[2] * 0xCA5A826395121157ull;
    x[0] = high1 ^ x[1] ^ key0;
    x[1] = low1;
    x[2] = high0 ^ x[3] ^ key1;
    x[3] = low0;
    key0 += 0x9E3779B97F4A7C15ull;
    key1 += 0xBB67AE8584CAA73Bull;
  }
  return {x[0], x[1], x[2], x[3]};
}

// Calls use(i, word) for each of n words from a place on. A thread makes a block of four; the words
// then change owners within the warp, so that neighbours in it have words that are neighbours: what
// they load and store for these lies side by side. All threads of a block, N of them, call it.
template <int N, class Use>
__device__ __forceinline__ void each_word(const Place& place, long long n, const Use& use) {
  __shared__ Block made[N];
  const Block* of_warp = made + warp_index() * WARP;
  const long long n_blocks = (place.skipped + n + 3) / 4;
  for (long long first = thread_index() - lane_index(); first < n_blocks; first += n_threads()) {
    made[threadIdx.x] = philox_block(place, first + lane_index());
    __syncwarp();
#pragma unroll
    for (int q = 0; q < 4; q++) {
      const int at = q * WARP + lane_index();
      const long long i = 4 * first + at - place.skipped;
      if (i >= 0 && i < n) use(i, of_warp[at / 4].word[at % 4]);
    }
    __syncwarp();  // before the words are written over
  }
}

// Word i from a place on, of half a stream away.
__device__ __forceinline__ word_t far_word(const Place& place, long long i) {
  const long long at = i + place.skipped;
  return philox_block(place, at / 4, true).word[at % 4];
}

// Choices of 16 bits, four to a word: true with probability threshold / 2**32.
struct Chance {
  unsigned upper;  // threshold / 2**16
  unsigned lower;  // threshold % 2**16

  __device__ explicit Chance(long long threshold)
      : upper((unsigned)(threshold >> 16)), lower((unsigned)(threshold & 0xffff)) {}

  static __device__ __forceinline__ unsigned chunk(word_t word, int i) {
    return (unsigned)(word >> 16 * i) & 0xffff;
  }

  // The word that holds the lower 16 bits of a word's choices, if one of them depends on these.
  __device__ __forceinline__ word_t twin(const Place& place, long long i, word_t word) const {
    bool is_needed = false;  // once in 16,384 words
#pragma unroll
    for (int k = 0; k < 4; k++) is_needed |= chunk(word, k) == upper;
    return is_needed ? far_word(place, i) : word;
  }

  // Choice i of a word.
  __device__ __forceinline__ bool choose(word_t word, word_t twin, int i) const {
    const unsigned first = chunk(word, i);
    return first != upper ? first < upper : chunk(twin, i) < lower;
  }
};
