#include <algorithm>

#include "own_loops.h"
#include "primitives.h"
#include "processors.h"
#include "vectors.h"

namespace lamina::few_channels {

namespace {

// The inputs of one row of outputs, all rows of the window side by side: (columns, window's rows, channels). So what the
// window covers at each output lies in one piece, and the next begins some columns on.
struct Strip {
  const Shapes& shapes;

  int64_t column() const { return shapes.rows.window * shapes.channels; }
  int64_t step() const { return shapes.columns.stride * column(); }
  int64_t columns() const { return (shapes.columns.outputs - 1) * shapes.columns.stride + shapes.columns.window; }
  int64_t size() const { return columns() * column(); }
  int64_t inner() const { return shapes.columns.window * column(); }

  void read(const float* sample, int64_t row, float* to) const {
    const int64_t channels = shapes.channels, low = shapes.columns.low;
    const int64_t last = std::min(columns(), shapes.columns.inputs + low);
    std::fill_n(to, size(), 0.0f);
    for (int64_t i = 0; i < shapes.rows.window; ++i) {
      const int64_t from_row = shapes.rows.input(row, i);
      if (from_row < 0 || from_row >= shapes.rows.inputs) continue;
      const float* from = sample + (from_row * shapes.columns.inputs - low) * channels;
      for (int64_t j = std::max<int64_t>(low, 0); j < last; ++j)
        for (int64_t channel = 0; channel < channels; ++channel)
          to[j * column() + i * channels + channel] = from[j * channels + channel];
    }
  }
};

// Calls `take` with the places of a window's number in a kernel as it is given (rows before columns) and as strips have it.
template <typename Take>
void each_place(const Shapes& shapes, Take&& take) {
  const int64_t rows = shapes.rows.window, columns = shapes.columns.window, channels = shapes.channels;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t channel = 0; channel < channels; ++channel)
        take((i * columns + j) * channels + channel, (j * rows + i) * channels + channel);
}

LAMINA_EVERY_PROCESSOR
void convolve_rows(const Strip& strip, int64_t first, int64_t last, const float* x, const float* weights, float* y) {
  const Shapes& shapes = strip.shapes;
  auto* numbers = reinterpret_cast<float*>(scratch(static_cast<size_t>(strip.size()) * sizeof(float), Memory::primitive));
  for (int64_t i = first; i < last; ++i) {
    strip.read(x + i / shapes.rows.outputs * shapes.inputs(), i % shapes.rows.outputs, numbers);
    product_of<false, true>(y + i * shapes.columns.outputs * shapes.filters, shapes.filters, numbers, strip.step(), weights,
                            shapes.filters, shapes.columns.outputs, strip.inner(), shapes.filters);
  }
}

LAMINA_EVERY_PROCESSOR
void add_kernel_gradient(const Strip& strip, int64_t first, int64_t last, const float* x, const float* dy, float* sums) {
  const Shapes& shapes = strip.shapes;
  auto* numbers = reinterpret_cast<float*>(scratch(static_cast<size_t>(strip.size()) * sizeof(float), Memory::primitive));
  for (int64_t i = first; i < last; ++i) {
    strip.read(x + i / shapes.rows.outputs * shapes.inputs(), i % shapes.rows.outputs, numbers);
    accumulate_transposed_product(sums, shapes.filters, numbers, strip.step(),
                                  dy + i * shapes.columns.outputs * shapes.filters, shapes.filters, strip.inner(),
                                  shapes.columns.outputs, shapes.filters);
  }
}

}  // namespace

bool fits(const Shapes& shapes) {
  const bool few = shapes.channels <= 4 && shapes.groups == 1 && shapes.filters >= 16;
  return few && shapes.columns.dilation == 1 && shapes.places() <= 128 && shapes.columns.outputs >= 6;
}

void convolve(const Shapes& shapes, const Team& team, const float* x, const float* kernel, float* y) {
  const Strip strip{shapes};
  float* weights = scratch_floats(strip.inner() * shapes.filters);
  each_place(shapes, [&](int64_t given, int64_t place) {
    std::copy_n(kernel + given * shapes.filters, shapes.filters, weights + place * shapes.filters);
  });
  team.run_ranges(shapes.samples * shapes.rows.outputs, [&](int64_t first, int64_t last) {
    convolve_rows(strip, first, last, x, weights, y);
  });
}

void kernel_gradient(const Shapes& shapes, const Team& team, const float* x, const float* dy, float* dkernel) {
  const Strip strip{shapes};
  const int64_t rows = shapes.samples * shapes.rows.outputs, size = strip.inner() * shapes.filters, parts = team.size();
  float* sums = scratch_floats(parts * size);
  team.run(parts, [&](int64_t part) {
    std::fill_n(sums + part * size, size, 0.0f);
    add_kernel_gradient(strip, rows * part / parts, rows * (part + 1) / parts, x, dy, sums + part * size);
  });
  each_place(shapes, [&](int64_t given, int64_t place) {
    for (int64_t filter = 0; filter < shapes.filters; ++filter) {
      float& sum = dkernel[given * shapes.filters + filter] = sums[place * shapes.filters + filter];
      for (int64_t part = 1; part < parts; ++part) sum += sums[part * size + place * shapes.filters + filter];
    }
  });
}

}  // namespace lamina::few_channels
