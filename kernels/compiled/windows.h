// Windows that slide over three axes; an image's second one, and a sequence's first two, have
// length 1 and windows of one element.

#ifndef ISOGRAD_WINDOWS_H
#define ISOGRAD_WINDOWS_H

#include "loops.h"

enum { AXES = 3, N_NUMBERS = 3 + 6 * AXES };

// A geometry as Python gives it: backend/geometry.py.
typedef struct {
  Py_ssize_t n_in, n_out, groups;
  Py_ssize_t lengths[AXES], window[AXES], stride[AXES], dilation[AXES], before[AXES];
  Py_ssize_t counts[AXES];
} Windows;

// From the last N_NUMBERS arguments; false, with a Python error set, unless they are possible.
int take_windows(Windows *windows, PyObject *const *arguments);

// Of n indices start, start + step, ... those in [0, length): the first, and after the last.
void inside(Py_ssize_t start, Py_ssize_t step, Py_ssize_t n, Py_ssize_t length, Py_ssize_t *from,
            Py_ssize_t *to);

static inline Py_ssize_t volume(const Py_ssize_t *lengths) {
  return lengths[0] * lengths[1] * lengths[2];
}

static inline Py_ssize_t rounded_up(Py_ssize_t n, Py_ssize_t step) {
  return (n + step - 1) / step * step;
}

static inline Py_ssize_t smaller(Py_ssize_t a, Py_ssize_t b) { return a < b ? a : b; }

#endif
