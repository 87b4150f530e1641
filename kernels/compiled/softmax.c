// softmax and log_softmax of rows and their derivatives, and what cross entropy needs: a row is
// read from memory once, if it fits the cache.

#include "elementary.h"
#include "loops.h"
#include "sums.h"

#include <math.h>

INLINE float largest(const float *x, Py_ssize_t n) {
  float most[LANES];
  for (int lane = 0; lane < LANES; lane++) most[lane] = -INFINITY;
  IN_LANES(n, most[lane] = x[i] > most[lane] ? x[i] : most[lane]);
  float result = most[0];
  for (int lane = 1; lane < LANES; lane++) result = most[lane] > result ? most[lane] : result;
  return result;
}

// y = exp(x - shift); the sum of it.
INLINE double exponentials_of(const float *restrict x, float shift, float *restrict y,
                              Py_ssize_t n) {
  double total = 0.0;
  for (Py_ssize_t first = 0; first < n; first += CHUNK, x += CHUNK, y += CHUNK) {
    float sums[LANES] = {0};
    IN_LANES(chunk_length(first, n), {
      const float e = exponential(x[i] - shift);
      y[i] = e;
      sums[lane] += e;
    });
    total += lanes_sum(sums);
  }
  return total;
}

FOR_EVERY_PROCESSOR
static void softmax_rows(const float *restrict x, float *restrict y, Py_ssize_t rows,
                         Py_ssize_t n) {
  for (Py_ssize_t row = 0; row < rows; row++, x += n, y += n) {
    const float factor = (float)(1.0 / exponentials_of(x, largest(x, n), y, n));
    for (Py_ssize_t i = 0; i < n; i++) y[i] *= factor;
  }
}

FOR_EVERY_PROCESSOR
static void dsoftmax_rows(const float *restrict dy, const float *restrict y, float *restrict dx,
                          Py_ssize_t rows, Py_ssize_t n) {
  for (Py_ssize_t row = 0; row < rows; row++, dy += n, y += n, dx += n) {
    const float sum = (float)products_of(dy, y, 0.0f, n);
    for (Py_ssize_t i = 0; i < n; i++) dx[i] = (dy[i] - sum) * y[i];
  }
}

// y holds the exponentials until their sum is known.
FOR_EVERY_PROCESSOR
static void log_softmax_rows(const float *restrict x, float *restrict y, Py_ssize_t rows,
                             Py_ssize_t n) {
  for (Py_ssize_t row = 0; row < rows; row++, x += n, y += n) {
    const float shift = largest(x, n);
    const float rest = (float)log(exponentials_of(x, shift, y, n));
    for (Py_ssize_t i = 0; i < n; i++) y[i] = x[i] - shift - rest;
  }
}

FOR_EVERY_PROCESSOR
static void dlog_softmax_rows(const float *restrict dy, const float *restrict y,
                              float *restrict dx, Py_ssize_t rows, Py_ssize_t n) {
  for (Py_ssize_t row = 0; row < rows; row++, dy += n, y += n, dx += n) {
    const float sum = (float)sum_of(dy, n);
    for (Py_ssize_t i = 0; i < n; i++) dx[i] = dy[i] - exponential(y[i]) * sum;
  }
}

FOR_EVERY_PROCESSOR
static void exponentials_of_rows(const float *restrict x, float *restrict y,
                                 float *restrict largests, float *restrict sums, Py_ssize_t rows,
                                 Py_ssize_t n) {
  for (Py_ssize_t row = 0; row < rows; row++) {
    largests[row] = largest(x + row * n, n);
    sums[row] = (float)exponentials_of(x + row * n, largests[row], y + row * n, n);
  }
}

// The length of a row; 0, with a Python error set, unless so many numbers are rows of that length.
static Py_ssize_t take_row(PyObject *argument, Py_ssize_t numbers) {
  const Py_ssize_t n = take_size(argument);
  if (PyErr_Occurred()) return 0;
  if (n >= 1 && numbers % n == 0) return n;
  PyErr_Format(PyExc_ValueError, "%zd numbers are not rows of %zd", numbers, n);
  return 0;
}

typedef void (*Forward)(const float *x, float *y, Py_ssize_t rows, Py_ssize_t n);
typedef void (*Backward)(const float *dy, const float *y, float *dx, Py_ssize_t rows,
                         Py_ssize_t n);

static PyObject *call_forward(Forward forward, PyObject *const *arguments, Py_ssize_t n_given) {
  Arrays a;
  if (!take_arrays(&a, "rw", arguments, n_given, 3)) return NULL;
  const Py_ssize_t n = take_row(arguments[2], a.sizes[0]);
  if (n > 0 && check_size(&a, 1, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    forward(a.data[0], a.data[1], a.sizes[0] / n, n);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

static PyObject *call_backward(Backward backward, PyObject *const *arguments, Py_ssize_t n_given) {
  Arrays a;
  if (!take_arrays(&a, "rrw", arguments, n_given, 4)) return NULL;
  const Py_ssize_t n = take_row(arguments[3], a.sizes[0]);
  if (n > 0 && check_size(&a, 1, a.sizes[0]) && check_size(&a, 2, a.sizes[0])) {
    Py_BEGIN_ALLOW_THREADS;
    backward(a.data[0], a.data[1], a.data[2], a.sizes[0] / n, n);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}

// softmax(x, y, n) and log_softmax(x, y, n): y is overwritten; n is the length of a row.
LOOP(softmax) { return call_forward(softmax_rows, arguments, n_given); }
LOOP(log_softmax) { return call_forward(log_softmax_rows, arguments, n_given); }

// dsoftmax(dy, y, dx, n) and dlog_softmax(dy, y, dx, n): dx is overwritten.
LOOP(dsoftmax) { return call_backward(dsoftmax_rows, arguments, n_given); }
LOOP(dlog_softmax) { return call_backward(dlog_softmax_rows, arguments, n_given); }

// row_exponentials(x, y, largest, sums): y = exp(x - the largest x of the row); of each row that
// x and the sum of y.
LOOP(row_exponentials) {
  Arrays a;
  if (!take_arrays(&a, "rwww", arguments, n_given, 4)) return NULL;
  const Py_ssize_t numbers = a.sizes[0], rows = a.sizes[2];
  if (rows < 1 || numbers % rows) {
    PyErr_Format(PyExc_ValueError, "%zd numbers are not %zd rows", numbers, rows);
  } else if (check_size(&a, 1, numbers) && check_size(&a, 3, rows)) {
    Py_BEGIN_ALLOW_THREADS;
    exponentials_of_rows(a.data[0], a.data[1], a.data[2], a.data[3], rows, numbers / rows);
    Py_END_ALLOW_THREADS;
  }
  return finish(&a);
}
