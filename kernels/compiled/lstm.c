// All steps of an LSTM: i, f, g, o of the sums z; c' = f c + i g; h' = o tanh(c').

#include "elementary.h"
#include "sequences.h"

// The states after a step of one sequence, and what backward wants; z: (4 n), gates: n apart by
// `gate` numbers.
FOR_EVERY_PROCESSOR
static void open_gates(float *restrict h, float *restrict c, float *restrict gates,
                       float *restrict tanh_c, const float *restrict z,
                       const float *restrict c_before, Py_ssize_t n, Py_ssize_t gate) {
  for (Py_ssize_t j = 0; j < n; j++) {
    const float i = sigmoid(z[j]), f = sigmoid(z[n + j]);
    const float g = hyperbolic_tangent(z[2 * n + j]), o = sigmoid(z[3 * n + j]);
    const float cell = f * c_before[j] + i * g;
    const float activated = hyperbolic_tangent(cell);
    gates[j] = i;
    gates[gate + j] = f;
    gates[2 * gate + j] = g;
    gates[3 * gate + j] = o;
    c[j] = cell;
    tanh_c[j] = activated;
    h[j] = o * activated;
  }
}

// dz (4 n), and dc for the cell before. sigmoid' = s - s^2, tanh' = 1 - t^2.
FOR_EVERY_PROCESSOR
static void close_gates(float *restrict dz, float *restrict dc, const float *restrict dh,
                        const float *restrict dout, const float *restrict gates,
                        const float *restrict tanh_c, const float *restrict c_before, Py_ssize_t n,
                        Py_ssize_t gate) {
  for (Py_ssize_t j = 0; j < n; j++) {
    const float i = gates[j], f = gates[gate + j], g = gates[2 * gate + j];
    const float o = gates[3 * gate + j], t = tanh_c[j];
    const float dhidden = dh[j] + dout[j];
    const float dcell = dc[j] + dhidden * o * (1.0f - t * t);
    dz[j] = dcell * g * (i - i * i);
    dz[n + j] = dcell * c_before[j] * (f - f * f);
    dz[2 * n + j] = dcell * i * (1.0f - g * g);
    dz[3 * n + j] = dhidden * t * (o - o * o);
    dc[j] = dcell * f;
  }
}

typedef struct {
  float *hiddens, *cells, *gates, *tanh_c, *z;
  const float *inputs, *panels;
} Forward;

static void forward(const Sequences *s, Forward a) {
  const Py_ssize_t n = s->n, end = s->first + s->rows, gate = s->batch * n;
  for (Py_ssize_t k = 0; k < s->n_steps; k++) {
    const Py_ssize_t t = step_at(s, k), before = slot_before(s, t), after = slot_after(s, t);
    multiply_panels(a.z, 4 * n, a.inputs + place(s, t, s->first, 4 * n), 4 * n,
                    (Matrix){a.hiddens + place(s, before, s->first, n), n, 1},
                    (Panels){a.panels, n}, s->rows, n, 4 * n);
    for (Py_ssize_t b = s->first; b < end; b++) {
      float *h = a.hiddens + place(s, after, b, n), *c = a.cells + place(s, after, b, n);
      const float *c_before = a.cells + place(s, before, b, n);
      open_gates(h, c, a.gates + place(s, 4 * t, b, n), a.tanh_c + place(s, t, b, n),
                 a.z + (b - s->first) * 4 * n, c_before, n, gate);
      if (is_over(s, t, b)) {
        copy_row(h, a.hiddens + place(s, before, b, n), n);
        copy_row(c, c_before, n);
      }
    }
  }
}

typedef struct {
  float *dz, *dh, *dc;
  const float *douts, *gates, *cells, *tanh_c, *panels;
} Backward;

static void backward(const Sequences *s, Backward a) {
  const Py_ssize_t n = s->n, end = s->first + s->rows, gate = s->batch * n;
  for (Py_ssize_t k = s->n_steps - 1; k >= 0; k--) {
    const Py_ssize_t t = step_at(s, k);
    for (Py_ssize_t b = s->first; b < end; b++) {
      float *dz = a.dz + place(s, t, b, 4 * n), *dh = a.dh + b * n;
      if (is_over(s, t, b)) {
        memset(dz, 0, 4 * n * sizeof(float));
        continue;
      }
      close_gates(dz, a.dc + b * n, dh, a.douts + place(s, t, b, n),
                  a.gates + place(s, 4 * t, b, n), a.tanh_c + place(s, t, b, n),
                  a.cells + place(s, slot_before(s, t), b, n), n, gate);
      if (s->valid != NULL) memset(dh, 0, n * sizeof(float));
    }
    step_back(s, a.dh, a.dz + place(s, t, s->first, 4 * n), a.panels, 4 * n);
  }
}

// lstm_forward(hiddens, cells, gates, tanh_c, z, inputs, panels, valid, sizes...): writes the first
// four, from the slot before the first step on. (time + 1, batch, n) twice, (time, 4, batch, n),
// (time, batch, n); z: (rows, 4 n), for scratch; inputs: (time, batch, 4 n); panels: of weight^T.
LOOP(lstm_forward) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wwwwwrrr", arguments, n_given, 14)) return NULL;
  Sequences s;
  if (take_sequences(&s, &arrays, 7, arguments + 8)) {
    const Py_ssize_t states = s.batch * s.n;
    if (check_size(&arrays, 0, (s.n_steps + 1) * states) &&
        check_size(&arrays, 1, (s.n_steps + 1) * states) &&
        check_size(&arrays, 2, 4 * s.n_steps * states) &&
        check_size(&arrays, 3, s.n_steps * states) && check_size(&arrays, 4, 4 * s.rows * s.n) &&
        check_size(&arrays, 5, 4 * s.n_steps * states) &&
        check_size(&arrays, 6, panels_size(s.n, 4 * s.n))) {
      float **data = arrays.data;
      const Forward a = {data[0], data[1], data[2], data[3], data[4], data[5], data[6]};
      Py_BEGIN_ALLOW_THREADS;
      forward(&s, a);
      Py_END_ALLOW_THREADS;
    }
  }
  return finish(&arrays);
}

// lstm_backward(dz, dh, dc, douts, gates, cells, tanh_c, panels, valid, sizes...): writes dz (time,
// batch, 4 n); dh and dc (batch, n) hold the cotangents of the last states, then of the first.
// panels: of weight.
LOOP(lstm_backward) {
  Arrays arrays;
  if (!take_arrays(&arrays, "wwwrrrrrr", arguments, n_given, 15)) return NULL;
  Sequences s;
  if (take_sequences(&s, &arrays, 8, arguments + 9)) {
    const Py_ssize_t states = s.batch * s.n;
    if (check_size(&arrays, 0, 4 * s.n_steps * states) && check_size(&arrays, 1, states) &&
        check_size(&arrays, 2, states) && check_size(&arrays, 3, s.n_steps * states) &&
        check_size(&arrays, 4, 4 * s.n_steps * states) &&
        check_size(&arrays, 5, (s.n_steps + 1) * states) &&
        check_size(&arrays, 6, s.n_steps * states) &&
        check_size(&arrays, 7, panels_size(4 * s.n, s.n))) {
      float **data = arrays.data;
      const Backward a = {data[0], data[1], data[2], data[3],
                          data[4], data[5], data[6], data[7]};
      Py_BEGIN_ALLOW_THREADS;
      backward(&s, a);
      Py_END_ALLOW_THREADS;
    }
  }
  return finish(&arrays);
}
