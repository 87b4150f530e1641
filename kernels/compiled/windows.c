// From Python's numbers to windows.

#include "windows.h"

#include <stdint.h>

// Far more than fits: below, products of these numbers do not overflow.
enum { MOST_CHANNELS = 1 << 20 };
static const double MOST_PLACES = 0x1p40;

static int are_small(const Windows *w) {
  double places = 1.0, elements = 1.0, size = 1.0;
  for (int a = 0; a < AXES; a++) {
    const double extent = (double)w->window[a] * (double)w->dilation[a];
    const double across = (double)(w->counts[a] + 1) * (double)w->stride[a];
    places *= (double)(w->lengths[a] + w->before[a]) + extent + across;
    elements *= (double)w->window[a];
    size *= (double)w->lengths[a];
  }
  elements *= (double)w->n_in * (double)w->n_out;
  return places <= MOST_PLACES && elements <= MOST_PLACES && size <= INT32_MAX &&
         w->n_in <= MOST_CHANNELS && w->n_out <= MOST_CHANNELS;
}

int take_windows(Windows *windows, PyObject *const *arguments) {
  Py_ssize_t *numbers[] = {&windows->n_in,     &windows->n_out,      &windows->groups,
                           windows->lengths,   windows->window,      windows->stride,
                           windows->dilation,  windows->before,      windows->counts};
  int i = 0, possible = 1;
  for (int field = 0; field < 9; field++) {
    for (int axis = 0; axis < (field < 3 ? 1 : AXES); axis++) {
      const Py_ssize_t number = take_size(arguments[i++]);
      numbers[field][axis] = number;
      possible &= number >= (field == 7 ? 0 : 1) && number <= INT32_MAX;
    }
  }
  if (PyErr_Occurred()) return 0;
  if (possible && windows->n_in % windows->groups == 0 &&
      windows->n_out % windows->groups == 0 && are_small(windows)) {
    return 1;
  }
  PyErr_SetString(PyExc_ValueError, "these numbers are no windows of a convolution");
  return 0;
}

void inside(Py_ssize_t start, Py_ssize_t step, Py_ssize_t n, Py_ssize_t length, Py_ssize_t *from,
            Py_ssize_t *to) {
  if (step == 1) {  // the usual one, without divisions
    *to = smaller(n, start < length ? length - start : 0);
    *from = smaller(start < 0 ? -start : 0, *to);
    return;
  }
  const Py_ssize_t least = start < 0 ? (-start + step - 1) / step : 0;
  const Py_ssize_t most = start < length ? (length - start + step - 1) / step : 0;
  *to = smaller(n, most);
  *from = smaller(least, *to);
}
