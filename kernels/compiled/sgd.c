// Gradient descent with momentum in one pass, operation by operation as kernels/sgd.py.

#include "loops.h"

typedef struct {
  float lr, momentum, share, decay;  // share: how much of the gradient goes into the velocity
} Numbers;

FOR_EVERY_PROCESSOR
static void descend(float *restrict p, const float *restrict dp, Py_ssize_t n, Numbers c) {
  for (Py_ssize_t i = 0; i < n; i++) {
    const float d = c.decay == 0.0f ? dp[i] : dp[i] + p[i] * c.decay;
    p[i] -= d * c.lr;
  }
}

FOR_EVERY_PROCESSOR
static void descend_with_momentum(float *restrict p, const float *restrict dp, float *restrict v,
                                  Py_ssize_t n, Numbers c, int nesterov) {
  for (Py_ssize_t i = 0; i < n; i++) {
    const float decayed = c.decay == 0.0f ? dp[i] : dp[i] + p[i] * c.decay;
    const float d = decayed * c.share;
    v[i] = v[i] * c.momentum + d;
    p[i] -= (nesterov ? d + v[i] * c.momentum : v[i]) * c.lr;
  }
}

// sgd(p, dp, v, lr, momentum, share, decay, nesterov): p and the velocity v are overwritten with
// their values after an update; an empty v: there is no momentum.
LOOP(sgd) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wrw", arguments, n_given, 8)) return NULL;
  float numbers[4];
  for (int i = 0; i < 4; i++) numbers[i] = take_float(arguments[3 + i]);
  const Numbers c = {numbers[0], numbers[1], numbers[2], numbers[3]};
  const int nesterov = take_flag(arguments[7]);
  const Py_ssize_t n = arrays.sizes[0], n_velocities = arrays.sizes[2];
  float *const *data = arrays.data;
  if (!PyErr_Occurred() && check_size(&arrays, 1, n) &&
      (n_velocities == 0 || check_size(&arrays, 2, n))) {
    Py_BEGIN_ALLOW_THREADS;
    if (n_velocities == 0) {
      descend(data[0], data[1], n, c);
    } else {
      descend_with_momentum(data[0], data[1], data[2], n, c, nesterov);
    }
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}
