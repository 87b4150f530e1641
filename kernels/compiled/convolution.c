// Convolution's three products over windows, with tiles of sums in registers; see slides.c for
// where the windows lie. No array of columns is made: taps are read where the grid holds them.

#include "convolution.h"

#include <string.h>

static Slide slide_of(const Windows *windows, int backward) {
  return backward ? backward_slide(windows) : forward_slide(windows);
}

static Py_ssize_t grid_size(const Slide *slide) {
  return slide->in_channels * slide->in_phases * slide->plane + SLACK;
}

static Py_ssize_t packed_size(const Slide *slide) {
  const Py_ssize_t n_terms = slide->in_channels * slide->n_taps;
  return slide->groups * slide->n_blocks * BLOCK * (n_terms + 1);
}

static double product_room(const Slide *slide) {
  return slide_room(slide, (double)(BLOCK * slide->width));
}

static Py_ssize_t channel_blocks(const Slide *slide) {
  return (slide->out_channels + CHANNELS - 1) / CHANNELS;
}

// Of dy in blocks of channels, for a part of an item.
static Py_ssize_t turned_size(const Slide *slide) {
  const Py_ssize_t n_positions = slide->n_rows * slide->positions[1] * slide->positions[2];
  return channel_blocks(slide) * CHANNELS * n_positions;
}

static double weight_room(const Slide *slide) {
  return slide_room(slide, (double)turned_size(slide));
}

// Of one block of channels: a row for each term, and one for the sum of dy.
static Py_ssize_t block_sums(const Slide *slide) {
  return (slide->in_channels * slide->n_taps + 1) * CHANNELS;
}

static int fits(const Arrays *arrays, int i, double room) {
  if (room <= (double)arrays->sizes[i] && room <= INT32_MAX) return 1;
  PyErr_Format(PyExc_ValueError, "argument %d is too small to work in, %zd numbers", i,
               arrays->sizes[i]);
  return 0;
}

static int in_range(Py_ssize_t start, Py_ssize_t stop, Py_ssize_t n) {
  if (0 <= start && start <= stop && stop <= n) return 1;
  PyErr_Format(PyExc_ValueError, "must be a part of 0 to %zd, got %zd to %zd", n, start, stop);
  return 0;
}

// convolution_sizes(windows): (numbers of packed weights, floats to work in, parts of an item)
// forward, the same backward, and for the weights (numbers of sums, floats to work in).
LOOP(convolution_sizes) {
  Windows windows;
  if (n_given != N_NUMBERS) {
    PyErr_Format(PyExc_TypeError, "takes %d arguments, got %zd", N_NUMBERS, n_given);
    return NULL;
  }
  if (!take_windows(&windows, arguments)) return NULL;
  const Slide there = forward_slide(&windows), back = backward_slide(&windows);
  const double rooms[] = {product_room(&there), product_room(&back), weight_room(&there)};
  for (int i = 0; i < 3; i++) {
    if (rooms[i] <= INT32_MAX) continue;
    PyErr_SetString(PyExc_ValueError, "these windows are too large");
    return NULL;
  }
  return Py_BuildValue("(nnn)(nnn)(nn)", packed_size(&there), (Py_ssize_t)rooms[0], there.n_parts,
                       packed_size(&back), (Py_ssize_t)rooms[1], back.n_parts,
                       there.groups * channel_blocks(&there) * block_sums(&there),
                       (Py_ssize_t)rooms[2]);
}

// Where the weight of channels c (in) and r (out) of a slide begins in a group's weights.
static Py_ssize_t weight_place(const Slide *slide, Py_ssize_t c, Py_ssize_t r) {
  return (slide->backward ? c * slide->out_channels + r : r * slide->in_channels + c) *
         slide->n_taps;
}

// The weights of a phase and a block in the order in which tiles read them; where they end.
static float *pack_block(float *restrict packed, const float *restrict weight, const Slide *slide,
                         const Windows *windows, Py_ssize_t phase, Py_ssize_t channel) {
  const Py_ssize_t *window = windows->window;
  const Py_ssize_t n = smaller(BLOCK, slide->out_channels - channel);
  for (Py_ssize_t c = 0; c < slide->in_channels; c++) {
    for (Py_ssize_t t = 0; t < slide->n_taps; t++) {
      const Py_ssize_t tap[AXES] = {t / (window[1] * window[2]), t / window[2] % window[1],
                                    t % window[2]};
      if (!has_tap(slide, windows, tap, phase)) continue;
      for (Py_ssize_t r = 0; r < BLOCK; r++) {
        packed[r] = r < n ? weight[weight_place(slide, c, channel + r) + t] : 0.0f;
      }
      packed += BLOCK;
    }
  }
  return packed;
}

