// Matrix products, either side transposed, with bias and activation.
#include <immintrin.h>

#include <algorithm>
#include <type_traits>

#include "activations.h"
#include "calls.h"
#include "own_loops.h"
#include "processors.h"
#include "vectors.h"

namespace lamina {

namespace {

// A matrix of rows and columns within one whose rows (or columns, where it is kept transposed) are `step` apart.
Desc matrix(int64_t rows, int64_t columns, Type type, int64_t step, bool transposed) {
  return Desc({rows, columns}, type, transposed ? Dims{1, step} : Dims{step, 1});
}

struct Product {
  Type type;
  int64_t rows, inner, columns;
  int64_t x_step, w_step, y_step;  // from one row, or column where transposed, to the next
  bool transpose_x, transpose_w, has_bias;
  int64_t activation;

  static constexpr int64_t few = 16384;  // results so few that the sums of several threads are soon added

  // Whether our own loops are as fast as oneDNN's program, and ready without one being made: where they hold their sums
  // in 32 registers of 16 numbers, and what they read again stays in the second cache.
  bool is_plain() const {
    const int64_t weights = inner * columns;
    const bool small = transpose_w ? weights <= 1 << 14 : inner <= 1024 || weights <= 1 << 19 || rows * columns <= few;
    return has_avx512() && small && type == Type::f32 && !has_bias && activation == 0;
  }

  // In how many parts the sums of a small result may be cut, one for each thread.
  int64_t parts_of_sums(const Team& team) const {
    return transpose_w || rows * columns > few ? 1 : std::clamp<int64_t>(inner / 256, 1, team.size());
  }

