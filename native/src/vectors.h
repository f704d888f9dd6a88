// Small building blocks of loops over floats, to be inlined where a function is compiled for each kind of processor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace lamina {

// The hyperbolic tangent to about 3 units in the last place: an odd polynomial over an even one (Eigen's coefficients).
[[gnu::always_inline]] inline float tanh_of(float x) {
  constexpr float limit = 7.90531110763549805f;
  x = x > limit ? limit : x;
  x = x < -limit ? -limit : x;
  const float s = x * x;
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s - 8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928935756e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return x * p / q;
}

[[gnu::always_inline]] inline float sigmoid_of(float x) { return 0.5f * tanh_of(0.5f * x) + 0.5f; }

// e to the power of x to about 2 units in the last place: 2**n times a polynomial (the coefficients of Cephes).
[[gnu::always_inline]] inline float power_of_e(float x) {
  x = x > 88.0f ? 88.0f : x;
  const float inside = x < -87.0f ? -87.0f : x;
  constexpr float shift = 12582912.0f;  // adding it leaves a whole number in the last bits
  const float whole = inside * 1.44269504088896341f + shift, n = whole - shift;
  const float r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &whole, sizeof bits);
  bits = (bits + 127) << 23;  // the whole number, as an exponent
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return x < -87.0f ? 0.0f : p * power;
}

using Vector = float __attribute__((vector_size(64), aligned(4), may_alias));

[[gnu::always_inline]] inline const Vector& load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
[[gnu::always_inline]] inline void store(float* to, const Vector& numbers) { *reinterpret_cast<Vector*>(to) = numbers; }

// The sum of 16 numbers, halves added to halves.
[[gnu::always_inline]] inline float sum_of(const Vector& numbers) {
  float sums[16];
  store(sums, numbers);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

// y = x @ w, or y += x @ w where not `anew`, for `rows` rows and `vectors` vectors of columns, held in registers over the
// whole inner axis.
template <int rows, int vectors, bool transposed, bool anew>
[[gnu::always_inline]] inline void product_tile(float* y, int64_t y_step, const float* x, int64_t x_step,
                                                const float* w, int64_t w_step, int64_t inner) {
  Vector sums[rows][vectors];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < vectors; ++j)
      sums[i][j] = anew ? Vector{} : *reinterpret_cast<const Vector*>(y + i * y_step + 16 * j);
  for (int64_t k = 0; k < inner; ++k)
    for (int j = 0; j < vectors; ++j) {
      const Vector weights = *reinterpret_cast<const Vector*>(w + k * w_step + 16 * j);
      for (int i = 0; i < rows; ++i) sums[i][j] += x[transposed ? k * x_step + i : i * x_step + k] * weights;
    }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < vectors; ++j) *reinterpret_cast<Vector*>(y + i * y_step + 16 * j) = sums[i][j];
}

// The same for any number of rows, at most `most` of them at a time.
template <int most, int vectors, bool transposed, bool anew>
[[gnu::always_inline]] inline void product_columns(float* y, int64_t y_step, const float* x, int64_t x_step,
                                                   const float* w, int64_t w_step, int64_t rows, int64_t inner) {
  int64_t i = 0;
  const auto tile = [&](auto count) __attribute__((always_inline)) {
    product_tile<count(), vectors, transposed, anew>(y + i * y_step, y_step, x + (transposed ? i : i * x_step), x_step,
                                                     w, w_step, inner);
    i += count();
  };
  while (i + most <= rows) tile(std::integral_constant<int, most>());
  while (i + 4 <= rows) tile(std::integral_constant<int, 4>());
  while (i + 2 <= rows) tile(std::integral_constant<int, 2>());
  if (i < rows) tile(std::integral_constant<int, 1>());
}

