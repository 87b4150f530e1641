// RMSprop in one pass, operation by operation as kernels/rmsprop.py.

#include "loops.h"
#include "sums.h"

#include <math.h>

typedef struct {
  float lr, alpha, rest;  // rest: 1 - alpha
  float eps, decay, momentum;
} Numbers;

// mean is used where the update is centered, velocity where it has momentum.
INLINE void advance(float *restrict p, const float *restrict dp, float *restrict square,
                    float *restrict mean, float *restrict velocity, Py_ssize_t n, Numbers c,
                    int centered, int has_momentum) {
  for (Py_ssize_t i = 0; i < n; i++) {
    const float d = c.decay == 0.0f ? dp[i] : dp[i] + p[i] * c.decay;
    square[i] = square[i] * c.alpha + d * c.rest * d;
    float variance = square[i];
    if (centered) {
      mean[i] = mean[i] * c.alpha + d * c.rest;
      variance -= mean[i] * mean[i];
      variance = variance < 0.0f ? 0.0f : variance;  // NaN stays
    }
    float step = d / (sqrtf(variance) + c.eps);
    if (has_momentum) step = velocity[i] = velocity[i] * c.momentum + step;
    p[i] -= step * c.lr;
  }
}

// One loop for each of the four forms, so that none asks inside.
FOR_EVERY_PROCESSOR
static void update(float *p, const float *dp, float *square, float *mean, float *velocity,
                   Py_ssize_t n, Numbers c, int centered, int has_momentum) {
  if (centered && has_momentum) {
    advance(p, dp, square, mean, velocity, n, c, 1, 1);
  } else if (centered) {
    advance(p, dp, square, mean, velocity, n, c, 1, 0);
  } else if (has_momentum) {
    advance(p, dp, square, mean, velocity, n, c, 0, 1);
  } else {
    advance(p, dp, square, mean, velocity, n, c, 0, 0);
  }
}

// rmsprop(p, dp, square, mean, velocity, lr, alpha, rest, eps, decay, momentum): all but dp are
// overwritten with their values after an update. An empty mean: the update is not centered; an
// empty velocity: it has no momentum.
LOOP(rmsprop) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wrwww", arguments, n_given, 11)) return NULL;
  float numbers[6];
  for (int i = 0; i < 6; i++) numbers[i] = take_float(arguments[5 + i]);
  const Numbers c = {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
  const Py_ssize_t n = arrays.sizes[0];
  const int centered = arrays.sizes[3] > 0, has_momentum = arrays.sizes[4] > 0;
  float *const *data = arrays.data;
  if (!PyErr_Occurred() && check_size(&arrays, 1, n) && check_size(&arrays, 2, n) &&
      (!centered || check_size(&arrays, 3, n)) && (!has_momentum || check_size(&arrays, 4, n))) {
    Py_BEGIN_ALLOW_THREADS;
    update(data[0], data[1], data[2], data[3], data[4], n, c, centered, has_momentum);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}
