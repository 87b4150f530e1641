// Adam and AdamW in one pass, operation by operation as kernels/adam.py.

#include "loops.h"

#include <math.h>

typedef struct {
  float beta1, rest1;  // beta1, 1 - beta1
  float beta2, rest2;
  float eps, step;  // with the bias corrections of this update
  float decay;      // of the gradient; decoupled: what p is multiplied by
} Numbers;

FOR_EVERY_PROCESSOR
static void update(float *restrict p, const float *restrict dp, float *restrict m,
                   float *restrict v, Py_ssize_t n, Numbers c, int decoupled) {
  for (Py_ssize_t i = 0; i < n; i++) {
    const float shrunk = decoupled ? p[i] * c.decay : p[i];
    const float d = decoupled || c.decay == 0.0f ? dp[i] : dp[i] + p[i] * c.decay;
    m[i] = m[i] * c.beta1 + d * c.rest1;
    v[i] = v[i] * c.beta2 + d * c.rest2 * d;
    p[i] = shrunk - m[i] / (sqrtf(v[i]) + c.eps) * c.step;
  }
}

// adam(p, dp, m, v, beta1, rest1, beta2, rest2, eps, step, decay, decoupled): p, m and v are
// overwritten with their values after an update.
LOOP(adam) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wrww", arguments, n_given, 12)) return NULL;
  const Py_ssize_t n = arrays.sizes[0];
  float numbers[7];
  for (int i = 0; i < 7; i++) numbers[i] = take_float(arguments[4 + i]);
  const int decoupled = take_flag(arguments[11]);
  if (!PyErr_Occurred() && check_size(&arrays, 1, n) && check_size(&arrays, 2, n) &&
      check_size(&arrays, 3, n)) {
    const Numbers c = {numbers[0], numbers[1], numbers[2], numbers[3],
                       numbers[4], numbers[5], numbers[6]};
    Py_BEGIN_ALLOW_THREADS;
    update(arrays.data[0], arrays.data[1], arrays.data[2], arrays.data[3], n, c, decoupled);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}