static void pack_weights(float *restrict packed, const float *restrict weight, const Slide *slide,
                 const Windows *windows) {
  const Py_ssize_t size = slide->in_channels * slide->out_channels * slide->n_taps;
  for (Py_ssize_t group = 0; group < slide->groups; group++) {
    for (Py_ssize_t phase = 0; phase < slide->out_phases; phase++) {
      for (Py_ssize_t block = 0; block < slide->n_blocks; block++) {
        packed = pack_block(packed, weight + group * size, slide, windows, phase, block * BLOCK);
      }
    }
  }
}

static void pack_bias(float *restrict packed, const float *restrict bias, Py_ssize_t n_bias,
                      const Slide *slide) {
  const Py_ssize_t n = slide->n_blocks * BLOCK;
  for (Py_ssize_t group = 0; group < slide->groups; group++) {
    for (Py_ssize_t r = 0; r < n; r++) {
      const int there = n_bias > 0 && r < slide->out_channels;
      packed[group * n + r] = there ? bias[group * slide->out_channels + r] : 0.0f;
    }
  }
}

// convolution_packed(packed, weight, bias, backward, windows): bias and weights in the order in
// which tiles read them. bias: of the channels that come out, or empty.
LOOP(convolution_packed) {
  Arrays arrays;
  Windows windows;
  if (!take_arrays(&arrays, "wrr", arguments, n_given, 4 + N_NUMBERS)) return NULL;
  const int backward = take_flag(arguments[3]);
  if (!take_windows(&windows, arguments + 4)) return finish(&arrays);
  const Slide slide = slide_of(&windows, backward);
  const Py_ssize_t n_out = slide.groups * slide.out_channels, n_bias = arrays.sizes[2];
  const Py_ssize_t n_weights = slide.in_channels * slide.n_taps * n_out;
  if (check_size(&arrays, 0, packed_size(&slide)) && check_size(&arrays, 1, n_weights) &&
      (n_bias == 0 || check_size(&arrays, 2, n_out))) {
    float *packed = arrays.data[0];
    Py_BEGIN_ALLOW_THREADS;
    pack_bias(packed, arrays.data[2], n_bias, &slide);
    pack_weights(packed + slide.groups * slide.n_blocks * BLOCK, arrays.data[1], &slide, &windows);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}

typedef struct {
  float *grid, *wide;
  int32_t *offsets;
} Scratch;

static Scratch divided(float *scratch, const Slide *slide, Py_ssize_t wide_size) {
  float *wide = scratch + grid_size(slide), *end = wide + wide_size;
  return (Scratch){scratch, wide, (int32_t *)end};
}

// The sums of one group in a part of an item.
static void group_sums(float *restrict y, const float *packed, const float *bias,
                       const Slide *slide, const Windows *windows, Py_ssize_t row,
                       const Scratch *scratch) {
  const Py_ssize_t size = volume(slide->out_lengths);
  const Py_ssize_t n_rows = smaller(slide->n_rows, slide->positions[0] - row);
  Products given = {.places = scratch->grid, .offsets = scratch->offsets, .width = slide->width};
  given.n_positions = flat_positions(slide, n_rows);
  for (Py_ssize_t phase = 0; phase < slide->out_phases; phase++) {
    given.n_terms = slide_offsets(scratch->offsets, slide, windows, phase);
    for (Py_ssize_t channel = 0; channel < slide->out_channels; channel += BLOCK) {
      given.weights = packed;
      given.bias = bias + channel;
      given.n_channels = smaller(BLOCK, slide->out_channels - channel);
      products(scratch->wide, &given);
      store_sums(y + channel * size, scratch->wide, slide, phase, row, given.n_channels);
      packed += given.n_terms * BLOCK;
    }
  }
}

// Units [start, stop): the first part of every item, the second part of every item, ...
static void all_sums(float *restrict y, const float *restrict x, const float *restrict packed,
                     float *scratch, const Slide *slide, const Windows *windows, Py_ssize_t n_items,
                     Py_ssize_t start, Py_ssize_t stop) {
  const Py_ssize_t in_size = slide->in_channels * volume(slide->in_lengths);
  const Py_ssize_t out_size = slide->out_channels * volume(slide->out_lengths);
  const Py_ssize_t n_bias = slide->n_blocks * BLOCK;
  const Py_ssize_t n_weights = n_bias * slide->in_channels * slide->n_taps;
  const Scratch own = divided(scratch, slide, BLOCK * slide->width);
  for (Py_ssize_t unit = start; unit < stop; unit++) {
    const Py_ssize_t part = unit / n_items, item = unit % n_items * slide->groups;
    if (unit == start || item == 0) {  // the border is elsewhere
      memset(own.grid, 0, (size_t)grid_size(slide) * sizeof(float));
    }
    for (Py_ssize_t group = 0; group < slide->groups; group++) {
      const float *weights = packed + slide->groups * n_bias + group * n_weights;
      fill_grid(own.grid, x + (item + group) * in_size, slide, part * slide->n_rows);
      group_sums(y + (item + group) * out_size, weights, packed + group * n_bias, slide, windows,
                 part * slide->n_rows, &own);
    }
  }
}

// convolution(y, x, packed, scratch, backward, start, stop, windows): the sum over each window of x
// times the weights, plus bias, for some of the parts of items. backward: x is the gradient of such
// sums, y that of what the windows lie on: each element times the weights, added up.
LOOP(convolution) {
  Arrays arrays;
  Windows windows;
  if (!take_arrays(&arrays, "wrrw", arguments, n_given, 7 + N_NUMBERS)) return NULL;
  const int backward = take_flag(arguments[4]);
  const Py_ssize_t start = take_size(arguments[5]), stop = take_size(arguments[6]);
  if (!take_windows(&windows, arguments + 7)) return finish(&arrays);
  const Slide slide = slide_of(&windows, backward);
  const Py_ssize_t in_size = slide.groups * slide.in_channels * volume(slide.in_lengths);
  const Py_ssize_t out_size = slide.groups * slide.out_channels * volume(slide.out_lengths);
  const Py_ssize_t n_items = arrays.sizes[1] / in_size;
  if (check_size(&arrays, 1, n_items * in_size) && check_size(&arrays, 0, n_items * out_size) &&
      check_size(&arrays, 2, packed_size(&slide)) && fits(&arrays, 3, product_room(&slide)) &&
      in_range(start, stop, n_items * slide.n_parts)) {
    Py_BEGIN_ALLOW_THREADS;
    all_sums(arrays.data[0], arrays.data[1], arrays.data[2], arrays.data[3], &slide, &windows,
             n_items, start, stop);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}

// Four channels side by side, CHANNELS apart.
static void turn_four(float *restrict turned, const float *restrict dy, Py_ssize_t size,
                      Py_ssize_t n) {
  const float *a = dy, *b = dy + size, *c = dy + 2 * size, *d = dy + 3 * size;
  for (Py_ssize_t p = 0; p < n; p++) {
    turned[p * CHANNELS] = a[p];
    turned[p * CHANNELS + 1] = b[p];
    turned[p * CHANNELS + 2] = c[p];
    turned[p * CHANNELS + 3] = d[p];
  }
}

// turned[p][c] = dy[c][p], and zeros where there is no channel c; dy: (n_channels, size).
FOR_EVERY_PROCESSOR
static void turn(float *restrict turned, const float *restrict dy, Py_ssize_t n_channels,
                 Py_ssize_t size, Py_ssize_t n) {
  Py_ssize_t c = 0;
  for (; c + 4 <= smaller(n_channels, CHANNELS); c += 4) {
    turn_four(turned + c, dy + c * size, size, n);
  }
  for (; c < CHANNELS; c++) {
    for (Py_ssize_t p = 0; p < n; p++) {
      turned[p * CHANNELS + c] = c < n_channels ? dy[c * size + p] : 0.0f;
    }
  }
}

FOR_EVERY_PROCESSOR
static void add_rows(float *restrict sums, const float *restrict turned, Py_ssize_t n) {
  float total[CHANNELS] = {0};
  for (Py_ssize_t p = 0; p < n; p++) {
    for (int c = 0; c < CHANNELS; c++) total[c] += turned[p * CHANNELS + c];
  }
  for (int c = 0; c < CHANNELS; c++) sums[c] += total[c];
}

// Add the outer products of one group in a part of an item.
static void add_group(float *restrict sums, const float *restrict dy, const Slide *slide,
                      Py_ssize_t row, Py_ssize_t first, Py_ssize_t n_blocks,
                      const Scratch *scratch) {
  const Py_ssize_t across = slide->positions[1] * slide->positions[2];
  const Py_ssize_t n_rows = smaller(slide->n_rows, slide->positions[0] - row), n = n_rows * across;
  const Py_ssize_t size = volume(slide->out_lengths), n_terms = slide->in_channels * slide->n_taps;
  for (Py_ssize_t block = 0; block < n_blocks; block++) {
    const Py_ssize_t channel = (first + block) * CHANNELS;
    float *turned = scratch->wide + block * CHANNELS * n;
    turn(turned, dy + channel * size + row * across, slide->out_channels - channel, size, n);
    add_rows(sums + block * block_sums(slide) + n_terms * CHANNELS, turned, n);
  }
  Outer given = {.offsets = scratch->offsets, .dy_block = CHANNELS * n, .n_blocks = n_blocks,
                 .sums_block = block_sums(slide), .n_taps = n_terms,
                 .n_columns = slide->positions[2]};
  const int flat = slide->positions[1] == 1;
  given.n_rows = flat ? n_rows : slide->positions[1];
  given.row = flat ? slide->grid[1] * slide->grid[2] : slide->grid[2];
  for (Py_ssize_t i = 0; i < (flat ? 1 : n_rows); i++) {
    given.places = scratch->grid + i * slide->grid[1] * slide->grid[2];
    given.dy = scratch->wide + i * across * CHANNELS;
    outer_products(sums, &given);
  }
}

static void add_all(float *restrict sums, const float *restrict x, const float *restrict dy,
                    float *scratch, const Slide *slide, const Windows *windows,
                    const Py_ssize_t *items, const Py_ssize_t *blocks) {
  const Py_ssize_t in_size = slide->in_channels * volume(slide->in_lengths);
  const Py_ssize_t out_size = slide->out_channels * volume(slide->out_lengths);
  const Py_ssize_t n_sums = channel_blocks(slide) * block_sums(slide);
  const Scratch own = divided(scratch, slide, turned_size(slide));
  float *from = sums + blocks[0] * block_sums(slide);
  slide_offsets(own.offsets, slide, windows, 0);
  for (Py_ssize_t row = 0; row < slide->positions[0]; row += slide->n_rows) {
    memset(own.grid, 0, (size_t)grid_size(slide) * sizeof(float));
    for (Py_ssize_t i = items[0] * slide->groups; i < items[1] * slide->groups; i++) {
      fill_grid(own.grid, x + i * in_size, slide, row);
      add_group(from + i % slide->groups * n_sums, dy + i * out_size, slide, row, blocks[0],
                blocks[1] - blocks[0], &own);
    }
  }
}

// convolution_weights(sums, x, dy, scratch, start, stop, first, last, windows): for items start to
// stop add x times dy over all windows, and dy: sums (groups, blocks of CHANNELS channels, terms
// and one for the sum of dy, CHANNELS), of which only blocks first to last are added to.
LOOP(convolution_weights) {
  Arrays arrays;
  Windows windows;
  if (!take_arrays(&arrays, "wrrw", arguments, n_given, 8 + N_NUMBERS)) return NULL;
  const Py_ssize_t items[] = {take_size(arguments[4]), take_size(arguments[5])};
  const Py_ssize_t blocks[] = {take_size(arguments[6]), take_size(arguments[7])};
  if (!take_windows(&windows, arguments + 8)) return finish(&arrays);
  const Slide slide = forward_slide(&windows);
  const Py_ssize_t n_blocks = channel_blocks(&slide);
  const Py_ssize_t in_size = windows.n_in * volume(windows.lengths);
  const Py_ssize_t n_items = arrays.sizes[1] / in_size;
  if (check_size(&arrays, 1, n_items * in_size) &&
      check_size(&arrays, 2, n_items * windows.n_out * volume(windows.counts)) &&
      check_size(&arrays, 0, slide.groups * n_blocks * block_sums(&slide)) &&
      fits(&arrays, 3, weight_room(&slide)) && in_range(items[0], items[1], n_items) &&
      in_range(blocks[0], blocks[1], n_blocks)) {
    Py_BEGIN_ALLOW_THREADS;
    add_all(arrays.data[0], arrays.data[1], arrays.data[2], arrays.data[3], &slide, &windows,
            items, blocks);
    Py_END_ALLOW_THREADS;
  }
  return finish(&arrays);
}
