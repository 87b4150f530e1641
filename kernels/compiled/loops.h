// What the loops share. Every file is one topic: loops over plain pointers first, then the function
// that Python calls, named as in module.c. Arrays are float32 and C-contiguous; a function is given
// all that it writes to. Floating-point operations are not contracted (pyproject.toml), so a loop
// without sums has the bits of NumPy's operations in the same order.

#ifndef ISOGRAD_LOOPS_H
#define ISOGRAD_LOOPS_H

#define Py_LIMITED_API 0x030B0000  // one build serves Python 3.11 and all that follow
#include <Python.h>

// A loop that is compiled once for each generation of x86-64 (AVX-512, AVX2 with FMA, SSE2); the
// dynamic loader picks the one for this processor.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EVERY_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif

// Inlined always: otherwise a function would not be compiled for the processor that its caller is.
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

enum { MOST_ARRAYS = 16 };

// The arrays of one call; data[i] is argument i, which has sizes[i] numbers.
typedef struct {
  int n;
  float *data[MOST_ARRAYS];
  Py_ssize_t sizes[MOST_ARRAYS];
  Py_buffer views[MOST_ARRAYS];
} Arrays;

// Takes the first arguments, an array for each letter of `access`: 'w' is written to, 'r' only
// read; 'W' and 'R' have any strides, which are in their views. False, with a Python error set,
// unless there are n_arguments in all and each array is float32, C-contiguous ('w', 'r') and, to be
// written to, writeable.
int take_arrays(Arrays *arrays, const char *access, PyObject *const *arguments,
                Py_ssize_t n_given, Py_ssize_t n_arguments);

// False, with a Python error set, unless array i has `size` numbers.
int check_size(const Arrays *arrays, int i, Py_ssize_t size);

void release_arrays(Arrays *arrays);

// The numbers that follow the arrays. Errors stay set: ask PyErr_Occurred() after the last.
float take_float(PyObject *argument);
Py_ssize_t take_size(PyObject *argument);
int take_flag(PyObject *argument);

// Releases the arrays; None, or NULL where a Python error is set.
PyObject *finish(Arrays *arrays);

#define LOOP(name) \
  PyObject *name(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t n_given)

LOOP(activated);
LOOP(adam);
LOOP(attention);
LOOP(attention_backward);
LOOP(attention_scratch);
LOOP(bias_added);
LOOP(channel_moments);
LOOP(channel_sums);
LOOP(channels_scaled);
LOOP(convolution);
LOOP(convolution_packed);
LOOP(convolution_sizes);
LOOP(convolution_weights);
LOOP(dactivated);
LOOP(dchannels);
LOOP(dlog_softmax);
LOOP(dnormalized);
LOOP(drectified);
LOOP(dsoftmax);
LOOP(log_softmax);
LOOP(lstm_backward);
LOOP(lstm_forward);
LOOP(normalized);
LOOP(pack);
LOOP(rectified);
LOOP(rmsprop);
LOOP(row_exponentials);
LOOP(sgd);
LOOP(softmax);
LOOP(window_max);
LOOP(window_max_backward);
LOOP(window_spread);
LOOP(window_sum);

#endif
