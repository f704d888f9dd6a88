// Rows of an array: copied one after the other, added to, and added up.
#include <algorithm>
#include <cstring>
#include <vector>

#include "calls.h"
#include "processors.h"

namespace lamina {

namespace {

using Numbers = ffi::Buffer<ffi::DataType::S32>;

// Numbers that are too large or too small stand for the last row and the first; with `fill`, those below zero count
// from the end, and what is still out of range gives rows of set bits: not-a-number, in types that have it.
ffi::Error take_rows(ffi::ThreadPool, ffi::AnyBuffer x, Numbers rows, ffi::Result<ffi::AnyBuffer> y, int64_t fill) {
  return guarded([&] {
    const int64_t count = x.dimensions()[0];
    const size_t size = x.size_bytes() / static_cast<size_t>(count);
    const auto* from = static_cast<const std::byte*>(x.untyped_data());
    auto* to = static_cast<std::byte*>(y->untyped_data());
    for (size_t i = 0; i < rows.element_count(); ++i, to += size) {
      int64_t row = rows.typed_data()[i];
      if (fill && row < 0) row += count;
      if (fill && (row < 0 || row >= count))
        std::memset(to, 0xff, size);
      else
        std::memcpy(to, from + static_cast<size_t>(std::clamp<int64_t>(row, 0, count - 1)) * size, size);
    }
  });
}

// y[first] to y[last]: zeros, and the values of the numbers that point there.
LAMINA_EVERY_PROCESSOR
void add_to_range(const float* values, const int32_t* rows, int64_t numbers, int64_t count, int64_t width, float* y,
                  int64_t first, int64_t last) {
  std::fill(y + first * width, y + last * width, 0.0f);
  for (int64_t i = 0; i < numbers; ++i) {
    const int64_t row = rows[i] < 0 ? rows[i] + count : rows[i];
    if (row < first || row >= last) continue;
    float* __restrict to = y + row * width;
    const float* __restrict from = values + i * width;
    for (int64_t j = 0; j < width; ++j) to[j] += from[j];
  }
}

// The gradient of `take_rows` with `fill`. Each thread has rows of its own.
ffi::Error add_rows(ffi::ThreadPool threads, ffi::AnyBuffer values, Numbers rows, ffi::Result<ffi::AnyBuffer> y) {
  return guarded([&] {
    const int64_t count = y->dimensions()[0], width = y->dimensions()[1];
    const auto numbers = static_cast<int64_t>(rows.element_count());
    const float* from = floats(values);
    float* to = floats(y);
    const Team team(threads, 10.0 * static_cast<double>(count * width + numbers * width));
    team.run_ranges(count, [&](int64_t first, int64_t last) {
      add_to_range(from, rows.typed_data(), numbers, count, width, to, first, last);
    });
  });
}

// y = the sum of `rows` rows, in pieces, so that many small numbers are not added to a large one.
LAMINA_EVERY_PROCESSOR
void sum_up(const float* x, int64_t rows, int64_t width, float* __restrict y) {
  constexpr int64_t piece = 256, side = 64;
  std::fill(y, y + width, 0.0f);
  for (int64_t first = 0; first < rows; first += piece) {
    const int64_t count = std::min(piece, rows - first);
    const float* from = x + first * width;
    int64_t column = 0;
    for (; column + side <= width; column += side) {
      float sums[side] = {};
      for (int64_t row = 0; row < count; ++row)
        for (int64_t j = 0; j < side; ++j) sums[j] += from[row * width + column + j];
      for (int64_t j = 0; j < side; ++j) y[column + j] += sums[j];
    }
    float sums[side] = {};
    const int64_t rest = width - column;
    for (int64_t row = 0; row < count; ++row)
      for (int64_t j = 0; j < rest; ++j) sums[j] += from[row * width + column + j];
    for (int64_t j = 0; j < rest; ++j) y[column + j] += sums[j];
  }
}

// Each thread has rows of its own, and sums of its own.
ffi::Error sum_rows(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y) {
  return guarded([&] {
    const int64_t rows = x.dimensions()[0], width = x.dimensions()[1];
    const Team team(threads, 20.0 * static_cast<double>(rows * width));
    const int64_t parts = std::min<int64_t>(team.size(), rows);
    std::vector<float> sums(static_cast<size_t>(parts * width));
    team.run(parts, [&](int64_t part) {
      const int64_t first = rows * part / parts, end = rows * (part + 1) / parts;
      sum_up(floats(x) + first * width, end - first, width, sums.data() + part * width);
    });
    sum_up(sums.data(), parts, width, floats(y));
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_take_rows, lamina::take_rows,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::Buffer<xla::ffi::DataType::S32>>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("fill"));

LAMINA_HANDLER(lamina_add_rows, lamina::add_rows,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::Buffer<xla::ffi::DataType::S32>>()
                   .Ret<xla::ffi::AnyBuffer>());

LAMINA_HANDLER(lamina_sum_rows, lamina::sum_rows,
               LAMINA_BIND.Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>());