  std::shared_ptr<const Plan> plan() const {
    const Key key{4,      static_cast<int64_t>(type), rows,        inner,       columns,  x_step,
                  w_step, y_step,                     transpose_x, transpose_w, has_bias, activation};
    return Plans::shared().get(key, [&] {
      const Desc from = matrix(rows, inner, type, x_step, transpose_x);
      const Desc weights = matrix(inner, columns, type, w_step, transpose_w);
      const Desc to = matrix(rows, columns, type, y_step, false);
      const Desc bias = has_bias ? matrix(1, columns, type, columns, false) : Desc();
      dnnl::primitive_attr attributes = lamina::attributes();
      attributes.set_post_ops(activations(activation));
      const dnnl::matmul::primitive_desc how(engine(), from, weights, bias, to, attributes);
      std::vector<Operand> inputs{{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, weights}};
      if (has_bias) inputs.push_back({DNNL_ARG_BIAS, bias});
      return Plan(dnnl::matmul(how), how.scratchpad_desc(), inputs, {{DNNL_ARG_DST, to}});
    });
  }
};

void multiply_few_columns(const Product& of, const float* x, const float* w, float* y);

// y = x @ w for a plain product.
LAMINA_EVERY_PROCESSOR void multiply_plain(const Product& of, const float* x, const float* w, float* y) {
  if (of.columns < 16) return multiply_few_columns(of, x, w, y);
  int64_t w_step = of.w_step;
  if (of.transpose_w) {
    float* turned = scratch_floats(of.inner * of.columns);
    transpose(w, w_step, of.columns, of.inner, turned);
    w = turned;
    w_step = of.columns;
  }
  const auto add = [&](auto anew, int64_t first, int64_t last) __attribute__((always_inline)) {
    const float* from = x + first * (of.transpose_x ? of.x_step : 1);
    if (of.transpose_x)
      product_of<true, anew()>(y, of.y_step, from, of.x_step, w + first * w_step, w_step, of.rows, last - first,
                               of.columns);
    else
      product_of<false, anew()>(y, of.y_step, from, of.x_step, w + first * w_step, w_step, of.rows, last - first,
                                of.columns);
  };
  constexpr int64_t most = 512;  // of a sum at a time: what is read again stays in the second cache
  add(std::true_type(), 0, std::min(most, of.inner));
  for (int64_t first = most; first < of.inner; first += most)
    add(std::false_type(), first, std::min(first + most, of.inner));
}

// The same for a row or few, which a copy of w would take longer than: columns that are not there are not read.
LAMINA_AVX512 void multiply_few_rows(const Product& of, const float* x, const float* w, float* y) {
  constexpr int64_t sums = 4;  // of one row, as an addition waits for the one before
  const auto here = static_cast<__mmask16>((1 << of.columns) - 1);
  const int64_t row_step = of.transpose_x ? 1 : of.x_step, step = of.transpose_x ? of.x_step : 1;
  for (int64_t row = 0; row < of.rows; ++row) {
    const float* from = x + row * row_step;
    __m512 sum[sums] = {};
    for (int64_t first = 0; first < of.inner; first += sums)
      for (int64_t i = 0; i < sums; ++i)
        if (const int64_t k = first + i; k < of.inner)
          sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(from[k * step]), _mm512_maskz_loadu_ps(here, w + k * of.w_step), sum[i]);
    _mm512_mask_storeu_ps(y + row * of.y_step, here, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
}

// The same with columns of zeros beside those of w, up to 16.
void multiply_few_columns(const Product& of, const float* x, const float* w, float* y) {
  if (of.rows <= 8 && !of.transpose_w) return multiply_few_rows(of, x, w, y);
  Product wide = of;
  wide.columns = wide.w_step = wide.y_step = 16;
  wide.transpose_w = false;
  constexpr int64_t most = 96;  // rows at a time: their results stay in the first cache
  float* weights = scratch_floats((of.inner + most) * 16, Memory::primitive);
  float* results = weights + of.inner * 16;
  std::fill(weights, results, 0.0f);
  for (int64_t k = 0; k < of.inner; ++k)
    for (int64_t j = 0; j < of.columns; ++j)
      weights[k * 16 + j] = w[of.transpose_w ? j * of.w_step + k : k * of.w_step + j];
  for (int64_t first = 0; first < of.rows; first += most) {
    wide.rows = std::min(most, of.rows - first);
    multiply_plain(wide, x + first * (of.transpose_x ? 1 : of.x_step), weights, results);
    for (int64_t i = 0; i < wide.rows; ++i) std::copy_n(results + i * 16, of.columns, y + (first + i) * of.y_step);
  }
}

// The same, each thread with a part of the sums.
void multiply_in_parts(const Product& whole, int64_t parts, const Team& team, const float* x, const float* w,
                       float* y) {
  const int64_t size = whole.rows * whole.columns;
  float* sums = scratch_floats((parts - 1) * size);
  team.run(parts, [&](int64_t i) {
    const int64_t first = whole.inner * i / parts;
    Product part = whole;
    part.inner = whole.inner * (i + 1) / parts - first;
    multiply_plain(part, x + first * (whole.transpose_x ? whole.x_step : 1), w + first * whole.w_step,
                   i == 0 ? y : sums + (i - 1) * size);
  });
  for (int64_t part = 1; part < parts; ++part)
    for (int64_t i = 0; i < size; ++i) y[i] += sums[(part - 1) * size + i];
}

ffi::Error multiply(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::AnyBuffer w, ffi::RemainingArgs rest,
                    ffi::Result<ffi::AnyBuffer> y, int64_t transpose_x, int64_t transpose_w, int64_t activation) {
  return guarded([&] {
    const int64_t rows = y->dimensions().front(), columns = y->dimensions().back();
    const int64_t inner = x.dimensions()[transpose_x ? 0 : 1];
    const Team team(threads, 2.0 * static_cast<double>(rows * columns) * static_cast<double>(inner));
    const Product whole{type_of(x),
                        rows,
                        inner,
                        columns,
                        transpose_x ? rows : inner,
                        transpose_w ? inner : columns,
                        columns,
                        transpose_x != 0,
                        transpose_w != 0,
                        rest.size() == 1,
                        activation};
    const std::byte* bias =
        whole.has_bias ? static_cast<const std::byte*>(rest.get<ffi::AnyBuffer>(0).value().untyped_data()) : nullptr;
    if (const int64_t parts = whole.is_plain() ? whole.parts_of_sums(team) : 1; parts > 1)
      return multiply_in_parts(whole, parts, team, floats(x), floats(w), floats(y));
    const auto run = [&](const Product& part, int64_t row, int64_t column) {
      std::vector<const void*> inputs{at(x, transpose_x ? row : row * inner),
                                      at(w, transpose_w ? column * inner : column)};
      if (part.is_plain())
        return multiply_plain(part, static_cast<const float*>(inputs[0]), static_cast<const float*>(inputs[1]),
                              reinterpret_cast<float*>(at(y, row * columns + column)));
      if (bias) inputs.push_back(bias + static_cast<size_t>(column) * ffi::ByteWidth(x.element_type()));
      part.plan()->run(inputs, {at(y, row * columns + column)});
    };
    // The longer side of the result is cut, so that the threads read as little as possible twice.
    const int64_t side = std::max(rows, columns), parts = team.size() == 1 ? 1 : std::clamp<int64_t>(side / 16, 1, 4);
    team.run(parts, [&](int64_t i) {
      const int64_t first = side * i / parts, last = side * (i + 1) / parts;
      Product part = whole;
      (rows < columns ? part.columns : part.rows) = last - first;
      run(part, rows < columns ? 0 : first, rows < columns ? first : 0);
    });
  });
}

}  // namespace

LAMINA_EVERY_PROCESSOR
void plain::product(const Rows& of, int64_t columns, const float* x, const float* w, float* y) {
  if (of.outer == 1 && of.parts == 1) {
    return multiply_plain(
        {Type::f32, of.rows, of.inner, columns, of.row_step, columns, columns, false, false, false, 0}, x, w, y);
  }
  for (int64_t i = 0; i < of.outer; ++i)
    for (int64_t part = 0; part < of.parts; ++part) {
      const float *from = x + i * of.outer_step + part * of.part_step, *weights = w + part * of.inner * columns;
      float* to = y + i * of.rows * columns;
      if (part == 0) product_of<false, true>(to, columns, from, of.row_step, weights, columns, of.rows, of.inner, columns);
      else product_of<false, false>(to, columns, from, of.row_step, weights, columns, of.rows, of.inner, columns);
    }
}

LAMINA_EVERY_PROCESSOR
void plain::dots(const Rows& of, int64_t columns, const float* x, const float* w, float* y) {
  const int64_t whole = of.inner / 16 * 16;
  // Some rows at a time, as an addition waits for the one before.
  const auto rows_from = [&](auto count, const float* first, const float* weights, float* to) __attribute__((always_inline)) {
    Vector sums[count()] = {};
    float rest[count()] = {};
    for (int64_t part = 0; part < of.parts; ++part, weights += of.inner) {
      const float* from = first + part * of.part_step;
      for (int64_t k = 0; k < whole; k += 16)
        for (int i = 0; i < count(); ++i) sums[i] += load(from + i * of.row_step + k) * load(weights + k);
      for (int64_t k = whole; k < of.inner; ++k)
        for (int i = 0; i < count(); ++i) rest[i] += from[i * of.row_step + k] * weights[k];
    }
    for (int i = 0; i < count(); ++i) to[i * columns] = rest[i] + sum_of(sums[i]);
  };
  for (int64_t i = 0; i < of.outer; ++i)
    for (int64_t column = 0; column < columns; ++column) {
      const float *from = x + i * of.outer_step, *weights = w + column * of.parts * of.inner;
      float* to = y + i * of.rows * columns + column;
      int64_t row = 0;
      for (; row + 8 <= of.rows; row += 8)
        rows_from(std::integral_constant<int, 8>(), from + row * of.row_step, weights, to + row * columns);
      for (; row < of.rows; ++row)
        rows_from(std::integral_constant<int, 1>(), from + row * of.row_step, weights, to + row * columns);
    }
}

}  // namespace lamina

LAMINA_HANDLER(lamina_matmul, lamina::multiply,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("transpose_x")
                   .Attr<int64_t>("transpose_w")
                   .Attr<int64_t>("activation"));
