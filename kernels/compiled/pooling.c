// Pooling: the largest element of every window, the sum of every window, and what each does to
// gradients. Planes are the items and channels, one after another.

#include "windows.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 8 };  // windows in a loop without a rest, whose branches would be misled

// The indices in a window that do not lie on the border, along one axis, and where the first is.
typedef struct {
  Py_ssize_t n, place;
} Range;

static Range range_of(const Windows *w, int axis, Py_ssize_t window) {
  const Py_ssize_t start = window * w->stride[axis] - w->before[axis];
  Py_ssize_t from, to;
  inside(start, w->dilation[axis], w->window[axis], w->lengths[axis], &from, &to);
  return (Range){to - from, start + from * w->dilation[axis]};
}

// `yes` where value is better than best (it is larger, or not a number), else `no`; written so that
// it becomes instructions for whole registers.
static inline float chosen(float best, float value, float yes, float no) {
  const float larger = value > best ? yes : no;
  return value != value ? yes : larger;
}

// Whether the windows are pairs of rows and columns side by side, the usual ones.
static int are_quarters(const Windows *w) {
  int usual = w->lengths[1] == 1 && w->window[1] == 1 && w->counts[1] == 1;
  for (int a = 0; a < AXES; a += 2) {
    usual &= w->window[a] == 2 && w->stride[a] == 2 && w->dilation[a] == 1 && w->before[a] == 0;
    usual &= 2 * w->counts[a] <= w->lengths[a];
  }
  return usual;
}

static inline void max_of_some(float *restrict y, const float *restrict above,
                               const float *restrict below, const Py_ssize_t n) {
  for (Py_ssize_t j = 0; j < n; j++) {
    const float a = above[2 * j], b = above[2 * j + 1], c = below[2 * j], d = below[2 * j + 1];
    const float first = chosen(a, b, b, a), second = chosen(c, d, d, c);
    y[j] = chosen(first, second, second, first);
  }
}

// Rows of n windows, of which the last ones are computed with some before them once more.
FOR_EVERY_PROCESSOR
static void max_of_quarters(float *restrict y, const float *restrict above,
                            const float *restrict below, Py_ssize_t n) {
  if (n < TOGETHER) max_of_some(y, above, below, n);
  for (Py_ssize_t j = 0; n >= TOGETHER && j < n; j += TOGETHER) {
    const Py_ssize_t i = smaller(j, n - TOGETHER);
    max_of_some(y + i, above + 2 * i, below + 2 * i, TOGETHER);
  }
}

static inline void spread_some(float *restrict dabove, float *restrict dbelow,
                               const float *restrict dy, const float *restrict above,
                               const float *restrict below, const Py_ssize_t n) {
  for (Py_ssize_t j = 0; j < n; j++) {
    const float a = above[2 * j], b = above[2 * j + 1], c = below[2 * j], d = below[2 * j + 1];
    const float first = chosen(a, b, b, a), second = chosen(c, d, d, c);
    const float up = chosen(first, second, 0.0f, dy[j]);
    const float down = chosen(first, second, dy[j], 0.0f);
    dabove[2 * j] = chosen(a, b, 0.0f, up);
    dabove[2 * j + 1] = chosen(a, b, up, 0.0f);
    dbelow[2 * j] = chosen(c, d, 0.0f, down);
    dbelow[2 * j + 1] = chosen(c, d, down, 0.0f);
  }
}

FOR_EVERY_PROCESSOR
static void spread_to_quarters(float *restrict dabove, float *restrict dbelow,
                               const float *restrict dy, const float *restrict above,
                               const float *restrict below, Py_ssize_t n) {
  if (n < TOGETHER) spread_some(dabove, dbelow, dy, above, below, n);
  for (Py_ssize_t j = 0; n >= TOGETHER && j < n; j += TOGETHER) {
    const Py_ssize_t i = smaller(j, n - TOGETHER);
    spread_some(dabove + 2 * i, dbelow + 2 * i, dy + i, above + 2 * i, below + 2 * i, TOGETHER);
  }
}

// What an element of n windows in a row does, `step` apart in `large`.
typedef void ElementOfRow(float *restrict small, float *restrict large, Py_ssize_t step,
                          Py_ssize_t n);

