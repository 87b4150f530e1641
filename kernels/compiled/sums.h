// Sums whose order, and so whose bits, are the same on every processor: LANES of them side by side,
// so that loops are vectorised; after every CHUNK of numbers they go into a double, so that long
// sums stay accurate.

#ifndef ISOGRAD_SUMS_H
#define ISOGRAD_SUMS_H

#include "loops.h"

enum { LANES = 16, CHUNK = 4096 };

// The statement for every i below n; `lane` is where its sums add up.
#define IN_LANES(n, statement)                                    \
  do {                                                            \
    const Py_ssize_t whole = (n) - (n) % LANES;                   \
    for (Py_ssize_t start = 0; start < whole; start += LANES) {   \
      for (int lane = 0; lane < LANES; lane++) {                  \
        const Py_ssize_t i = start + lane;                        \
        statement;                                                \
      }                                                           \
    }                                                             \
    for (Py_ssize_t i = whole; i < (n); i++) {                    \
      const Py_ssize_t lane = i - whole;                          \
      statement;                                                  \
    }                                                             \
  } while (0)

// The sum of the lanes. Each half is a loop of its own, which becomes one addition in registers.
INLINE float lanes_sum(const float *lanes) {
  float eight[8], four[4];
  for (int i = 0; i < 8; i++) eight[i] = lanes[i] + lanes[i + 8];
  for (int i = 0; i < 4; i++) four[i] = eight[i] + eight[i + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

// How many numbers the chunk that begins at `start` has.
INLINE Py_ssize_t chunk_length(Py_ssize_t start, Py_ssize_t n) {
  return n - start < CHUNK ? n - start : CHUNK;
}

INLINE double sum_of(const float *x, Py_ssize_t n) {
  double total = 0.0;
  for (Py_ssize_t first = 0; first < n; first += CHUNK, x += CHUNK) {
    float sums[LANES] = {0};
    IN_LANES(chunk_length(first, n), sums[lane] += x[i]);
    total += lanes_sum(sums);
  }
  return total;
}

// The sum of (x - mean)^2.
INLINE double squares_of(const float *x, float mean, Py_ssize_t n) {
  double total = 0.0;
  for (Py_ssize_t first = 0; first < n; first += CHUNK, x += CHUNK) {
    float sums[LANES] = {0};
    IN_LANES(chunk_length(first, n), sums[lane] += (x[i] - mean) * (x[i] - mean));
    total += lanes_sum(sums);
  }
  return total;
}

// The sum of dy (x - mean).
INLINE double products_of(const float *dy, const float *x, float mean, Py_ssize_t n) {
  double total = 0.0;
  for (Py_ssize_t first = 0; first < n; first += CHUNK, x += CHUNK, dy += CHUNK) {
    float sums[LANES] = {0};
    IN_LANES(chunk_length(first, n), sums[lane] += dy[i] * (x[i] - mean));
    total += lanes_sum(sums);
  }
  return total;
}

#endif
