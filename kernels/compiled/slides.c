// Where windows lie: grids filled from arrays, and wide sums stored to them.

#include "convolution.h"

#include <string.h>

// What follows from positions, reach and channels.
static void complete(Slide *slide, const Windows *windows) {
  Py_ssize_t reach[AXES];
  for (int a = 0; a < AXES; a++) {
    reach[a] = (windows->window[a] - 1) * windows->dilation[a] / windows->stride[a];
    slide->grid[a] = slide->positions[a] + reach[a];
  }
  const Py_ssize_t across = slide->grid[1] * slide->grid[2];
  slide->n_rows = smaller(slide->positions[0], MOST_POSITIONS / across + 1);
  slide->n_parts = (slide->positions[0] + slide->n_rows - 1) / slide->n_rows;
  slide->grid[0] = slide->n_rows + reach[0];
  slide->plane = volume(slide->grid);
  slide->in_phases = volume(slide->in_step);
  slide->out_phases = volume(slide->out_step);
  slide->n_taps = volume(windows->window);
  slide->groups = windows->groups;
  slide->width = rounded_up(flat_positions(slide, slide->n_rows), CHANNELS);
  slide->n_blocks = (slide->out_channels + BLOCK - 1) / BLOCK;
}

Slide forward_slide(const Windows *windows) {
  Slide slide;
  slide.backward = 0;
  for (int a = 0; a < AXES; a++) {
    slide.in_lengths[a] = windows->lengths[a];
    slide.in_step[a] = windows->stride[a];
    slide.origin[a] = -windows->before[a];
    slide.out_lengths[a] = slide.positions[a] = windows->counts[a];
    slide.out_step[a] = 1;
    slide.first[a] = 0;
  }
  slide.in_channels = windows->n_in / windows->groups;
  slide.out_channels = windows->n_out / windows->groups;
  complete(&slide, windows);
  return slide;
}

Slide backward_slide(const Windows *windows) {
  Slide slide;
  slide.backward = 1;
  for (int a = 0; a < AXES; a++) {
    const Py_ssize_t stride = windows->stride[a], before = windows->before[a];
    const Py_ssize_t least = before / stride;  // of the places that hold elements of x
    const Py_ssize_t most = (before + windows->lengths[a] - 1) / stride;
    slide.in_lengths[a] = windows->counts[a];
    slide.in_step[a] = 1;
    slide.origin[a] = least - (windows->window[a] - 1) * windows->dilation[a] / stride;
    slide.out_lengths[a] = windows->lengths[a];
    slide.out_step[a] = stride;
    slide.first[a] = least * stride - before;
    slide.positions[a] = most - least + 1;
  }
  slide.in_channels = windows->n_out / windows->groups;
  slide.out_channels = windows->n_in / windows->groups;
  complete(&slide, windows);
  return slide;
}

Py_ssize_t flat_positions(const Slide *slide, Py_ssize_t n_rows) {
  const Py_ssize_t whole = (n_rows - 1) * slide->grid[1] + slide->positions[1] - 1;
  return whole * slide->grid[2] + slide->positions[2];
}

double slide_room(const Slide *slide, double per_part) {
  double places = 1.0;
  for (int a = 0; a < AXES; a++) places *= (double)slide->grid[a];
  const double channels = (double)slide->in_channels;
  return (places * (double)slide->in_phases + (double)slide->n_taps) * channels + SLACK + per_part;
}

// The phase and the whole steps of a tap along every axis.
static Py_ssize_t split(const Windows *windows, const Py_ssize_t *tap, Py_ssize_t *steps) {
  Py_ssize_t phase = 0;
  for (int a = 0; a < AXES; a++) {
    const Py_ssize_t element = tap[a] * windows->dilation[a];
    phase = phase * windows->stride[a] + element % windows->stride[a];
    steps[a] = element / windows->stride[a];
  }
  return phase;
}

int has_tap(const Slide *slide, const Windows *windows, const Py_ssize_t *tap, Py_ssize_t phase) {
  Py_ssize_t steps[AXES];
  return slide->out_phases == 1 || split(windows, tap, steps) == phase;
}

// The place of a tap of the first channel, as seen from a position.
static Py_ssize_t tap_offset(const Slide *slide, const Windows *windows, const Py_ssize_t *tap) {
  Py_ssize_t steps[AXES], last[AXES], end[AXES];
  const Py_ssize_t phase = split(windows, tap, steps);
  for (int a = 0; a < AXES; a++) end[a] = windows->window[a] - 1;
  split(windows, end, last);
  for (int a = 0; a < AXES; a++) steps[a] = slide->backward ? last[a] - steps[a] : steps[a];
  const Py_ssize_t place = (steps[0] * slide->grid[1] + steps[1]) * slide->grid[2] + steps[2];
  return slide->backward ? place : place + phase * slide->plane;
}

