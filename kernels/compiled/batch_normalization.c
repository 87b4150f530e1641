// Batch norm: every channel of x (examples, channels, inner) to mean 0 and variance 1 over the
// examples and the inner axis, or by given moments. Each function is for some of the examples;
// kernels/batch_normalization.py puts their sums together.

#include "loops.h"
#include "sums.h"

// With an inner axis the loops go channel by channel, whose numbers lie side by side; where it is 1,
// example by example with a number of each channel ("columns").
typedef struct {
  Py_ssize_t examples, channels, inner;
} Shape;

INLINE void moments_of_columns(const float *restrict x, float *restrict mean,
                               float *restrict squares, Shape shape) {
  const Py_ssize_t n = shape.channels;
  for (Py_ssize_t j = 0; j < n; j++) mean[j] = squares[j] = 0.0f;
  for (Py_ssize_t i = 0; i < shape.examples; i++) {
    for (Py_ssize_t j = 0; j < n; j++) mean[j] += x[i * n + j];
  }
  for (Py_ssize_t j = 0; j < n; j++) mean[j] /= (float)shape.examples;
  for (Py_ssize_t i = 0; i < shape.examples; i++) {
    for (Py_ssize_t j = 0; j < n; j++) {
      squares[j] += (x[i * n + j] - mean[j]) * (x[i * n + j] - mean[j]);
    }
  }
}

FOR_EVERY_PROCESSOR
static void moments(const float *x, float *mean, float *squares, Shape shape) {
  if (shape.inner == 1) {
    moments_of_columns(x, mean, squares, shape);
    return;
  }
  const Py_ssize_t step = shape.channels * shape.inner;
  for (Py_ssize_t c = 0; c < shape.channels; c++, x += shape.inner) {
    double sum = 0.0, of_squares = 0.0;
    for (Py_ssize_t i = 0; i < shape.examples; i++) sum += sum_of(x + i * step, shape.inner);
    mean[c] = (float)(sum / ((double)shape.examples * (double)shape.inner));
    for (Py_ssize_t i = 0; i < shape.examples; i++) {
      of_squares += squares_of(x + i * step, mean[c], shape.inner);
    }
    squares[c] = (float)of_squares;
  }
}

FOR_EVERY_PROCESSOR
static void scaled(const float *restrict x, const float *restrict mean,
                   const float *restrict factor, const float *restrict shift, float *restrict y,
                   Shape shape) {
  for (Py_ssize_t i = 0; i < shape.examples; i++) {
    if (shape.inner == 1) {
      for (Py_ssize_t j = 0; j < shape.channels; j++) {
        y[j] = (x[j] - mean[j]) * factor[j] + shift[j];
      }
      x += shape.channels;
      y += shape.channels;
      continue;
    }
    for (Py_ssize_t c = 0; c < shape.channels; c++, x += shape.inner, y += shape.inner) {
      for (Py_ssize_t j = 0; j < shape.inner; j++) y[j] = (x[j] - mean[c]) * factor[c] + shift[c];
    }
  }
}

INLINE void sums_of_columns(const float *restrict dy, const float *restrict x,
                            const float *restrict mean, float *restrict sums,
                            float *restrict products, Shape shape) {
  const Py_ssize_t n = shape.channels;
  for (Py_ssize_t j = 0; j < n; j++) sums[j] = products[j] = 0.0f;
  for (Py_ssize_t i = 0; i < shape.examples; i++) {
    for (Py_ssize_t j = 0; j < n; j++) {
      sums[j] += dy[i * n + j];
      products[j] += dy[i * n + j] * (x[i * n + j] - mean[j]);
    }
  }
}

FOR_EVERY_PROCESSOR
static void add_up(const float *dy, const float *x, const float *mean, float *sums, float *products,
                   Shape shape) {
  if (shape.inner == 1) {
    sums_of_columns(dy, x, mean, sums, products, shape);
    return;
  }
  const Py_ssize_t step = shape.channels * shape.inner;
  for (Py_ssize_t c = 0; c < shape.channels; c++, x += shape.inner, dy += shape.inner) {
    double sum = 0.0, of_products = 0.0;
    for (Py_ssize_t i = 0; i < shape.examples; i++) {
      sum += sum_of(dy + i * step, shape.inner);
      of_products += products_of(dy + i * step, x + i * step, mean[c], shape.inner);
    }
    sums[c] = (float)sum;
    products[c] = (float)of_products;
  }
}

