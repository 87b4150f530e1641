// What recurrent layers share: some rows of a batch are taken through all steps in one call.
//
// Arrays are (time, batch, features). States have time + 1 slots: step t reads the slot before it
// and writes the one after it, in time or, reversed, against it.

#ifndef ISOGRAD_SEQUENCES_H
#define ISOGRAD_SEQUENCES_H

#include "panels.h"

#include <string.h>

typedef struct {
  Py_ssize_t n_steps, batch, n;  // n: the numbers of a state
  Py_ssize_t first, rows;        // the rows of the batch that this call takes
  int reverse;
  const float *valid;  // (time, batch): 0 beyond the end of a sequence; NULL: nowhere
} Sequences;

// The six numbers of a call (n_steps, batch, n, first, last, reverse) and array `valid`, which is
// empty where all sequences are as long. False, with a Python error set, unless they fit.
static inline int take_sequences(Sequences *sequences, const Arrays *arrays, int valid,
                                 PyObject *const *numbers) {
  Sequences s;
  s.n_steps = take_size(numbers[0]);
  s.batch = take_size(numbers[1]);
  s.n = take_size(numbers[2]);
  s.first = take_size(numbers[3]);
  const Py_ssize_t last = take_size(numbers[4]);
  s.reverse = take_flag(numbers[5]);
  s.valid = arrays->sizes[valid] == 0 ? NULL : arrays->data[valid];
  if (PyErr_Occurred()) return 0;
  const Py_ssize_t most = PY_SSIZE_T_MAX >> 4;  // so that no product of the sizes overflows
  const int fits = s.n_steps >= 0 && s.n >= 1 && s.n <= INT32_MAX >> 3 && s.first >= 0 &&
                   s.first <= last && last <= s.batch && s.n_steps < most &&
                   (s.batch == 0 || s.n_steps < most / s.n / s.batch);
  if (!fits) {
    PyErr_SetString(PyExc_ValueError, "rows must lie in the batch, states must have numbers");
    return 0;
  }
  s.rows = last - s.first;
  *sequences = s;
  return s.valid == NULL || check_size(arrays, valid, s.n_steps * s.batch);
}

// Step number k, in the order in which the layer takes them.
static inline Py_ssize_t step_at(const Sequences *s, Py_ssize_t k) {
  return s->reverse ? s->n_steps - 1 - k : k;
}

static inline Py_ssize_t slot_before(const Sequences *s, Py_ssize_t t) { return t + s->reverse; }

static inline Py_ssize_t slot_after(const Sequences *s, Py_ssize_t t) { return t + 1 - s->reverse; }

// Where the part for row b of step or slot t begins, of `size` numbers a row.
static inline Py_ssize_t place(const Sequences *s, Py_ssize_t t, Py_ssize_t b, Py_ssize_t size) {
  return (t * s->batch + b) * size;
}

static inline int is_over(const Sequences *s, Py_ssize_t t, Py_ssize_t b) {
  return s->valid != NULL && s->valid[t * s->batch + b] == 0.0f;
}

static inline void copy_row(float *to, const float *from, Py_ssize_t n) {
  memcpy(to, from, n * sizeof(float));
}

// dh, the cotangents of the states before a step, from dz, those of the sums before its gates;
// dh of sequences that are over stays, and the others must be zeros where some are.
static inline void step_back(const Sequences *s, float *dh, const float *dz, const float *panels,
                             Py_ssize_t n_sums) {
  dh += s->first * s->n;
  multiply_panels(dh, s->n, s->valid == NULL ? NULL : dh, s->n, (Matrix){dz, n_sums, 1},
                  (Panels){panels, n_sums}, s->rows, n_sums, s->n);
}

#endif
