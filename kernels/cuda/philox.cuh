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

// How many blocks n words take up that begin at a place.
__device__ __forceinline__ long long n_blocks(const Place& place, long long n_words) {
  return (place.skipped + n_words + 3) / 4;
}

// Choices of 16 bits, four to a word: true with probability threshold / 2**32.
struct Chance {
  unsigned upper;  // threshold / 2**16
  unsigned lower;  // threshold % 2**16

  __device__ explicit Chance(long long threshold)
      : upper((unsigned)(threshold >> 16)), lower((unsigned)(threshold & 0xffff)) {}

  static __device__ __forceinline__ unsigned chunk(const Block& words, int q, int i) {
    return (unsigned)(words.word[q] >> 16 * i) & 0xffff;
  }

  // The block that holds the lower 16 bits of all choices, if one of them depends on these.
  __device__ __forceinline__ Block twins(const Place& place, long long block,
                                         const Block& words) const {
    bool are_needed = false;  // once in 4,096 blocks
#pragma unroll
    for (int i = 0; i < 16; i++) are_needed |= chunk(words, i / 4, i % 4) == upper;
    return are_needed ? philox_block(place, block, true) : words;
  }

  // Choice i of word q.
  __device__ __forceinline__ bool choose(const Block& words, const Block& twins, int q, int i) const {
    const unsigned first = chunk(words, q, i);
    return first != upper ? first < upper : chunk(twins, q, i) < lower;
  }
};