FOR_EVERY_PROCESSOR
static void gather_row(float *restrict small, float *restrict large, Py_ssize_t step,
                       Py_ssize_t n) {
  if (step == 2) {
    for (Py_ssize_t i = 0; i < n; i++) small[i] += large[2 * i];
  } else {
    for (Py_ssize_t i = 0; i < n; i++) small[i] += large[step * i];
  }
}

FOR_EVERY_PROCESSOR
static void scatter_row(float *restrict small, float *restrict large, Py_ssize_t step,
                        Py_ssize_t n) {
  if (step == 2) {
    for (Py_ssize_t i = 0; i < n; i++) large[2 * i] += small[i];
  } else {
    for (Py_ssize_t i = 0; i < n; i++) large[step * i] += small[i];
  }
}

FOR_EVERY_PROCESSOR
static void max_row(float *restrict small, float *restrict large, Py_ssize_t step, Py_ssize_t n) {
  if (step == 2) {
    for (Py_ssize_t i = 0; i < n; i++) {
      small[i] = chosen(small[i], large[2 * i], large[2 * i], small[i]);
    }
  } else {
    for (Py_ssize_t i = 0; i < n; i++) {
      small[i] = chosen(small[i], large[step * i], large[step * i], small[i]);
    }
  }
}

// Every element of a row of windows with those windows in which it is not border.
static void visit_row(float *restrict small, float *restrict large, const Windows *w, Range a,
                      Range b, ElementOfRow *element) {
  for (Py_ssize_t i = 0; i < a.n; i++) {
    for (Py_ssize_t j = 0; j < b.n; j++) {
      const Py_ssize_t first = a.place + i * w->dilation[0], second = b.place + j * w->dilation[1];
      float *row = large + (first * w->lengths[1] + second) * w->lengths[2];
      for (Py_ssize_t k = 0; k < w->window[2]; k++) {
        const Py_ssize_t start = k * w->dilation[2] - w->before[2], step = w->stride[2];
        Py_ssize_t from, to;
        inside(start, step, w->counts[2], w->lengths[2], &from, &to);
        if (from < to) element(small + from, row + start + from * step, step, to - from);
      }
    }
  }
}

static void visit_plane(float *restrict small, float *restrict large, const Windows *w,
                      ElementOfRow *element) {
  for (Py_ssize_t i = 0; i < w->counts[0]; i++) {
    const Range a = range_of(w, 0, i);
    for (Py_ssize_t j = 0; j < w->counts[1]; j++) {
      visit_row(small, large, w, a, range_of(w, 1, j), element);
      small += w->counts[2];
    }
  }
}

// Where a window's largest element lies: the first that is y, or the last NaN; -1 for none.
static Py_ssize_t found_in(const float *x, float y, const Windows *w, Range a, Range b, Range c) {
  Py_ssize_t nan = -1;
  for (Py_ssize_t i = 0; i < a.n; i++) {
    for (Py_ssize_t j = 0; j < b.n; j++) {
      const Py_ssize_t first = a.place + i * w->dilation[0], second = b.place + j * w->dilation[1];
      const Py_ssize_t row = (first * w->lengths[1] + second) * w->lengths[2] + c.place;
      for (Py_ssize_t k = 0; k < c.n; k++) {
        const Py_ssize_t place = row + k * w->dilation[2];
        if (x[place] == y) return place;
        if (x[place] != x[place]) nan = place;
      }
    }
  }
  return nan;
}

static void give_plane(float *restrict dx, const float *restrict dy, const float *restrict x,
                       const float *restrict y, const Windows *w) {
  for (Py_ssize_t i = 0; i < w->counts[0] * w->counts[1]; i++) {
    const Range a = range_of(w, 0, i / w->counts[1]), b = range_of(w, 1, i % w->counts[1]);
    for (Py_ssize_t j = 0; j < w->counts[2]; j++) {
      const Py_ssize_t window = i * w->counts[2] + j;
      const Py_ssize_t place = found_in(x, y[window], w, a, b, range_of(w, 2, j));
      if (place >= 0) dx[place] += dy[window];
    }
  }
}

typedef struct {
  Arrays arrays;
  Windows windows;
  Py_ssize_t x_size, y_size, n_planes;  // sizes of a plane
} Call;