Py_ssize_t slide_offsets(int32_t *offsets, const Slide *slide, const Windows *windows,
                         Py_ssize_t phase) {
  Py_ssize_t n = 0, tap[AXES];
  for (tap[0] = 0; tap[0] < windows->window[0]; tap[0]++) {
    for (tap[1] = 0; tap[1] < windows->window[1]; tap[1]++) {
      for (tap[2] = 0; tap[2] < windows->window[2]; tap[2]++) {
        if (!has_tap(slide, windows, tap, phase)) continue;
        offsets[n++] = (int32_t)tap_offset(slide, windows, tap);
      }
    }
  }
  const Py_ssize_t channel = slide->in_phases * slide->plane;
  for (Py_ssize_t c = 1; c < slide->in_channels; c++) {
    for (Py_ssize_t k = 0; k < n; k++) offsets[c * n + k] = (int32_t)(offsets[k] + c * channel);
  }
  return n * slide->in_channels;
}

static void fill_phase(float *restrict grid, const float *restrict x, const Slide *slide,
                       const Py_ssize_t *start) {
  Py_ssize_t from[AXES], to[AXES];
  for (int a = 0; a < AXES; a++) {
    inside(start[a], slide->in_step[a], slide->grid[a], slide->in_lengths[a], &from[a], &to[a]);
  }
  const Py_ssize_t step = slide->in_step[2], n = to[2] - from[2];
  for (Py_ssize_t i = from[0]; i < to[0]; i++) {
    for (Py_ssize_t j = from[1]; j < to[1]; j++) {
      const Py_ssize_t row = (start[0] + i * slide->in_step[0]) * slide->in_lengths[1] + start[1] +
                             j * slide->in_step[1];
      const float *source = x + row * slide->in_lengths[2] + start[2] + from[2] * step;
      float *target = grid + (i * slide->grid[1] + j) * slide->grid[2] + from[2];
      if (step == 1) {
        memcpy(target, source, (size_t)n * sizeof(float));
      } else {
        for (Py_ssize_t k = 0; k < n; k++) target[k] = source[k * step];
      }
    }
  }
}

void fill_grid(float *restrict grid, const float *restrict x, const Slide *slide,
               Py_ssize_t row) {
  const Py_ssize_t *step = slide->in_step, size = volume(slide->in_lengths);
  for (Py_ssize_t channel = 0; channel < slide->in_channels; channel++) {
    for (Py_ssize_t phase = 0; phase < slide->in_phases; phase++) {
      const Py_ssize_t start[AXES] = {
          slide->origin[0] + row * step[0] + phase / (step[1] * step[2]),
          slide->origin[1] + phase / step[2] % step[1],
          slide->origin[2] + phase % step[2],
      };
      fill_phase(grid, x + channel * size, slide, start);
      grid += slide->plane;
    }
  }
}

static void store_channel(float *restrict y, const float *restrict wide, const Slide *slide,
                          const Py_ssize_t *start, const Py_ssize_t *from, const Py_ssize_t *to) {
  const Py_ssize_t step = slide->out_step[2], n = to[2] - from[2];
  for (Py_ssize_t i = from[0]; i < to[0]; i++) {
    for (Py_ssize_t j = from[1]; j < to[1]; j++) {
      const Py_ssize_t row = (start[0] + i * slide->out_step[0]) * slide->out_lengths[1] +
                             start[1] + j * slide->out_step[1];
      float *target = y + row * slide->out_lengths[2] + start[2] + from[2] * step;
      const float *source = wide + (i * slide->grid[1] + j) * slide->grid[2] + from[2];
      if (step == 1) {
        memcpy(target, source, (size_t)n * sizeof(float));
      } else {
        for (Py_ssize_t k = 0; k < n; k++) target[k * step] = source[k];
      }
    }
  }
}

void store_sums(float *restrict y, const float *restrict wide, const Slide *slide,
                Py_ssize_t phase, Py_ssize_t row, Py_ssize_t n_channels) {
  const Py_ssize_t *step = slide->out_step, size = volume(slide->out_lengths);
  const Py_ssize_t start[AXES] = {
      slide->first[0] + row * step[0] + phase / (step[1] * step[2]),
      slide->first[1] + phase / step[2] % step[1],
      slide->first[2] + phase % step[2],
  };
  const Py_ssize_t n[AXES] = {smaller(slide->n_rows, slide->positions[0] - row),
                              slide->positions[1], slide->positions[2]};
  Py_ssize_t from[AXES], to[AXES];
  for (int a = 0; a < AXES; a++) {
    inside(start[a], step[a], n[a], slide->out_lengths[a], &from[a], &to[a]);
  }
  for (Py_ssize_t c = 0; c < n_channels; c++) {
    store_channel(y + c * size, wide + c * slide->width, slide, start, from, to);
  }
}
