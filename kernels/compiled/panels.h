// Products of some rows with a small matrix that is used many times, on one thread: BLAS would
// start its own threads for them beside ours.
//
// The matrix is packed into panels of PANEL columns, (panels, inner, PANEL), so that it is read in
// the order of memory; zeros stand beyond its last column.

#ifndef ISOGRAD_PANELS_H
#define ISOGRAD_PANELS_H

#include "loops.h"

enum { PANEL = 16 };

// A matrix in memory: the distances, in numbers, from one row and from one column to the next.
typedef struct {
  const float *data;
  Py_ssize_t row, column;
} Matrix;

// Packed panels of a matrix with so many rows, `inner`.
typedef struct {
  const float *data;
  Py_ssize_t inner;
} Panels;

static inline Py_ssize_t whole_panels(Py_ssize_t width) {
  return (width + PANEL - 1) / PANEL * PANEL;
}

static inline Py_ssize_t panels_size(Py_ssize_t inner, Py_ssize_t width) {
  return whole_panels(width) * inner;
}

static inline Matrix transposed(Matrix matrix) {
  return (Matrix){matrix.data, matrix.column, matrix.row};
}

// The matrix from row `first` on.
static inline Matrix from_row(Matrix matrix, Py_ssize_t first) {
  return (Matrix){matrix.data + first * matrix.row, matrix.row, matrix.column};
}

void pack_panels(float *panels, Matrix matrix, Py_ssize_t inner, Py_ssize_t width);

// y = start + x matrix: x (rows, inner) times the first `inner` rows and `width` columns of the
// packed matrix. Rows of y and start are y_row and start_row apart; start may be y, or NULL for
// zeros. Every number is the sum of its products in their order, whatever the other rows.
void multiply_panels(float *y, Py_ssize_t y_row, const float *start, Py_ssize_t start_row, Matrix x,
                     Panels matrix, Py_ssize_t rows, Py_ssize_t inner, Py_ssize_t width);

#endif
