// Attention of some heads, a block of queries at a time: its scores and weights stay in the cache
// and are computed again for the backward pass, and what a causal mask hides is left out.
// Source: Dao et al. 2022, arXiv:2205.14135, with rows of all keys, since these are short.

#include "elementary.h"
#include "panels.h"
#include "sums.h"

#include <string.h>

enum { QUERIES = 32 };  // of a block: its scores of 1000 keys take 128 KiB

// (batch, heads, length, features) with any strides, in numbers.
typedef struct {
  float *data;
  Py_ssize_t shape[4], strides[4];
} Heads;

typedef struct {
  Heads query, key, value, mask;  // mask is added to the scores; mask.data is NULL where none is
  Py_ssize_t n_queries, n_keys, width, value_width;
  int is_causal;
  float scale;
} Attention;

static Matrix head_of(const Heads *x, Py_ssize_t head) {
  const Py_ssize_t batch = head / x->shape[1], place = head % x->shape[1];
  return (Matrix){x->data + batch * x->strides[0] + place * x->strides[1], x->strides[2],
                  x->strides[3]};
}

// How many keys the first `queries` queries may look at.
static Py_ssize_t keys_before(const Attention *a, Py_ssize_t queries) {
  return a->is_causal && queries < a->n_keys ? queries : a->n_keys;
}

// scale scores + mask, and -inf from `visible` up to `whole`, a multiple of PANEL.
FOR_EVERY_PROCESSOR
static void masked_row(float *restrict scores, float scale, const float *restrict mask,
                       Py_ssize_t mask_step, Py_ssize_t visible, Py_ssize_t whole) {
  for (Py_ssize_t j = 0; j < visible; j++) scores[j] *= scale;
  if (mask != NULL && mask_step == 1) {
    for (Py_ssize_t j = 0; j < visible; j++) scores[j] += mask[j];
  } else if (mask != NULL) {
    for (Py_ssize_t j = 0; j < visible; j++) scores[j] += mask[j * mask_step];
  }
  for (Py_ssize_t j = visible; j < whole; j++) scores[j] = -INFINITY;
}

// The largest of n numbers, a multiple of PANEL.
FOR_EVERY_PROCESSOR
static float largest(const float *restrict x, Py_ssize_t n) {
  float tops[PANEL];
  for (int lane = 0; lane < PANEL; lane++) tops[lane] = -INFINITY;
  for (Py_ssize_t j = 0; j < n; j += PANEL) {
    for (int lane = 0; lane < PANEL; lane++) {
      tops[lane] = x[j + lane] <= tops[lane] ? tops[lane] : x[j + lane];
    }
  }
  float top = tops[0];
  for (int lane = 1; lane < PANEL; lane++) top = tops[lane] <= top ? top : tops[lane];
  return top;
}

// exp(x - top) factor in place, and the sum.
FOR_EVERY_PROCESSOR
static float exponentials(float *restrict x, float top, float factor, Py_ssize_t n) {
  float sums[LANES] = {0.0f};
  IN_LANES(n, x[i] = exponential(x[i] - top) * factor; sums[lane] += x[i]);
  return lanes_sum(sums);
}

// dscores = weights (dweights - sum of dweights weights + dlog) scale, over dweights.
FOR_EVERY_PROCESSOR
static void dscores_row(float *restrict dweights, const float *restrict weights, float dlog,
                        float scale, Py_ssize_t n) {
  float sums[LANES] = {0.0f};
  IN_LANES(n, sums[lane] += dweights[i] * weights[i]);
  const float offset = dlog - lanes_sum(sums);
  for (Py_ssize_t j = 0; j < n; j++) dweights[j] = weights[j] * (dweights[j] + offset) * scale;
}

static void scale_rows(float *y, Py_ssize_t row, const float *factors, Py_ssize_t rows,
                       Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < rows; i++) {
    for (Py_ssize_t j = 0; j < n; j++) y[i * row + j] *= factors[i];
  }
}

