// erf without branches, so that loops over it are vectorised: the polynomials and the limit of
// backend/erf.py, which says how they were found.
//
// Largest error against float64 over every eleventh number of float32: 1.24 units in the last
// place.

#ifndef ISOGRAD_ERROR_FUNCTION_H
#define ISOGRAD_ERROR_FUNCTION_H

#include "elementary.h"

#include <math.h>

static inline float error_function(float x) {
  const float size = fabsf(x) > 4.0f ? 4.0f : fabsf(x);  // beyond, the result is 1
  const float square = size * size;
  float head = 7.853849828429409e-05f;  // erf(x) = x + x head where |x| < 1
  head = head * square - 8.0102026992707e-04f;
  head = head * square + 5.188330482592488e-03f;
  head = head * square - 2.685381458207252e-02f;
  head = head * square + 1.1283585248605635e-01f;
  head = head * square - 3.76126258374651e-01f;
  head = head * square + 1.2837916572955937e-01f;
  float tail = -2.1697486425693808e-05f;  // erf(x) = 1 - exp(tail) elsewhere
  tail = tail * size + 4.414710460073977e-04f;
  tail = tail * size - 4.2052762871963596e-03f;
  tail = tail * size + 2.5210315474282426e-02f;
  tail = tail * size - 1.0842205868257875e-01f;
  tail = tail * size - 6.332164373127963e-01f;
  tail = tail * size - 1.1295802896921912f;
  tail = tail * size + 1.8846289639399603e-04f;
  const float y = size < 1.0f ? head * size + size : 1.0f - exponential(tail);
  return copysignf(y, x);
}

#endif