// The arrays of a call: `large` has the elements of x, `small` one number for each window.
static int take_call(Call *call, const char *access, int large, int small,
                     PyObject *const *arguments, Py_ssize_t n_given) {
  const Py_ssize_t n_arrays = (Py_ssize_t)strlen(access);
  Arrays *arrays = &call->arrays;
  if (!take_arrays(arrays, access, arguments, n_given, n_arrays + N_NUMBERS)) return 0;
  if (!take_windows(&call->windows, arguments + n_arrays)) return 0;
  call->x_size = volume(call->windows.lengths);
  call->y_size = volume(call->windows.counts);
  call->n_planes = arrays->sizes[large] / call->x_size;
  return check_size(arrays, large, call->n_planes * call->x_size) &&
         check_size(arrays, small, call->n_planes * call->y_size);
}

static void max_of_plane(float *restrict y, float *restrict x, const Windows *w) {
  const Py_ssize_t length = w->lengths[2], n = w->counts[2];
  if (!are_quarters(w)) {
    for (Py_ssize_t i = 0; i < volume(w->counts); i++) y[i] = -INFINITY;
    visit_plane(y, x, w, max_row);
    return;
  }
  for (Py_ssize_t i = 0; i < w->counts[0]; i++) {
    const float *row = x + 2 * i * length;
    max_of_quarters(y + i * n, row, row + length, n);
  }
}

// window_max(y, x, windows): the largest element of every window.
LOOP(window_max) {
  Call call;
  call.arrays.n = 0;
  if (take_call(&call, "wr", 1, 0, arguments, n_given)) {
    float *y = call.arrays.data[0], *x = call.arrays.data[1];
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t plane = 0; plane < call.n_planes; plane++) {
      max_of_plane(y + plane * call.y_size, x + plane * call.x_size, &call.windows);
    }
    Py_END_ALLOW_THREADS;
  }
  return finish(&call.arrays);
}

static void dmax_of_plane(float *restrict dx, const float *restrict dy, const float *restrict x,
                          const float *restrict y, const Windows *w) {
  const Py_ssize_t length = w->lengths[2], n = w->counts[2], size = volume(w->lengths);
  const int quarters = are_quarters(w);
  if (!quarters || size != 4 * n * w->counts[0]) memset(dx, 0, (size_t)size * sizeof(float));
  if (!quarters) {
    give_plane(dx, dy, x, y, w);
    return;
  }
  for (Py_ssize_t i = 0; i < w->counts[0]; i++) {
    const float *row = x + 2 * i * length;
    float *drow = dx + 2 * i * length;
    spread_to_quarters(drow, drow + length, dy + i * n, row, row + length, n);
  }
}

// window_max_backward(dx, dy, x, y, windows): dy added to the largest element of its window.
LOOP(window_max_backward) {
  Call call;
  call.arrays.n = 0;
  if (take_call(&call, "wrrr", 2, 1, arguments, n_given) &&
      check_size(&call.arrays, 0, call.arrays.sizes[2]) &&
      check_size(&call.arrays, 3, call.arrays.sizes[1])) {
    float **data = call.arrays.data;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t plane = 0; plane < call.n_planes; plane++) {
      const Py_ssize_t large = plane * call.x_size, small = plane * call.y_size;
      dmax_of_plane(data[0] + large, data[1] + small, data[2] + large, data[3] + small,
                    &call.windows);
    }
    Py_END_ALLOW_THREADS;
  }
  return finish(&call.arrays);
}

static void visit_planes(float *restrict small, float *restrict large, const Call *call,
                         ElementOfRow *element) {
  for (Py_ssize_t plane = 0; plane < call->n_planes; plane++) {
    float *own = large + plane * call->x_size;
    visit_plane(small + plane * call->y_size, own, &call->windows, element);
  }
}

// window_sum(y, x, windows): the sum of every window; y must be zeros.
LOOP(window_sum) {
  Call call;
  call.arrays.n = 0;
  if (take_call(&call, "wr", 1, 0, arguments, n_given)) {
    Py_BEGIN_ALLOW_THREADS;
    visit_planes(call.arrays.data[0], call.arrays.data[1], &call, gather_row);
    Py_END_ALLOW_THREADS;
  }
  return finish(&call.arrays);
}

// window_spread(x, y, windows): each y added to the elements of its window; x must be zeros.
LOOP(window_spread) {
  Call call;
  call.arrays.n = 0;
  if (take_call(&call, "wr", 0, 1, arguments, n_given)) {
    Py_BEGIN_ALLOW_THREADS;
    visit_planes(call.arrays.data[1], call.arrays.data[0], &call, scatter_row);
    Py_END_ALLOW_THREADS;
  }
  return finish(&call.arrays);
}
