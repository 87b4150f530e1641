// Activations and their derivatives in one pass, with the formulas of kernels/activation.py.

#include "elementary.h"
#include "error_function.h"
#include "loops.h"
#include "sums.h"

typedef enum { GELU, GELU_TANH, SILU, KINDS } Kind;  // as in kernels/activation.py

static const float root_half = 0.70710678f, root_2_over_pi = 0.79788456f, cubic = 0.044715f;

// What y is z times of, or nearly: Phi(z), the tanh, sigmoid(z). The derivative needs it again.
INLINE float inner_value(Kind kind, float z) {
  switch (kind) {
    case GELU:
      return (1.0f + error_function(z * root_half)) * 0.5f;
    case GELU_TANH:
      return hyperbolic_tangent((z * z * cubic + 1.0f) * z * root_2_over_pi);
    default:
      return sigmoid(z);
  }
}

INLINE float slope(Kind kind, float z, float inner) {
  switch (kind) {
    case GELU:
      return exponential(z * z * -0.5f) * (0.5f * root_2_over_pi) * z + inner;
    case GELU_TANH: {
      const float dargument = (z * z * (3.0f * cubic) + 1.0f) * root_2_over_pi;
      return (dargument * (1.0f - inner * inner) * z + inner + 1.0f) * 0.5f;
    }
    default:
      return ((1.0f - inner) * z + 1.0f) * inner;
  }
}

INLINE void forward_of(Kind kind, const float *restrict z, float *restrict y,
                       float *restrict inner, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; i++) {
    inner[i] = inner_value(kind, z[i]);
    y[i] = kind == GELU_TANH ? (inner[i] + 1.0f) * 0.5f * z[i] : inner[i] * z[i];
  }
}

FOR_EVERY_PROCESSOR
static void forward(Kind kind, const float *z, float *y, float *inner, Py_ssize_t n) {
  if (kind == GELU) {
    forward_of(GELU, z, y, inner, n);
  } else if (kind == GELU_TANH) {
    forward_of(GELU_TANH, z, y, inner, n);
  } else {
    forward_of(SILU, z, y, inner, n);
  }
}

INLINE void backward_of(Kind kind, const float *restrict dy, const float *restrict z,
                        const float *restrict inner, float *restrict dz, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; i++) dz[i] = slope(kind, z[i], inner[i]) * dy[i];
}

FOR_EVERY_PROCESSOR
static void backward(Kind kind, const float *dy, const float *z, const float *inner, float *dz,
                     Py_ssize_t n) {
  if (kind == GELU) {
    backward_of(GELU, dy, z, inner, dz, n);
  } else if (kind == GELU_TANH) {
    backward_of(GELU_TANH, dy, z, inner, dz, n);
  } else {
    backward_of(SILU, dy, z, inner, dz, n);
  }
}

// y may be x. NaN stays.
FOR_EVERY_PROCESSOR
static void rectify(const float *x, float *y, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

FOR_EVERY_PROCESSOR
static void drectify(const float *restrict dy, const float *restrict y, float *restrict dx,
                     Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; i++) dx[i] = dy[i] * (y[i] > 0.0f ? 1.0f : 0.0f);
}

FOR_EVERY_PROCESSOR
static void add_bias(float *restrict z, const float *restrict bias, Py_ssize_t rows,
                     Py_ssize_t width) {
  for (Py_ssize_t i = 0; i < rows; i++, z += width) {
    for (Py_ssize_t j = 0; j < width; j++) z[j] += bias[j];
  }
}

// The kind, or KINDS with a Python error set.
static Kind take_kind(PyObject *argument) {
  const Py_ssize_t kind = take_size(argument);
  if (PyErr_Occurred()) return KINDS;
  if (kind >= 0 && kind < KINDS) return (Kind)kind;
  PyErr_Format(PyExc_ValueError, "there is no activation %zd", kind);
  return KINDS;
}

// activated(z, y, inner, kind): y, and what dactivated needs beside z, are overwritten.
LOOP(activated) {
  Arrays a;
  if (!take_arrays(&a, "rww", arguments, n_given, 4)) return NULL;
  const Kind kind = take_kind(arguments[3]);
  const Py_ssize_t n = a.sizes[0];
  if (kind != KINDS && check_size(&a, 1, n) && check_size(&a, 2, n)) {
    Py_BEGIN_ALLOW_THREADS;
    forward(kind, a.data[0], a.data[1], a.data[2], n);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// dactivated(dy, z, inner, dz, kind): dz is overwritten.
LOOP(dactivated) {
  Arrays a;
  if (!take_arrays(&a, "rrrw", arguments, n_given, 5)) return NULL;
  const Kind kind = take_kind(arguments[4]);
  const Py_ssize_t n = a.sizes[0];
  if (kind != KINDS && check_size(&a, 1, n) && check_size(&a, 2, n) && check_size(&a, 3, n)) {
    Py_BEGIN_ALLOW_THREADS;
    backward(kind, a.data[0], a.data[1], a.data[2], a.data[3], n);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// rectified(x, y): y = max(x, 0); y may be x.
LOOP(rectified) {
  Arrays a;
  if (!take_arrays(&a, "rw", arguments, n_given, 2)) return NULL;
  if (check_size(&a, 1, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    rectify(a.data[0], a.data[1], a.sizes[0]);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// drectified(dy, y, dx): dx = dy where y > 0, else 0.
LOOP(drectified) {
  Arrays a;
  if (!take_arrays(&a, "rrw", arguments, n_given, 3)) return NULL;
  if (check_size(&a, 1, a.sizes[0]) && check_size(&a, 2, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    drectify(a.data[0], a.data[1], a.data[2], a.sizes[0]);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// bias_added(z, bias): bias is added to every row of z, in place.
LOOP(bias_added) {
  Arrays a;
  if (!take_arrays(&a, "wr", arguments, n_given, 2)) return NULL;
  const Py_ssize_t width = a.sizes[1];
  if (width < 1 || a.sizes[0] % width) {
    PyErr_Format(PyExc_ValueError, "%zd numbers are not rows of %zd", a.sizes[0], width);
  } else {
    Py_BEGIN_ALLOW_THREADS;
    add_bias(a.data[0], a.data[1], a.sizes[0] / width, width);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}