FOR_EVERY_PROCESSOR
static void gradient(const float *restrict dy, const float *restrict x,
                     const float *restrict mean, const float *restrict factor,
                     const float *restrict shift, const float *restrict slope, float *restrict dx,
                     Shape shape) {
  for (Py_ssize_t i = 0; i < shape.examples; i++) {
    if (shape.inner == 1) {
      for (Py_ssize_t j = 0; j < shape.channels; j++) {
        dx[j] = (dy[j] - shift[j]) * factor[j] - (x[j] - mean[j]) * slope[j];
      }
      dy += shape.channels;
      x += shape.channels;
      dx += shape.channels;
      continue;
    }
    for (Py_ssize_t c = 0; c < shape.channels; c++) {
      for (Py_ssize_t j = 0; j < shape.inner; j++) {
        dx[j] = (dy[j] - shift[c]) * factor[c] - (x[j] - mean[c]) * slope[c];
      }
      dy += shape.inner;
      x += shape.inner;
      dx += shape.inner;
    }
  }
}

// False, with a Python error set, unless so many numbers are examples of all channels with `inner`
// numbers each.
static int take_shape(Shape *shape, Py_ssize_t numbers, Py_ssize_t channels, PyObject *inner) {
  const Py_ssize_t n = take_size(inner);
  if (PyErr_Occurred()) return 0;
  if (numbers < 1 || channels < 1 || n < 1 || numbers % channels || numbers / channels % n) {
    PyErr_Format(PyExc_ValueError, "%zd numbers are no examples of %zd channels with %zd each",
                 numbers, channels, n);
    return 0;
  }
  *shape = (Shape){numbers / channels / n, channels, n};
  return 1;
}

// channel_moments(x, mean, squares, inner): of each channel the mean and the sum of (x - mean)^2.
LOOP(channel_moments) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rww", arguments, n_given, 4)) return NULL;
  if (take_shape(&shape, a.sizes[0], a.sizes[1], arguments[3]) && check_size(&a, 2, a.sizes[1])) {
    Py_BEGIN_ALLOW_THREADS;
    moments(a.data[0], a.data[1], a.data[2], shape);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// channels_scaled(x, mean, factor, shift, y, inner): y = (x - mean) factor + shift.
LOOP(channels_scaled) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rrrrw", arguments, n_given, 6)) return NULL;
  if (take_shape(&shape, a.sizes[0], a.sizes[1], arguments[5]) && check_size(&a, 2, a.sizes[1]) &&
      check_size(&a, 3, a.sizes[1]) && check_size(&a, 4, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    scaled(a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], shape);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// channel_sums(dy, x, mean, sums, products, inner): of each channel the sums of dy and of
// dy (x - mean).
LOOP(channel_sums) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rrrww", arguments, n_given, 6)) return NULL;
  if (take_shape(&shape, a.sizes[0], a.sizes[2], arguments[5]) && check_size(&a, 1, a.sizes[0]) &&
      check_size(&a, 3, a.sizes[2]) && check_size(&a, 4, a.sizes[2])) {
    Py_BEGIN_ALLOW_THREADS;
    add_up(a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], shape);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// dchannels(dy, x, mean, factor, shift, slope, dx, inner):
// dx = (dy - shift) factor - (x - mean) slope.
LOOP(dchannels) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rrrrrrw", arguments, n_given, 8)) return NULL;
  const Py_ssize_t channels = a.sizes[2];
  if (take_shape(&shape, a.sizes[0], channels, arguments[7]) && check_size(&a, 1, a.sizes[0]) &&
      check_size(&a, 3, channels) && check_size(&a, 4, channels) && check_size(&a, 5, channels) &&
      check_size(&a, 6, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    gradient(a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], a.data[5], a.data[6], shape);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}
