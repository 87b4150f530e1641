// Products with packed panels: blocks of some rows and one panel are summed up in registers.

#include "panels.h"

#include <string.h>

// Here a product and a sum may become one instruction, which is twice as fast and more exact.
#if defined(__clang__)
#pragma STDC FP_CONTRACT ON
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { MOST_ROWS = 4 };

// A part of a panel, anywhere in memory, as long as a register of AVX2 or else of NEON: of longer
// ones GCC 12 makes single numbers, and AVX-512 is not faster with its own.
#if !defined(__GNUC__)
enum { PARTS = PANEL };
typedef float Part;
#else
#if defined(__x86_64__)
enum { PARTS = 2 };
#else
enum { PARTS = 4 };
#endif
typedef float Part __attribute__((vector_size(sizeof(float) * PANEL / PARTS),
                                  aligned(sizeof(float)), may_alias));
#endif

void pack_panels(float *panels, Matrix matrix, Py_ssize_t inner, Py_ssize_t width) {
  for (Py_ssize_t first = 0; first < width; first += PANEL) {
    const Py_ssize_t n = width - first < PANEL ? width - first : PANEL;
    for (Py_ssize_t k = 0; k < inner; k++, panels += PANEL) {
      const float *from = matrix.data + k * matrix.row + first * matrix.column;
      for (Py_ssize_t j = 0; j < n; j++) panels[j] = from[j * matrix.column];
      for (Py_ssize_t j = n; j < PANEL; j++) panels[j] = 0.0f;
    }
  }
}

// One panel's columns of some rows. `rows` is a constant where this is called: the loops over it
// are unrolled, and the sums stay in registers.
INLINE void block(float *y, Py_ssize_t y_row, const float *start, Py_ssize_t start_row,
                  Matrix x, const float *panel, int rows, Py_ssize_t inner) {
  Part sums[MOST_ROWS][PARTS];
  memset(sums, 0, sizeof sums);
  for (int r = 0; r < rows && start != NULL; r++) {
    const Part *from = (const Part *)(start + r * start_row);
    for (int part = 0; part < PARTS; part++) sums[r][part] = from[part];
  }
  for (Py_ssize_t k = 0; k < inner; k++) {
    const Part *numbers = (const Part *)(panel + k * PANEL);
    for (int r = 0; r < rows; r++) {
      const float factor = x.data[r * x.row + k * x.column];
      for (int part = 0; part < PARTS; part++) sums[r][part] += factor * numbers[part];
    }
  }
  for (int r = 0; r < rows; r++) {
    Part *to = (Part *)(y + r * y_row);
    for (int part = 0; part < PARTS; part++) to[part] = sums[r][part];
  }
}

// The same for the last panel, where y and start have only n columns.
INLINE void last_block(float *y, Py_ssize_t y_row, const float *start, Py_ssize_t start_row,
                       Matrix x, const float *panel, int rows, Py_ssize_t inner,
                       Py_ssize_t n) {
  float whole[MOST_ROWS * PANEL] = {0.0f};
  for (int r = 0; r < rows && start != NULL; r++) {
    memcpy(whole + r * PANEL, start + r * start_row, n * sizeof(float));
  }
  block(whole, PANEL, whole, PANEL, x, panel, rows, inner);
  for (int r = 0; r < rows; r++) memcpy(y + r * y_row, whole + r * PANEL, n * sizeof(float));
}

INLINE void multiply_rows(float *y, Py_ssize_t y_row, const float *start,
                          Py_ssize_t start_row, Matrix x, Panels matrix, int rows,
                          Py_ssize_t inner, Py_ssize_t width) {
  for (Py_ssize_t first = 0; first < width; first += PANEL) {
    const float *panel = matrix.data + first * matrix.inner;
    const float *from = start == NULL ? NULL : start + first;
    if (first + PANEL <= width) {
      block(y + first, y_row, from, start_row, x, panel, rows, inner);
    } else {
      last_block(y + first, y_row, from, start_row, x, panel, rows, inner, width - first);
    }
  }
}

FOR_EVERY_PROCESSOR
void multiply_panels(float *y, Py_ssize_t y_row, const float *start, Py_ssize_t start_row, Matrix x,
                     Panels matrix, Py_ssize_t rows, Py_ssize_t inner, Py_ssize_t width) {
  Py_ssize_t r = 0;
  for (; r + MOST_ROWS <= rows; r += MOST_ROWS) {
    const float *from = start == NULL ? NULL : start + r * start_row;
    multiply_rows(y + r * y_row, y_row, from, start_row, from_row(x, r), matrix, MOST_ROWS, inner,
                  width);
  }
  for (; r < rows; r++) {
    const float *from = start == NULL ? NULL : start + r * start_row;
    multiply_rows(y + r * y_row, y_row, from, start_row, from_row(x, r), matrix, 1, inner, width);
  }
}

// pack(panels, matrix, inner, width, transposed): writes the panels of a matrix (inner, width)
// or, transposed, of one (width, inner) that is transposed on the way.
LOOP(pack) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wr", arguments, n_given, 5)) return NULL;
  const Py_ssize_t inner = take_size(arguments[2]), width = take_size(arguments[3]);
  const int turned = take_flag(arguments[4]);
  const Py_ssize_t most = INT32_MAX;  // so that no product below overflows
  if (!PyErr_Occurred() && (inner < 0 || width < 0 || inner > most || width > most)) {
    PyErr_Format(PyExc_ValueError, "there is no matrix (%zd, %zd)", inner, width);
  }
  if (!PyErr_Occurred() && check_size(&arrays, 1, inner * width) &&
      check_size(&arrays, 0, panels_size(inner, width))) {
    const Matrix matrix = {arrays.data[1], turned ? 1 : width, turned ? inner : 1};
    Py_BEGIN_ALLOW_THREADS;
    pack_panels(arrays.data[0], matrix, inner, width);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}