// Masked scores of the queries from `first` on, each row whole_panels(n_keys) apart.
static void block_scores(const Attention *a, float *scores, Py_ssize_t head, const float *keys,
                         Py_ssize_t first, Py_ssize_t rows) {
  const Py_ssize_t visible = keys_before(a, first + rows), row = whole_panels(a->n_keys);
  multiply_panels(scores, row, NULL, 0, from_row(head_of(&a->query, head), first),
                  (Panels){keys, a->width}, rows, a->width, visible);
  for (Py_ssize_t i = 0; i < rows; i++) {
    const float *mask_row = NULL;
    if (a->mask.data != NULL) mask_row = from_row(head_of(&a->mask, head), first + i).data;
    masked_row(scores + i * row, a->scale, mask_row, a->mask.strides[3],
               keys_before(a, first + i + 1), whole_panels(visible));
  }
}

static Py_ssize_t rows_from(const Attention *a, Py_ssize_t first) {
  return a->n_queries - first < QUERIES ? a->n_queries - first : QUERIES;
}

static Py_ssize_t forward_scratch(const Attention *a) {
  const Py_ssize_t keys = whole_panels(a->n_keys);
  return keys * (a->width + QUERIES) + a->n_keys * whole_panels(a->value_width);
}

// y, and of every query the largest score (0 for -inf) and 1 / the sum of exp(score - largest).
static void forward(const Attention *a, Matrix y, float *tops, float *inverses, Py_ssize_t head,
                    float *scratch) {
  const Py_ssize_t keys = whole_panels(a->n_keys), n = a->value_width;
  float *scores = scratch, *key_panels = scores + QUERIES * keys;
  float *value_panels = key_panels + keys * a->width, *out = (float *)y.data;
  pack_panels(key_panels, transposed(head_of(&a->key, head)), a->width, a->n_keys);
  pack_panels(value_panels, head_of(&a->value, head), a->n_keys, n);
  for (Py_ssize_t first = 0; first < a->n_queries; first += QUERIES) {
    const Py_ssize_t rows = rows_from(a, first), visible = keys_before(a, first + rows);
    block_scores(a, scores, head, key_panels, first, rows);
    for (Py_ssize_t i = 0; i < rows; i++) {
      float *row = scores + i * keys;
      const float top = largest(row, whole_panels(visible));
      tops[first + i] = top == -INFINITY ? 0.0f : top;
      const float total = exponentials(row, tops[first + i], 1.0f, whole_panels(visible));
      inverses[first + i] = total == 0.0f ? 0.0f : 1.0f / total;
    }
    float *block = out + first * y.row;
    multiply_panels(block, y.row, NULL, 0, (Matrix){scores, keys, 1},
                    (Panels){value_panels, a->n_keys}, rows, visible, n);
    scale_rows(block, y.row, inverses + first, rows, n);
  }
}

static Py_ssize_t backward_scratch(const Attention *a) {
  const Py_ssize_t keys = whole_panels(a->n_keys);
  const Py_ssize_t widths = whole_panels(a->width) + whole_panels(a->value_width);
  return keys * (2 * QUERIES + a->width + a->value_width) + a->n_keys * whole_panels(a->width) +
         QUERIES * widths;
}

typedef struct {
  Matrix dy, dquery, dkey, dvalue;
  const float *tops, *inverses, *dlogs;
} Gradients;

