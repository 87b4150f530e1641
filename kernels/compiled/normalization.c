// Layer, RMS, group and instance norm: every row to mean 0 and variance 1, then times weight plus
// bias. A row is read from memory once in each direction, if it fits the cache.

#include "loops.h"
#include "sums.h"

#include <math.h>

// A row has `channels` channels of `inner` numbers each. Weight and bias have a number for each
// channel of `groups` rows; the rows after those begin with the first group again.
typedef struct {
  Py_ssize_t rows, groups, channels, inner;
} Shape;

// What a row was normalized with.
typedef struct {
  float mean, scale;
} Moments;

INLINE Moments moments_of(const float *x, Py_ssize_t n, float eps, int centered) {
  const float mean = centered ? (float)(sum_of(x, n) / (double)n) : 0.0f;
  const double variance = squares_of(x, mean, n) / (double)n;
  return (Moments){mean, (float)(1.0 / sqrt(variance + (double)eps))};
}

INLINE void scale_row(const float *restrict x, const float *restrict weight,
                      const float *restrict bias, float *restrict y, Moments m, Shape shape) {
  if (shape.inner == 1) {
    for (Py_ssize_t j = 0; j < shape.channels; j++) {
      y[j] = (x[j] - m.mean) * m.scale * weight[j] + bias[j];
    }
    return;
  }
  for (Py_ssize_t c = 0; c < shape.channels; c++, x += shape.inner, y += shape.inner) {
    const float factor = m.scale * weight[c], shift = bias[c];
    for (Py_ssize_t j = 0; j < shape.inner; j++) y[j] = (x[j] - m.mean) * factor + shift;
  }
}

FOR_EVERY_PROCESSOR
static void forward(const float *x, const float *weight, const float *bias, float *y, float *mean,
                    float *scale, Shape shape, float eps, int centered) {
  const Py_ssize_t n = shape.channels * shape.inner;
  for (Py_ssize_t row = 0; row < shape.rows; row++) {
    const Moments m = moments_of(x + row * n, n, eps, centered);
    const Py_ssize_t first = row % shape.groups * shape.channels;
    scale_row(x + row * n, weight + first, bias + first, y + row * n, m, shape);
    mean[row] = m.mean;
    scale[row] = m.scale;
  }
}

// Sums over a row of g = dy weight and of g z, z the normalized x.
typedef struct {
  double g, gz;
} Sums;

// Those sums where each number has its own weight; dy z and dy are added to dweight and dbias.
INLINE Sums sums_of_numbers(const float *restrict dy, const float *restrict x,
                            const float *restrict weight, float *restrict dweight,
                            float *restrict dbias, Moments m, Py_ssize_t n) {
  Sums total = {0.0, 0.0};
  for (Py_ssize_t first = 0; first < n; first += CHUNK) {
    float g_sums[LANES] = {0}, gz_sums[LANES] = {0};
    IN_LANES(chunk_length(first, n), {
      const float z = (x[first + i] - m.mean) * m.scale;
      const float g = dy[first + i] * weight[first + i];
      g_sums[lane] += g;
      gz_sums[lane] += g * z;
      dweight[first + i] += dy[first + i] * z;
      dbias[first + i] += dy[first + i];
    });
    total.g += lanes_sum(g_sums);
    total.gz += lanes_sum(gz_sums);
  }
  return total;
}

// The same where the numbers of a channel share one.
INLINE Sums sums_of_channels(const float *dy, const float *x, const float *weight, float *dweight,
                             float *dbias, Moments m, Shape shape) {
  Sums total = {0.0, 0.0};
  for (Py_ssize_t c = 0; c < shape.channels; c++, x += shape.inner, dy += shape.inner) {
    const double sum = sum_of(dy, shape.inner);
    const double along = products_of(dy, x, m.mean, shape.inner) * m.scale;
    total.g += sum * weight[c];
    total.gz += along * weight[c];
    dweight[c] += (float)along;
    dbias[c] += (float)sum;
  }
  return total;
}

