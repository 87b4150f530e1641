// exp, sigmoid and tanh without branches and without libm, so that loops over them are vectorised.
//
// exp(x) = 2^k exp(r), r = x - k log 2 with k = round(x / log 2), log 2 subtracted in two pieces
// (Cody and Waite, "Software Manual for the Elementary Functions", 1980). On |r| <= log 2 / 2,
// exp(r) = 1 + r + r^2 q(r) with q of degree 5. The polynomials are those of least largest error,
// 1.4e-9 for q and 1.1e-9 for tanh's p (times x^2 + 0.003, near enough to the relative error of
// tanh), by the exchange algorithm of Remez; their coefficients are rounded to float32.
//
// Largest error against float64 over all 2^32 numbers of float32, in units in the last place:
// exponential 0.78, sigmoid 1.97, hyperbolic_tangent 1.44. Results that are denormal are within
// that too; infinities and NaN are as in C's functions.

#ifndef ISOGRAD_ELEMENTARY_H
#define ISOGRAD_ELEMENTARY_H

#include "loops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

INLINE float power_of_two(int32_t n) {
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

// exp(x) = 2^power (1 + r + rest).
typedef struct {
  int32_t power;
  float r, rest;
} Reduced;

// For an x that is NaN or in [-1e6, 1e6].
INLINE Reduced reduced(float x) {
  const float magic = 12582912.0f;  // 1.5 2^23: the last bits of a sum with it are an integer
  const float shifted = x * 1.44269504f + magic;
  const float k = shifted - magic;
  int32_t bits, magic_bits;
  memcpy(&bits, &shifted, sizeof bits);
  memcpy(&magic_bits, &magic, sizeof magic_bits);
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  float q = 1.99075876e-4f;
  q = q * r + 1.39336521e-3f;
  q = q * r + 8.33328627e-3f;
  q = q * r + 4.16664667e-2f;
  q = q * r + 1.66666672e-1f;
  q = q * r + 0.5f;
  return (Reduced){bits - magic_bits, r, r * r * q};
}

// exp(x).
INLINE float exponential(float x) {
  x = x < -104.0f ? -104.0f : x;  // beyond both the result is 0 or infinite
  x = x > 89.0f ? 89.0f : x;
  const Reduced e = reduced(x);
  const float sum = 1.0f + e.r;
  const float y = sum + ((e.r - (sum - 1.0f)) + e.rest);  // with what the sum lost
  const int32_t half = e.power >> 1;  // 2^power alone may be beyond float32 where exp(x) is not
  return y * power_of_two(half) * power_of_two(e.power - half);
}

// 1 / (1 + exp(-x)).
INLINE float sigmoid(float x) {
  const float e = exponential(-fabsf(x));
  const float sum = 1.0f + e;
  const float lost = e - (sum - 1.0f);
  const float y = (x < 0.0f ? e : 1.0f) / sum;
  return y - y * lost;  // y (1 - lost / sum), where lost matters: sum near 1
}

// tanh(x) = 1 - 2 / (exp(2 |x|) + 1) with the sign of x; below 0.55, where that would lose digits,
// x + x^3 p(x^2).
INLINE float hyperbolic_tangent(float x) {
  const float size = fabsf(x), square = x * x;
  const float e = exponential(-2.0f * size);
  float p = -6.29023276e-3f;
  p = p * square + 2.10847501e-2f;
  p = p * square - 5.38560376e-2f;
  p = p * square + 1.33326292e-1f;
  p = p * square - 3.33333194e-1f;
  const float y = size < 0.55f ? size + size * (square * p) : 1.0f - 2.0f * e / (1.0f + e);
  return copysignf(y, x);
}

#endif