// dquery is written, dkey and dvalue are added to.
static void backward(const Attention *a, Gradients g, Py_ssize_t head, float *scratch) {
  const Py_ssize_t keys = whole_panels(a->n_keys), n = a->width, m = a->value_width;
  const Matrix query = head_of(&a->query, head), key = head_of(&a->key, head);
  float *weights = scratch, *dscores = weights + QUERIES * keys;
  float *key_columns = dscores + QUERIES * keys, *value_columns = key_columns + keys * n;
  float *key_rows = value_columns + keys * m, *queries = key_rows + a->n_keys * whole_panels(n);
  float *dys = queries + QUERIES * whole_panels(n);
  pack_panels(key_columns, transposed(key), n, a->n_keys);
  pack_panels(key_rows, key, a->n_keys, n);
  pack_panels(value_columns, transposed(head_of(&a->value, head)), m, a->n_keys);
  for (Py_ssize_t first = 0; first < a->n_queries; first += QUERIES) {
    const Py_ssize_t rows = rows_from(a, first), visible = keys_before(a, first + rows);
    const Matrix dy = from_row(g.dy, first);
    block_scores(a, weights, head, key_columns, first, rows);
    multiply_panels(dscores, keys, NULL, 0, dy, (Panels){value_columns, m}, rows, m, visible);
    for (Py_ssize_t i = 0; i < rows; i++) {
      float *row = weights + i * keys;
      exponentials(row, g.tops[first + i], g.inverses[first + i], whole_panels(visible));
      dscores_row(dscores + i * keys, row, g.dlogs == NULL ? 0.0f : g.dlogs[first + i], a->scale,
                  visible);
    }
    pack_panels(queries, from_row(query, first), rows, n);
    pack_panels(dys, dy, rows, m);
    float *dquery = (float *)from_row(g.dquery, first).data;
    float *dkey = (float *)g.dkey.data, *dvalue = (float *)g.dvalue.data;
    multiply_panels(dquery, g.dquery.row, NULL, 0, (Matrix){dscores, keys, 1},
                    (Panels){key_rows, a->n_keys}, rows, visible, n);
    multiply_panels(dkey, g.dkey.row, dkey, g.dkey.row, (Matrix){dscores, 1, keys},
                    (Panels){queries, rows}, visible, rows, n);
    multiply_panels(dvalue, g.dvalue.row, dvalue, g.dvalue.row, (Matrix){weights, 1, keys},
                    (Panels){dys, rows}, visible, rows, m);
  }
}

// The axes of argument i. False, with a Python error set, unless there are 4, of this shape.
static int take_heads(Heads *heads, const Arrays *arrays, int i, const Py_ssize_t *shape) {
  const Py_buffer *view = &arrays->views[i];
  heads->data = arrays->data[i];
  for (int axis = 0; axis < 4; axis++) {
    if (view->ndim != 4 || view->shape[axis] != shape[axis] ||
        view->strides[axis] % (Py_ssize_t)sizeof(float) != 0) {
      PyErr_Format(PyExc_ValueError, "argument %d must have the shape (%zd, %zd, %zd, %zd)", i,
                   shape[0], shape[1], shape[2], shape[3]);
      return 0;
    }
    heads->shape[axis] = shape[axis];
    heads->strides[axis] = view->strides[axis] / (Py_ssize_t)sizeof(float);
  }
  return 1;
}

// The same for one that is written to, row by row.
static int take_rows(Heads *heads, const Arrays *arrays, int i, const Py_ssize_t *shape) {
  if (!take_heads(heads, arrays, i, shape)) return 0;
  if (heads->strides[3] == 1 || shape[3] <= 1) return 1;
  PyErr_Format(PyExc_ValueError, "argument %d must have rows whose numbers lie together", i);
  return 0;
}

// The arrays query, key, value and mask (empty: none), the first of which is argument i, and the
// shapes that follow from them.
static int take_attention(Attention *a, const Arrays *arrays, int i, PyObject *const *settings) {
  a->is_causal = take_flag(settings[0]);
  a->scale = take_float(settings[1]);
  const Py_buffer *query = &arrays->views[i], *value = &arrays->views[i + 2];
  if (PyErr_Occurred()) return 0;
  if (query->ndim != 4 || value->ndim != 4) {
    PyErr_SetString(PyExc_ValueError, "query and value must have 4 axes");
    return 0;
  }
  const Py_ssize_t batch = query->shape[0], heads = query->shape[1];
  a->n_queries = query->shape[2];
  a->width = query->shape[3];
  a->n_keys = value->shape[2];
  a->value_width = value->shape[3];
  a->mask.data = NULL;
  a->mask.strides[3] = 1;
  return take_heads(&a->query, arrays, i, (Py_ssize_t[]){batch, heads, a->n_queries, a->width}) &&
         take_heads(&a->key, arrays, i + 1, (Py_ssize_t[]){batch, heads, a->n_keys, a->width}) &&
         take_heads(&a->value, arrays, i + 2,
                    (Py_ssize_t[]){batch, heads, a->n_keys, a->value_width}) &&
         (arrays->sizes[i + 3] == 0 ||
          take_heads(&a->mask, arrays, i + 3,
                     (Py_ssize_t[]){batch, heads, a->n_queries, a->n_keys}));
}

