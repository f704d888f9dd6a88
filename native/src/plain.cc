#include <algorithm>

#include "own_loops.h"
#include "primitives.h"
#include "processors.h"
#include "vectors.h"

namespace lamina::plain {

namespace {

// Outputs that one thread computes: some rows of some samples, and some filters of one group.
struct Block {
  int64_t first_sample, last_sample, first_row, last_row, first_filter, last_filter;
};

// A product of pixels and filters for each place of the window; what it reads of the kernel stays in the cache for all
// pixels of the block.
LAMINA_EVERY_PROCESSOR
void convolve_block(const Shapes& shapes, const Block& block, const float* x, const float* kernel, float* y) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t channels = shapes.channels, filters = shapes.filters, inner = channels / shapes.groups;
  const int64_t group = block.first_filter / (filters / shapes.groups), count = block.last_filter - block.first_filter;
  const auto output = [&](int64_t sample, int64_t row) __attribute__((always_inline)) {
    return y + (sample * rows.outputs + row) * columns.outputs * filters + block.first_filter;
  };
  for (int64_t sample = block.first_sample; sample < block.last_sample; ++sample)
    for (int64_t row = block.first_row; row < block.last_row; ++row)
      for (int64_t i = 0; i < columns.outputs; ++i) std::fill_n(output(sample, row) + i * filters, count, 0.0f);
  for (int64_t place = 0; place < shapes.places(); ++place) {
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

// The gradients of one sample's inputs, for some channels of one group: each place of the window adds its product. The
// kernel is turned: (window, groups, filters of a group, channels of a group).
LAMINA_EVERY_PROCESSOR
void add_input_gradient(const Shapes& shapes, int64_t sample, int64_t group, int64_t channel, int64_t count,
                        const float* dy, const float* turned, float* dx) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t channels = shapes.channels, inner = channels / shapes.groups, outer = shapes.filters / shapes.groups;
  float* inputs = dx + sample * rows.inputs * columns.inputs * channels + group * inner + channel;
  for (int64_t pixel = 0; pixel < rows.inputs * columns.inputs; ++pixel) std::fill_n(inputs + pixel * channels, count, 0.0f);
  for (int64_t place = 0; place < shapes.places(); ++place) {
    const int64_t row_place = place / columns.window, column_place = place % columns.window;
    const int64_t first = columns.first(column_place), last = columns.last(column_place);
    const float* weights = turned + (place * shapes.groups + group) * outer * inner + channel;
    for (int64_t row = rows.first(row_place); row < rows.last(row_place); ++row) {
      const int64_t to = rows.input(row, row_place) * columns.inputs + columns.input(first, column_place);
      const int64_t from = (sample * rows.outputs + row) * columns.outputs + first;
      accumulate_product(inputs + to * channels, columns.stride * channels, dy + from * shapes.filters + group * outer,
                         shapes.filters, weights, inner, last - first, outer, count);
    }
  }
}

LAMINA_EVERY_PROCESSOR
void turn(const float* kernel, int64_t step, int64_t channels, int64_t filters, float* turned) {
  transpose(kernel, step, channels, filters, turned);
}

// The gradient of one place of the window, for some channels of one group: the product of what it sees, transposed, with
// that of the outputs.
LAMINA_EVERY_PROCESSOR
void kernel_gradient_at(const Shapes& shapes, int64_t place, int64_t group, int64_t channel, int64_t count,
                        const float* x, const float* dy, float* dkernel) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t channels = shapes.channels, inner = channels / shapes.groups, outer = shapes.filters / shapes.groups;
  float* seen = scratch_floats(shapes.pixels() * count);
  float* to = seen;
  for (int64_t sample = 0; sample < shapes.samples; ++sample)
    for (int64_t row = 0; row < rows.outputs; ++row)
      for (int64_t column = 0; column < columns.outputs; ++column, to += count) {
        const int64_t i = rows.input(row, place / columns.window), j = columns.input(column, place % columns.window);
        const bool inside = i >= 0 && i < rows.inputs && j >= 0 && j < columns.inputs;
        const float* from = x + ((sample * rows.inputs + i) * columns.inputs + j) * channels + group * inner + channel;
        if (inside) std::copy_n(from, count, to);
        else std::fill_n(to, count, 0.0f);
      }
  product_of<true, true>(dkernel + (place * inner + channel) * shapes.filters + group * outer, shapes.filters, seen, count,
                         dy + group * outer, shapes.filters, count, shapes.pixels(), outer);
}

int64_t blocks(int64_t count, int64_t of_block) { return (count + of_block - 1) / of_block; }

bool has(const Shapes& shapes, int64_t most_pixels) {
  const int64_t channels = shapes.channels / shapes.groups, filters = shapes.filters / shapes.groups;
  return channels >= 16 && filters >= 16 && shapes.pixels() <= most_pixels;
}

bool has_few_pixels(const Shapes& shapes) {
  return has(shapes, shapes.channels / shapes.groups * (shapes.filters / shapes.groups) >= 1 << 12 ? 256 : 128);
}

// Or so little work that a call of oneDNN takes longer; `read` channels are multiplied for each of the `written`.
bool has_little_work(const Shapes& shapes, int64_t read, int64_t written) {
  const int64_t products = shapes.pixels() * shapes.places() * read / shapes.groups * written;
  return written / shapes.groups >= 16 && products <= std::min<int64_t>(read / shapes.groups << 16, 1 << 19);
}

// Or one image, which the calls of oneDNN divide in as many parts as threads after a copy of the kernel by one of them.
bool is_one_image(const Shapes& shapes) {
  return shapes.samples == 1 && shapes.rows.outputs > 1 && has(shapes, 1024);
}

bool fits(const Shapes& shapes) {
  return has_few_pixels(shapes) || is_one_image(shapes) || has_little_work(shapes, shapes.channels, shapes.filters);
}

bool fits_input_gradient(const Shapes& shapes) {
  return has_few_pixels(shapes) || has_little_work(shapes, shapes.filters, shapes.channels);
}

bool fits_kernel_gradient(const Shapes& shapes) { return has(shapes, 1024); }

void convolve(const Shapes& shapes, const Team& team, const float* x, const float* kernel, float* y) {
  constexpr int64_t most_filters = 64, most_pixels = 256;  // of a block
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t samples_of_block = std::clamp<int64_t>(most_pixels / (rows.outputs * columns.outputs), 1, shapes.samples);
  const int64_t filters_of_group = shapes.filters / shapes.groups;
  const int64_t in_samples = blocks(shapes.samples, samples_of_block), in_filters = blocks(filters_of_group, most_filters);
  // Some rows for each thread where there are fewer blocks than threads.
  const int64_t fair = blocks(rows.outputs, blocks(team.size(), in_samples * in_filters * shapes.groups));
  const int64_t rows_of_block = std::clamp<int64_t>(most_pixels / columns.outputs, 1, fair);
  const int64_t in_rows = blocks(rows.outputs, rows_of_block);
  team.run(in_samples * in_rows * shapes.groups * in_filters, [&](int64_t part) {
    Block block;
    block.first_sample = part % in_samples * samples_of_block;
    block.last_sample = std::min(shapes.samples, block.first_sample + samples_of_block);
    part /= in_samples;
    block.first_row = part % in_rows * rows_of_block;
    block.last_row = std::min(rows.outputs, block.first_row + rows_of_block);
    part /= in_rows;
    const int64_t start = part / in_filters * filters_of_group;
    block.first_filter = start + part % in_filters * most_filters;
    block.last_filter = std::min(start + filters_of_group, block.first_filter + most_filters);
    convolve_block(shapes, block, x, kernel, y);
  });
}

// Calls `body(place or sample, group, first channel, count of channels)` for `count` places or samples, 64 channels at a
// time.
template <typename Body>
void each_part(const Shapes& shapes, const Team& team, int64_t count, Body&& body) {
  const int64_t inner = shapes.channels / shapes.groups, in_channels = blocks(inner, 64);
  team.run(count * shapes.groups * in_channels, [&](int64_t part) {
    const int64_t channel = part % in_channels * 64, group = part / in_channels % shapes.groups;
    body(part / in_channels / shapes.groups, group, channel, std::min<int64_t>(64, inner - channel));
  });
}

void input_gradient(const Shapes& shapes, const Team& team, const float* dy, const float* kernel, float* dx) {
  const int64_t groups = shapes.groups, inner = shapes.channels / groups, outer = shapes.filters / groups;
  float* turned = scratch_floats(shapes.places() * groups * inner * outer);
  team.run(shapes.places(), [&](int64_t place) {
    for (int64_t group = 0; group < groups; ++group)
      turn(kernel + place * inner * shapes.filters + group * outer, shapes.filters, inner, outer,
           turned + (place * groups + group) * outer * inner);
  });
  each_part(shapes, team, shapes.samples, [&](int64_t sample, int64_t group, int64_t channel, int64_t count) {
    add_input_gradient(shapes, sample, group, channel, count, dy, turned, dx);
  });
}

void kernel_gradient(const Shapes& shapes, const Team& team, const float* x, const float* dy, float* dkernel) {
  each_part(shapes, team, shapes.places(), [&](int64_t place, int64_t group, int64_t channel, int64_t count) {
    kernel_gradient_at(shapes, place, group, channel, count, x, dy, dkernel);
  });
}

}  // namespace

const Way way{fits, fits_input_gradient, fits_kernel_gradient, convolve, input_gradient, kernel_gradient};

}  // namespace lamina::plain