// dx = (g - mean of g - z mean of g z) scale, the first mean 0 where the row is not centered.
INLINE void gradient_of_row(const float *restrict dy, const float *restrict x,
                            const float *restrict weight, float *restrict dx, Moments m, float mean,
                            float along, Shape shape) {
  const float slope = along * m.scale;
  if (shape.inner == 1) {
    for (Py_ssize_t j = 0; j < shape.channels; j++) {
      dx[j] = (dy[j] * weight[j] - mean - (x[j] - m.mean) * slope) * m.scale;
    }
    return;
  }
  for (Py_ssize_t c = 0; c < shape.channels; c++) {
    for (Py_ssize_t j = c * shape.inner; j < (c + 1) * shape.inner; j++) {
      dx[j] = (dy[j] * weight[c] - mean - (x[j] - m.mean) * slope) * m.scale;
    }
  }
}

FOR_EVERY_PROCESSOR
static void backward(const float *dy, const float *x, const float *weight, const float *mean,
                     const float *scale, float *dx, float *dweight, float *dbias, Shape shape,
                     int centered) {
  const Py_ssize_t n = shape.channels * shape.inner;
  for (Py_ssize_t row = 0; row < shape.rows; row++) {
    const Py_ssize_t at = row * n, first = row % shape.groups * shape.channels;
    const Moments m = {mean[row], scale[row]};
    const float *w = weight + first;
    const Sums sums =
        shape.inner == 1
            ? sums_of_numbers(dy + at, x + at, w, dweight + first, dbias + first, m, n)
            : sums_of_channels(dy + at, x + at, w, dweight + first, dbias + first, m, shape);
    const float mean_of_g = centered ? (float)(sums.g / (double)n) : 0.0f;
    gradient_of_row(dy + at, x + at, w, dx + at, m, mean_of_g, (float)(sums.gz / (double)n), shape);
  }
}

// False, with a Python error set, unless so many numbers are rows of whole channels.
static int take_shape(Shape *shape, Py_ssize_t numbers, Py_ssize_t rows, Py_ssize_t weights,
                      PyObject *channels) {
  const Py_ssize_t n = take_size(channels);
  if (PyErr_Occurred()) return 0;
  if (rows < 1 || n < 1 || weights < 1 || weights % n || numbers % rows || numbers / rows % n ||
      numbers < 1) {
    PyErr_Format(PyExc_ValueError, "%zd numbers are not %zd rows of %zd channels with %zd weights",
                 numbers, rows, n, weights);
    return 0;
  }
  *shape = (Shape){rows, weights / n, n, numbers / rows / n};
  return 1;
}

// normalized(x, weight, bias, y, mean, scale, channels, eps, centered): y, and the mean and the
// factor of each row, are overwritten. A row has `channels` channels.
LOOP(normalized) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rrrwww", arguments, n_given, 9)) return NULL;
  const float eps = take_float(arguments[7]);
  const int centered = take_flag(arguments[8]);
  if (take_shape(&shape, a.sizes[0], a.sizes[4], a.sizes[1], arguments[6]) &&
      check_size(&a, 2, a.sizes[1]) && check_size(&a, 3, a.sizes[0]) &&
      check_size(&a, 5, a.sizes[4])) {
    Py_BEGIN_ALLOW_THREADS;
    forward(a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], a.data[5], shape, eps, centered);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// dnormalized(dy, x, weight, mean, scale, dx, dweight, dbias, channels, centered): dx is
// overwritten; these rows' gradients are added to dweight and dbias.
LOOP(dnormalized) {
  Arrays a;
  Shape shape;
  if (!take_arrays(&a, "rrrrrwww", arguments, n_given, 10)) return NULL;
  const int centered = take_flag(arguments[9]);
  if (take_shape(&shape, a.sizes[0], a.sizes[3], a.sizes[2], arguments[8]) &&
      check_size(&a, 1, a.sizes[0]) && check_size(&a, 4, a.sizes[3]) &&
      check_size(&a, 5, a.sizes[0]) && check_size(&a, 6, a.sizes[2]) &&
      check_size(&a, 7, a.sizes[2])) {
    Py_BEGIN_ALLOW_THREADS;
    backward(a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], a.data[5], a.data[6], a.data[7],
             shape, centered);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}