// The heads from `first` to `last` of which a call takes care.
static int take_range(const Attention *a, Py_ssize_t *first, Py_ssize_t *last,
                      PyObject *const *numbers) {
  *first = take_size(numbers[0]);
  *last = take_size(numbers[1]);
  if (PyErr_Occurred()) return 0;
  if (*first >= 0 && *last <= a->query.shape[0] * a->query.shape[1]) return 1;
  PyErr_SetString(PyExc_ValueError, "the heads must be among those of query");
  return 0;
}

static Py_ssize_t n_rows(const Attention *a) {
  return a->query.shape[0] * a->query.shape[1] * a->n_queries;
}

// attention(y, tops, inverses, scratch, query, key, value, mask, is_causal, scale, first, last):
// writes y (batch, heads, L, V) and two numbers for every query, (batch, heads, L); any strides.
LOOP(attention) {
  Arrays arrays;
  if (!take_arrays(&arrays, "WwwwRRRR", arguments, n_given, 12)) return NULL;
  Attention a;
  Heads y;
  Py_ssize_t first, last;
  if (take_attention(&a, &arrays, 4, arguments + 8) &&
      take_range(&a, &first, &last, arguments + 10) &&
      take_rows(&y, &arrays, 0,
                (Py_ssize_t[]){a.query.shape[0], a.query.shape[1], a.n_queries, a.value_width}) &&
      check_size(&arrays, 1, n_rows(&a)) && check_size(&arrays, 2, n_rows(&a)) &&
      check_size(&arrays, 3, forward_scratch(&a))) {
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t head = first; head < last; head++) {
      const Py_ssize_t row = head * a.n_queries;
      forward(&a, head_of(&y, head), arrays.data[1] + row, arrays.data[2] + row, head,
              arrays.data[3]);
    }
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}

// attention_backward(dquery, dkey, dvalue, scratch, dy, tops, inverses, dlogs, query, key, value,
// mask, is_causal, scale, first, last): writes dquery, adds to dkey and dvalue. dlogs, empty for
// zeros: the cotangents of top + log of the sum.
LOOP(attention_backward) {
  Arrays arrays;
  if (!take_arrays(&arrays, "WWWwRrrrRRRR", arguments, n_given, 16)) return NULL;
  Attention a;
  Heads dy, dquery, dkey, dvalue;
  Py_ssize_t first, last;
  if (take_attention(&a, &arrays, 8, arguments + 12) &&
      take_range(&a, &first, &last, arguments + 14) &&
      take_rows(&dquery, &arrays, 0, a.query.shape) && take_rows(&dkey, &arrays, 1, a.key.shape) &&
      take_rows(&dvalue, &arrays, 2, a.value.shape) &&
      take_heads(&dy, &arrays, 4,
                 (Py_ssize_t[]){a.query.shape[0], a.query.shape[1], a.n_queries, a.value_width}) &&
      check_size(&arrays, 3, backward_scratch(&a)) && check_size(&arrays, 5, n_rows(&a)) &&
      check_size(&arrays, 6, n_rows(&a)) &&
      (arrays.sizes[7] == 0 || check_size(&arrays, 7, n_rows(&a)))) {
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t head = first; head < last; head++) {
      const Py_ssize_t row = head * a.n_queries;
      const Gradients g = {head_of(&dy, head),
                           head_of(&dquery, head),
                           head_of(&dkey, head),
                           head_of(&dvalue, head),
                           arrays.data[5] + row,
                           arrays.data[6] + row,
                           arrays.sizes[7] == 0 ? NULL : arrays.data[7] + row};
      backward(&a, g, head, arrays.data[3]);
    }
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}

// attention_scratch(L, S, E, V): how many numbers of scratch the two want.
LOOP(attention_scratch) {
  Arrays arrays;
  if (!take_arrays(&arrays, "", arguments, n_given, 4)) return NULL;
  Attention a;
  a.n_queries = take_size(arguments[0]);
  a.n_keys = take_size(arguments[1]);
  a.width = take_size(arguments[2]);
  a.value_width = take_size(arguments[3]);
  if (PyErr_Occurred()) return NULL;
  return Py_BuildValue("nn", forward_scratch(&a), backward_scratch(&a));
}
