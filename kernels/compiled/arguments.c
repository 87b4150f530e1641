// From Python's arguments to pointers and numbers.

#include "loops.h"

#include <string.h>

static int take_array(Arrays *arrays, PyObject *argument, char access) {
  const int i = arrays->n;
  const int layout = access == 'W' || access == 'R' ? PyBUF_STRIDES : PyBUF_C_CONTIGUOUS;
  const int flags =
      layout | PyBUF_FORMAT | (access == 'w' || access == 'W' ? PyBUF_WRITABLE : 0);
  Py_buffer *view = &arrays->views[i];
  if (PyObject_GetBuffer(argument, view, flags) != 0) return 0;
  arrays->n = i + 1;
  if (view->format == NULL || strcmp(view->format, "f") != 0) {
    PyErr_Format(PyExc_TypeError, "argument %d must be float32, got format '%s'", i,
                 view->format == NULL ? "B" : view->format);
    return 0;
  }
  arrays->data[i] = view->buf;
  arrays->sizes[i] = view->len / (Py_ssize_t)sizeof(float);
  return 1;
}

int take_arrays(Arrays *arrays, const char *access, PyObject *const *arguments,
                Py_ssize_t n_given, Py_ssize_t n_arguments) {
  arrays->n = 0;
  if (n_given != n_arguments) {
    PyErr_Format(PyExc_TypeError, "takes %zd arguments, got %zd: build the loops anew",
                 n_arguments, n_given);
    return 0;
  }
  for (int i = 0; access[i] != '\0'; i++) {
    if (!take_array(arrays, arguments[i], access[i])) {
      release_arrays(arrays);
      return 0;
    }
  }
  return 1;
}

int check_size(const Arrays *arrays, int i, Py_ssize_t size) {
  if (arrays->sizes[i] == size) return 1;
  PyErr_Format(PyExc_ValueError, "argument %d must have %zd numbers, got %zd", i, size,
               arrays->sizes[i]);
  return 0;
}

void release_arrays(Arrays *arrays) {
  for (int i = 0; i < arrays->n; i++) PyBuffer_Release(&arrays->views[i]);
  arrays->n = 0;
}

float take_float(PyObject *argument) {
  return PyErr_Occurred() ? 0.0f : (float)PyFloat_AsDouble(argument);
}

Py_ssize_t take_size(PyObject *argument) {
  return PyErr_Occurred() ? 0 : PyLong_AsSsize_t(argument);
}

int take_flag(PyObject *argument) {
  return PyErr_Occurred() ? 0 : PyObject_IsTrue(argument) == 1;
}

PyObject *finish(Arrays *arrays) {
  release_arrays(arrays);
  if (PyErr_Occurred()) return NULL;
  Py_RETURN_NONE;
}
