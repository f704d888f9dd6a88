#include "plain_convolution.h"

#include <algorithm>

#include "processors.h"
#include "vectors.h"

namespace lamina {

namespace {

// Outputs that one thread computes: some rows of some samples, and some filters of one group.
struct Block {
  int64_t first_sample, last_sample, first_row, last_row, first_filter, last_filter;
};

// A product of pixels and filters for each place of the window; what it reads of the kernel stays in the cache for all
// pixels of the block.
LAMINA_EVERY_PROCESSOR
void convolve_block(const PlainConvolution& shapes, const Block& block, const float* x, const float* kernel, float* y) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t channels = shapes.channels, filters = shapes.filters, inner = channels / shapes.groups;
  const int64_t group = block.first_filter / (filters / shapes.groups), count = block.last_filter - block.first_filter;
  const auto output = [&](int64_t sample, int64_t row) __attribute__((always_inline)) {
    return y + (sample * rows.outputs + row) * columns.outputs * filters + block.first_filter;
  };
  for (int64_t sample = block.first_sample; sample < block.last_sample; ++sample)
    for (int64_t row = block.first_row; row < block.last_row; ++row)
      for (int64_t i = 0; i < columns.outputs; ++i) std::fill_n(output(sample, row) + i * filters, count, 0.0f);
  for (int64_t place = 0; place < rows.window * columns.window; ++place) {
    const int64_t row_place = place / columns.window, column_place = place % columns.window;
    const int64_t first = columns.first(column_place), last = columns.last(column_place);
    const float* weights = kernel + place * inner * filters + block.first_filter;
    for (int64_t sample = block.first_sample; sample < block.last_sample; ++sample)
      for (int64_t row = block.first_row; row < block.last_row; ++row) {
        const int64_t from_row = rows.input(row, row_place);
        if (from_row < 0 || from_row >= rows.inputs) continue;
        const int64_t pixel = (sample * rows.inputs + from_row) * columns.inputs + columns.input(first, column_place);
        accumulate_product(output(sample, row) + first * filters, filters, x + pixel * channels + group * inner,
                           columns.stride * channels, weights, filters, last - first, inner, count);
      }
  }
}

int64_t blocks(int64_t count, int64_t of_block) { return (count + of_block - 1) / of_block; }

}  // namespace

int64_t Axis::first(int64_t place) const {
  return std::min(outputs, std::max<int64_t>(0, low - place * dilation + stride - 1) / stride);
}

int64_t Axis::last(int64_t place) const {
  const int64_t room = inputs - 1 + low - place * dilation;
  return room < 0 ? 0 : std::min(outputs, room / stride + 1);
}

void PlainConvolution::run(const Team& team, const float* x, const float* kernel, float* y) const {
  constexpr int64_t most_filters = 64, most_pixels = 256;  // of a block
  const int64_t rows_of_block = std::clamp<int64_t>(most_pixels / columns.outputs, 1, rows.outputs);
  const int64_t samples_of_block = std::clamp<int64_t>(most_pixels / (rows.outputs * columns.outputs), 1, samples);
  const int64_t filters_of_group = filters / groups;
  const int64_t in_samples = blocks(samples, samples_of_block), in_rows = blocks(rows.outputs, rows_of_block);
  const int64_t in_filters = blocks(filters_of_group, most_filters);
  team.run(in_samples * in_rows * groups * in_filters, [&](int64_t part) {
    Block block;
    block.first_sample = part % in_samples * samples_of_block;
    block.last_sample = std::min(samples, block.first_sample + samples_of_block);
    part /= in_samples;
    block.first_row = part % in_rows * rows_of_block;
    block.last_row = std::min(rows.outputs, block.first_row + rows_of_block);
    part /= in_rows;
    const int64_t start = part / in_filters * filters_of_group;
    block.first_filter = start + part % in_filters * most_filters;
    block.last_filter = std::min(start + filters_of_group, block.first_filter + most_filters);
    convolve_block(*this, block, x, kernel, y);
  });
}

}  // namespace lamina
