// What the files of convolution share.

#ifndef ISOGRAD_CONVOLUTION_H
#define ISOGRAD_CONVOLUTION_H

#include "windows.h"

#include <stdint.h>

enum {
  BLOCK = 8,             // channels that come out of a block of packed weights
  CHANNELS = 16,         // channels of dy side by side in the sums for weights
  SLACK = 64,            // numbers that may be read beyond the end of a grid
  MOST_POSITIONS = 1024  // of a part of an item: wide sums and the grid stay in the cache
};

// Sums over windows with steps of one place, to which both directions come down.
//
// A grid holds a part of one item: for every channel and phase, rows of places around which zeros
// stand. Place g of phase f is element g in_step + f + origin of the input. Forward there is a
// phase for each element within a stride. The sum at a position is over taps at fixed distances
// from it; positions between the end of a row and the beginning of the next one are computed too
// and left out. Position p of phase f is element p out_step + f + first of the output. Backward
// there is a phase for each element within a stride, with the taps that reach it.
typedef struct {
  Py_ssize_t in_lengths[AXES], in_step[AXES], origin[AXES];
  Py_ssize_t out_lengths[AXES], out_step[AXES], first[AXES];
  Py_ssize_t positions[AXES], grid[AXES];
  Py_ssize_t in_channels, out_channels, groups;  // channels of one group
  Py_ssize_t in_phases, out_phases, n_taps;
  int backward;
  Py_ssize_t plane;     // places of a channel's phase
  Py_ssize_t n_rows;    // of positions along the first axis, in a part
  Py_ssize_t n_parts;   // of an item
  Py_ssize_t width;     // positions of a part, rounded up
  Py_ssize_t n_blocks;  // of channels that come out of a group
} Slide;

typedef struct {
  const float *places;
  const int32_t *offsets;
  const float *weights;  // (n_terms, BLOCK)
  const float *bias;     // (BLOCK)
  Py_ssize_t n_terms, n_channels, n_positions, width;
} Products;

// wide[c][p] = bias[c] + sum over k of weights[k][c] * places[offsets[k] + p].
void products(float *restrict wide, const Products *given);

typedef struct {
  const float *places;
  const int32_t *offsets;
  const float *dy;  // (n_blocks, n_rows, n_columns, CHANNELS), dy_block from one block to the next
  Py_ssize_t dy_block, sums_block, n_taps, n_blocks;
  Py_ssize_t n_rows, n_columns, row;  // row: places from one row to the next
} Outer;

// sums[b][t][c] += sum over positions of places[offsets[t] + position] * dy[b][position][c].
void outer_products(float *restrict sums, const Outer *given);

Slide forward_slide(const Windows *windows);
Slide backward_slide(const Windows *windows);

// Floats that a call needs to work in: a grid, what `per_part` stands for, and the offsets.
double slide_room(const Slide *slide, double per_part);

// Where the taps of a phase of the output lie for every channel; how many there are in all.
Py_ssize_t slide_offsets(int32_t *offsets, const Slide *slide, const Windows *windows,
                         Py_ssize_t phase);

// Whether a tap (three indices in its window) belongs to a phase of the output.
int has_tap(const Slide *slide, const Windows *windows, const Py_ssize_t *tap, Py_ssize_t phase);

// The part of an item and group that begins with a row of positions. Zeros must stand around it.
void fill_grid(float *restrict grid, const float *restrict x, const Slide *slide, Py_ssize_t row);

// From wide sums to the output of a group, from channel on.
void store_sums(float *restrict y, const float *restrict wide, const Slide *slide,
                Py_ssize_t phase, Py_ssize_t row, Py_ssize_t n_channels);

Py_ssize_t flat_positions(const Slide *slide, Py_ssize_t n_rows);

#endif
