// The inner loops of convolution for one generation of processors: sums in registers. tiles.c
// includes this once for each, with
//   GENERATION  the end of its names
//   TARGET      the attribute that lets the compiler use its instructions
//   LANES       numbers in a register
//   ROWS        channels of a tile of products; a tile has 3 registers for each
//   TAPS        taps of a tile of outer products; a tile has a register or two for each
// so that the sums and what they are made of fit its registers.

#define Vector FOR_GENERATION(Vector)
#define Loose FOR_GENERATION(Loose)

#ifdef __GNUC__
typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float Loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#else
typedef float Vector, Loose;
#endif

// wide[r][p] = bias[r] + sum over k of weights[k][r] * places[offsets[k] + p], for `rows` channels
// and `n` registers of positions.
INLINE TARGET void FOR_GENERATION(product_tile)(float *restrict wide, const Products *given,
                                                Py_ssize_t channel, Py_ssize_t position,
                                                const int rows, const int n) {
  const float *places = given->places + position;
  const float *weights = given->weights + channel;
  Vector sums[ROWS][3];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < n; v++) sums[r][v] = (Vector){0} + given->bias[channel + r];
  }
  for (Py_ssize_t k = 0; k < given->n_terms; k++) {
    const float *place = places + given->offsets[k];
    Vector parts[3];
    UNROLLED for (int v = 0; v < n; v++) parts[v] = *(const Loose *)(place + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < n; v++) sums[r][v] += weights[k * BLOCK + r] * parts[v];
    }
  }
  wide += channel * given->width + position;
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < n; v++) {
      *(Loose *)(wide + r * given->width + v * LANES) = sums[r][v];
    }
  }
}

INLINE TARGET void FOR_GENERATION(product_rows)(float *restrict wide, const Products *given,
                                                Py_ssize_t channel, const int rows) {
  Py_ssize_t p = 0;
  while (p < given->n_positions) {
    const Py_ssize_t left = given->n_positions - p;
    if (left > 4 * LANES || (left > 2 * LANES && left <= 3 * LANES)) {
      FOR_GENERATION(product_tile)(wide, given, channel, p, rows, 3);
      p += 3 * LANES;
    } else if (left > LANES) {  // two of these for four registers: one of them alone is slow
      FOR_GENERATION(product_tile)(wide, given, channel, p, rows, 2);
      p += 2 * LANES;
    } else {
      FOR_GENERATION(product_tile)(wide, given, channel, p, rows, 1);
      p += LANES;
    }
  }
}

TARGET static void FOR_GENERATION(products)(float *restrict wide, const Products *given) {
  Py_ssize_t channel = 0;
  for (; channel + ROWS <= given->n_channels; channel += ROWS) {
    FOR_GENERATION(product_rows)(wide, given, channel, ROWS);
  }
  const Py_ssize_t left = given->n_channels - channel;
#if ROWS > 4
  if (left > 4) FOR_GENERATION(product_rows)(wide, given, channel, ROWS);
  if (left == 3 || left == 4) FOR_GENERATION(product_rows)(wide, given, channel, 4);
#else
  if (left == 3) FOR_GENERATION(product_rows)(wide, given, channel, ROWS);
#endif
  if (left == 2) FOR_GENERATION(product_rows)(wide, given, channel, 2);
  if (left == 1) FOR_GENERATION(product_rows)(wide, given, channel, 1);
}

// sums[t][c] += sum over rows and columns of places[offsets[t] + row, column] * dy[row, column][c],
// for `taps` taps and `n` registers of channels.
INLINE TARGET void FOR_GENERATION(outer_tile)(float *restrict sums, const Outer *given,
                                              Py_ssize_t tap, Py_ssize_t block, const int taps,
                                              const int n) {
  const float *places[TAPS];
  const float *dy = given->dy + block * given->dy_block;
  float *own = sums + block * given->sums_block + tap * CHANNELS;
  Vector total[TAPS][REGISTERS_OF(2)];
  UNROLLED for (int t = 0; t < taps; t++) {
    places[t] = given->places + given->offsets[tap + t];
    UNROLLED for (int v = 0; v < n; v++) {
      total[t][v] = *(const Loose *)(own + t * CHANNELS + PLACE_OF(v, given->sums_block));
    }
  }
  for (Py_ssize_t row = 0; row < given->n_rows; row++) {
    for (Py_ssize_t column = 0; column < given->n_columns; column++) {
      Vector parts[REGISTERS_OF(2)];
      UNROLLED for (int v = 0; v < n; v++) {
        parts[v] = *(const Loose *)(dy + PLACE_OF(v, given->dy_block));
      }
      UNROLLED for (int t = 0; t < taps; t++) {
        UNROLLED for (int v = 0; v < n; v++) total[t][v] += places[t][column] * parts[v];
      }
      dy += CHANNELS;
    }
    UNROLLED for (int t = 0; t < taps; t++) places[t] += given->row;
  }
  UNROLLED for (int t = 0; t < taps; t++) {
    UNROLLED for (int v = 0; v < n; v++) {
      *(Loose *)(own + t * CHANNELS + PLACE_OF(v, given->sums_block)) = total[t][v];
    }
  }
}

INLINE TARGET void FOR_GENERATION(outer_taps)(float *restrict sums, const Outer *given,
                                              Py_ssize_t block, const int n) {
  Py_ssize_t tap = 0;
  for (; tap + TAPS <= given->n_taps; tap += TAPS) {
    FOR_GENERATION(outer_tile)(sums, given, tap, block, TAPS, n);
  }
#if TAPS > 4
  for (; tap + 4 <= given->n_taps; tap += 4) {
    FOR_GENERATION(outer_tile)(sums, given, tap, block, 4, n);
  }
#endif
  for (; tap + 2 <= given->n_taps; tap += 2) {
    FOR_GENERATION(outer_tile)(sums, given, tap, block, 2, n);
  }
  if (tap < given->n_taps) FOR_GENERATION(outer_tile)(sums, given, tap, block, 1, n);
}

TARGET static void FOR_GENERATION(outer_products)(float *restrict sums, const Outer *given) {
  Py_ssize_t block = 0;
#if LANES == CHANNELS
  for (; block + 2 <= given->n_blocks; block += 2) {
    FOR_GENERATION(outer_taps)(sums, given, block, 2);
  }
#endif
  for (; block < given->n_blocks; block++) {
    FOR_GENERATION(outer_taps)(sums, given, block, REGISTERS_OF(1));
  }
}

#undef Vector
#undef Loose
#undef GENERATION
#undef TARGET
#undef LANES
#undef ROWS
#undef TAPS