// Columns outside, so that those of w stay in the first cache for all rows.
template <bool transposed, bool anew>
[[gnu::always_inline]] inline void product_of(float* y, int64_t y_step, const float* x, int64_t x_step, const float* w,
                                              int64_t w_step, int64_t rows, int64_t inner, int64_t columns) {
  int64_t j = 0;
  for (; j + 64 <= columns; j += 64)
    product_columns<6, 4, transposed, anew>(y + j, y_step, x, x_step, w + j, w_step, rows, inner);
  for (; j + 32 <= columns; j += 32)
    product_columns<12, 2, transposed, anew>(y + j, y_step, x, x_step, w + j, w_step, rows, inner);
  for (; j + 16 <= columns; j += 16)
    product_columns<12, 1, transposed, anew>(y + j, y_step, x, x_step, w + j, w_step, rows, inner);
  if (j == columns) return;
  if (anew && columns >= 16) {  // the last 16 once more: some of them are written twice, with the same numbers
    j = columns - 16;
    return product_columns<12, 1, transposed, anew>(y + j, y_step, x, x_step, w + j, w_step, rows, inner);
  }
  for (int64_t i = 0; i < rows; ++i) {
    if (anew) std::fill(y + i * y_step + j, y + i * y_step + columns, 0.0f);
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t column = j; column < columns; ++column)
        y[i * y_step + column] += x[transposed ? k * x_step + i : i * x_step + k] * w[k * w_step + column];
  }
}

// y (rows, columns) += x (rows, inner) @ w (inner, columns), each with its step from one row to the next.
[[gnu::always_inline]] inline void accumulate_product(float* y, int64_t y_step, const float* x, int64_t x_step,
                                                      const float* w, int64_t w_step, int64_t rows, int64_t inner,
                                                      int64_t columns) {
  product_of<false, false>(y, y_step, x, x_step, w, w_step, rows, inner, columns);
}

// The same with x (inner, rows) transposed.
[[gnu::always_inline]] inline void accumulate_transposed_product(float* y, int64_t y_step, const float* x,
                                                                 int64_t x_step, const float* w, int64_t w_step,
                                                                 int64_t rows, int64_t inner, int64_t columns) {
  product_of<true, false>(y, y_step, x, x_step, w, w_step, rows, inner, columns);
}

// 16 rows of 16 numbers as columns: four times, each row and the one eight below it are interleaved.
[[gnu::always_inline]] inline void transpose_block(const float* from, int64_t from_step, float* to, int64_t to_step) {
  using Places = int32_t __attribute__((vector_size(64)));
  constexpr Places first{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  constexpr Places second = first + 8;
  Vector rows[2][16];
  for (int i = 0; i < 16; ++i) rows[0][i] = *reinterpret_cast<const Vector*>(from + i * from_step);
  for (int time = 0; time < 4; ++time)
    for (int i = 0; i < 8; ++i) {
      const Vector above = rows[time % 2][i], below = rows[time % 2][i + 8];
      rows[1 - time % 2][2 * i] = __builtin_shuffle(above, below, first);
      rows[1 - time % 2][2 * i + 1] = __builtin_shuffle(above, below, second);
    }
  for (int i = 0; i < 16; ++i) *reinterpret_cast<Vector*>(to + i * to_step) = rows[0][i];
}

// from (rows, columns), with its step from one row to the next, as (columns, rows).
[[gnu::always_inline]] inline void transpose(const float* from, int64_t step, int64_t rows, int64_t columns,
                                             float* to) {
  const int64_t whole_rows = rows / 16 * 16, whole_columns = columns / 16 * 16;
  for (int64_t i = 0; i < whole_rows; i += 16)
    for (int64_t j = 0; j < whole_columns; j += 16) transpose_block(from + i * step + j, step, to + j * rows + i, rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j) to[j * rows + i] = from[i * step + j];
}

// The largest of `count` numbers.
[[gnu::always_inline]] inline float largest_of(const float* x, int64_t count) {
  constexpr int64_t lanes = 16;
  float largest[lanes];
  for (int64_t lane = 0; lane < lanes; ++lane) largest[lane] = x[lane < count ? lane : 0];
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) largest[lane] = x[i + lane] > largest[lane] ? x[i + lane] : largest[lane];
  float result = largest[0];
  for (int64_t lane = 1; lane < lanes; ++lane) result = largest[lane] > result ? largest[lane] : result;
  for (; i < count; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

// Puts e to the power of each number less `largest` in its place; their sum.
[[gnu::always_inline]] inline float powers_and_sum(float* x, float largest, int64_t count) {
  constexpr int64_t lanes = 16;
  float sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      x[i + lane] = power_of_e(x[i + lane] - largest);
      sums[lane] += x[i + lane];
    }
  float sum = 0;
  for (; i < count; ++i) sum += x[i] = power_of_e(x[i] - largest);
  for (int64_t lane = 0; lane < lanes; ++lane) sum += sums[lane];
  return sum;
}

}  // namespace lamina
