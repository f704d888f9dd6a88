#include <algorithm>
#include <type_traits>

#include "own_loops.h"
#include "primitives.h"
#include "processors.h"
#include "vectors.h"

namespace lamina::winograd {

namespace {

// Floats that stay in the second cache beside all else.
constexpr int64_t of_second_cache = 160 * 1024;

// The polynomials are evaluated at 0, 1, -1, 1/2, -2 and infinity: of such six points these lose the fewest digits.
constexpr int points = 6, values = points * points, infinity = points - 1;
constexpr float powers[infinity][5] = {
    {1, 0, 0, 0, 0}, {1, 1, 1, 1, 1}, {1, -1, 1, -1, 1}, {1, .5, .25, .125, .0625}, {1, -2, 4, -8, 16},
};
constexpr float scales[infinity] = {1, 1 / 3.0f, -1 / 3.0f, -16 / 15.0f, 1 / 15.0f};

// What a tap of the window counts at a point; at infinity the last tap alone does.
constexpr float weight(int point, int tap, int window) {
  if (point == infinity) return tap == window - 1 ? 1.0f : 0.0f;
  return powers[point][tap] * scales[point];
}

// Six numbers in a row, each against the polynomial that is zero at all points but one.
[[gnu::always_inline]] inline void input_values(const Vector* x, int64_t step, Vector* to) {
  const Vector x1 = x[step], x2 = x[2 * step], x3 = x[3 * step];
  const Vector even = x[4 * step] - x2, odd = x3 - x1;
  to[0] = even + 1.5f * odd + (x[0] - x2);
  to[1] = even + odd + 1.5f * (x2 + x3);
  to[2] = even - odd + 1.5f * (x3 - x2);
  to[3] = even + 2.0f * odd;
  to[4] = even - 0.5f * odd;
  to[5] = 1.5f * even - odd + (x[5 * step] - x3);
}

// `size` outputs from the products at the points.
template <int size>
[[gnu::always_inline]] inline void outputs_of(const Vector* x, int64_t step, Vector* to) {
  const Vector sum = x[step] + x[2 * step], difference = x[step] - x[2 * step], half = x[3 * step], two = x[4 * step];
  for (int degree = 0; degree < size; ++degree) {
    Vector total = degree % 2 == 0 ? sum : difference;
    total += powers[3][degree] * half;
    total += powers[4][degree] * two;
    if (degree == 0) total += x[0];
    if (degree == size - 1) total += x[5 * step];
    to[degree] = total;
  }
}

// The transpose of `outputs_of`.
template <int size>
[[gnu::always_inline]] inline void gradient_values(const Vector* x, int64_t step, Vector* to) {
  Vector even{}, odd{}, half{}, two{};
  for (int degree = 0; degree < size; ++degree) {
    const Vector number = x[degree * step];
    (degree % 2 == 0 ? even : odd) += number;
    half += powers[3][degree] * number;
    two += powers[4][degree] * number;
  }
  to[0] = x[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = half;
  to[4] = two;
  to[5] = x[(size - 1) * step];
}

// A side of the convolution: inputs or outputs. Where the window moves by strides, pixels whose places are equal modulo
// the stride are one phase, which is taken for more channels.
struct Line {
  int64_t size, stride, low;

  // The pixel at that place of a phase, or -1 outside.
  int64_t pixel(int64_t place, int64_t phase) const {
    const int64_t pixel = place * stride + phase - low;
    return pixel < size ? std::max<int64_t>(pixel, -1) : -1;
  }
};

struct Image {
  int64_t channels, stride;
  Line rows, columns;

  int64_t phases() const { return stride * stride; }
  int64_t depth() const { return phases() * channels; }

  // Where the numbers of the tile's pixels lie, `other` for pixels outside.
  template <int size, typename Float>
  void find(Float* image, Float* other, int64_t sample, int64_t row, int64_t column, int64_t phase, Float** at) const {
    int64_t of_column[size];
    for (int64_t j = 0; j < size; ++j) of_column[j] = columns.pixel(column + j, phase % stride);
    for (int64_t i = 0; i < size; ++i) {
      const int64_t of_row = rows.pixel(row + i, phase / stride);
      Float* start = image + (sample * rows.size + of_row) * columns.size * channels;
      for (int64_t j = 0; j < size; ++j)
        at[i * size + j] = of_row < 0 || of_column[j] < 0 ? other : start + of_column[j] * channels;
    }
  }
};

// Tiles of 6x6 inputs, each with as many outputs as the window leaves.
struct Tiles {
  Image from, to;
  int64_t samples, in_rows, in_columns;
  int window;

  int outputs() const { return points + 1 - window; }
  int64_t count() const { return samples * in_rows * in_columns; }

  // From one value of the kernel to the next: one line of the cache more, as powers of 2 share a place.
  int64_t weights_step() const { return from.depth() * to.depth() + 16; }

  // How many are computed at a time: what `floats` hold.
  int64_t of_block(int64_t floats) const {
    return std::clamp<int64_t>(floats / (values * (from.depth() + to.depth())) / 6 * 6, 12, 96);
  }
};

Tiles tiles_of(const Shapes& shapes, bool backward) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t stride = rows.stride, window = (rows.window + stride - 1) / stride, outputs = points + 1 - window;
  Tiles tiles;
  tiles.samples = shapes.samples;
  tiles.window = static_cast<int>(window);
  Image inputs{shapes.channels, stride, {rows.inputs, stride, rows.low}, {columns.inputs, stride, columns.low}};
  Image results{shapes.filters, 1, {rows.outputs, 1, 0}, {columns.outputs, 1, 0}};
  int64_t height = rows.outputs, width = columns.outputs;
  if (backward) {
    // The window reversed moves over the gradients of the outputs, and starts where it touches the first input.
    const auto turn = [&](Line& line, Line& result) {
      const int64_t first = line.low / stride;
      result.low = window - 1 - first;
      line.low -= first * stride;
      return (line.size + line.low + stride - 1) / stride;
    };
    height = turn(inputs.rows, results.rows);
    width = turn(inputs.columns, results.columns);
    std::swap(inputs, results);
  }
  tiles.from = inputs;
  tiles.to = results;
  tiles.in_rows = (height + outputs - 1) / outputs;
  tiles.in_columns = (width + outputs - 1) / outputs;
  return tiles;
}

// Calls `body` with each tile of a block: its place there, its sample, and its first row and column of outputs.
template <typename Body>
[[gnu::always_inline]] inline void each_tile(const Tiles& tiles, int64_t first, int64_t last, Body&& body) {
  for (int64_t tile = first; tile < last; ++tile) {
    const int64_t column = tile % tiles.in_columns, row = tile / tiles.in_columns % tiles.in_rows;
    body(tile - first, tile / tiles.in_columns / tiles.in_rows, row * tiles.outputs(), column * tiles.outputs());
  }
}

// `along` over both axes of a tile, one after the other: `from` reads its numbers, `to` writes those that come of it.
template <int before, int after, typename Along, typename From, typename To>
[[gnu::always_inline]] inline void both_axes(Along&& along, From&& from, To&& to) {
  Vector tile[before * after];
  for (int i = 0; i < before; ++i) {
    Vector row[before];
    for (int j = 0; j < before; ++j) row[j] = from(i * before + j);
    along(row, 1, tile + i * after);
  }
  for (int j = 0; j < after; ++j) {
    Vector column[after];
    along(tile + j, after, column);
    for (int i = 0; i < after; ++i) to(i * after + j, column[i]);
  }
}

// The memory of a block: values of the two sides, then pixels outside of the image.
struct Block {
  int64_t from_step, to_step;  // from one value to the next, as `weights_step`
  float *from, *to, *outside;

  Block(const Tiles& tiles, int64_t count)
      : from_step(count * tiles.from.depth() + 16), to_step(count * tiles.to.depth() + 16) {
    const int64_t widest = std::max(tiles.from.channels, tiles.to.channels);
    const int64_t size = values * (from_step + to_step) + widest;
    from = scratch_floats(size, Memory::primitive);
    to = from + values * from_step;
    outside = to + values * to_step;
    std::fill_n(outside, widest, 0.0f);
  }
};

// Values of the inputs of a block's tiles.
[[gnu::always_inline]] inline void read_inputs(const Tiles& tiles, int64_t first, int64_t last, const float* x,
                                               const Block& block) {
  each_tile(tiles, first, last, [&](int64_t place, int64_t sample, int64_t row, int64_t column)
      __attribute__((always_inline)) {
        const Image& image = tiles.from;
        for (int64_t phase = 0; phase < image.phases(); ++phase) {
          const float* at[values];
          image.find<points>(x, static_cast<const float*>(block.outside), sample, row, column, phase, at);
          float* to = block.from + place * image.depth() + phase * image.channels;
          for (int64_t channel = 0; channel < image.channels; channel += 16)
            both_axes<points, points>(
                input_values, [&](int i) -> const Vector& { return load(at[i] + channel); },
                [&](int i, const Vector& numbers) { store(to + i * block.from_step + channel, numbers); });
        }
      });
}

template <int window>
[[gnu::always_inline]] inline void write_outputs(const Tiles& tiles, int64_t first, int64_t last, float* y,
                                                 const Block& block) {
  constexpr int outputs = points + 1 - window;
  each_tile(tiles, first, last, [&](int64_t place, int64_t sample, int64_t row, int64_t column)
      __attribute__((always_inline)) {
        const Image& image = tiles.to;
        for (int64_t phase = 0; phase < image.phases(); ++phase) {
          float* at[outputs * outputs];
          image.find<outputs>(y, block.outside, sample, row, column, phase, at);
          const float* from = block.to + place * image.depth() + phase * image.channels;
          for (int64_t channel = 0; channel < image.channels; channel += 16)
            both_axes<points, outputs>(
                outputs_of<outputs>,
                [&](int i) -> const Vector& { return load(from + i * block.to_step + channel); },
                [&](int i, const Vector& numbers) { store(at[i] + channel, numbers); });
        }
      });
}

// Values of the gradients of the outputs, of which there is one phase.
template <int window>
[[gnu::always_inline]] inline void read_gradients(const Tiles& tiles, int64_t first, int64_t last, const float* dy,
                                                  const Block& block) {
  constexpr int outputs = points + 1 - window;
  each_tile(tiles, first, last, [&](int64_t place, int64_t sample, int64_t row, int64_t column)
      __attribute__((always_inline)) {
        const Image& image = tiles.to;
        const float* at[outputs * outputs];
        image.find<outputs>(dy, static_cast<const float*>(block.outside), sample, row, column, 0, at);
        float* to = block.to + place * image.channels;
        for (int64_t channel = 0; channel < image.channels; channel += 16)
          both_axes<outputs, points>(
              gradient_values<outputs>, [&](int i) -> const Vector& { return load(at[i] + channel); },
              [&](int i, const Vector& numbers) { store(to + i * block.to_step + channel, numbers); });
      });
}

// Calls `body` with the window as a constant.
template <typename Body>
[[gnu::always_inline]] inline void with_window(int window, Body&& body) {
  switch (window) {
    case 2: return body(std::integral_constant<int, 2>());
    case 3: return body(std::integral_constant<int, 3>());
    case 4: return body(std::integral_constant<int, 4>());
    default: return body(std::integral_constant<int, 5>());
  }
}

LAMINA_EVERY_PROCESSOR
void convolve_block(const Tiles& tiles, int64_t first, int64_t last, const float* x, const float* weights, float* y) {
  const Block block(tiles, last - first);
  const int64_t in = tiles.from.depth(), out = tiles.to.depth();
  read_inputs(tiles, first, last, x, block);
  for (int i = 0; i < values; ++i)
    product_of<false, true>(block.to + i * block.to_step, out, block.from + i * block.from_step, in,
                            weights + i * tiles.weights_step(), out, last - first, in, out);
  with_window(tiles.window, [&](auto window) __attribute__((always_inline)) {
    write_outputs<window()>(tiles, first, last, y, block);
  });
}

LAMINA_EVERY_PROCESSOR
void add_gradient(const Tiles& tiles, int64_t first, int64_t last, const float* x, const float* dy, float* sums) {
  const Block block(tiles, last - first);
  const int64_t in = tiles.from.depth(), out = tiles.to.depth();
  read_inputs(tiles, first, last, x, block);
  with_window(tiles.window, [&](auto window) __attribute__((always_inline)) {
    read_gradients<window()>(tiles, first, last, dy, block);
  });
  for (int i = 0; i < values; ++i)
    accumulate_transposed_product(sums + i * tiles.weights_step(), out, block.from + i * block.from_step, in,
                                  block.to + i * block.to_step, out, in, last - first, out);
}

// The window of a phase and 16 filters, as the kernel has it: zeros where the phase has fewer taps.
struct Taps {
  const Shapes& shapes;
  int64_t phase;

  int64_t row(int64_t i) const { return i * shapes.rows.stride + phase / shapes.rows.stride; }
  int64_t column(int64_t j) const { return j * shapes.rows.stride + phase % shapes.rows.stride; }
  bool has(int64_t i, int64_t j) const { return row(i) < shapes.rows.window && column(j) < shapes.columns.window; }
  int64_t at(int64_t i, int64_t j, int64_t channel, int64_t filter) const {
    return ((row(i) * shapes.columns.window + column(j)) * shapes.channels + channel) * shapes.filters + filter;
  }
};

template <int window>
[[gnu::always_inline]] inline void kernel_values(const Taps& taps, const float* kernel, bool reversed, int64_t channel,
                                                 int64_t filter, float* to, int64_t step) {
  Vector lines[window][points] = {};
  for (int i = 0; i < window; ++i)
    for (int j = 0; j < window; ++j) {
      const int row = reversed ? window - 1 - i : i, column = reversed ? window - 1 - j : j;
      if (!taps.has(row, column)) continue;
      const Vector tap = load(kernel + taps.at(row, column, channel, filter));
      for (int point = 0; point < points; ++point) lines[i][point] += weight(point, j, window) * tap;
    }
  for (int first = 0; first < points; ++first)
    for (int second = 0; second < points; ++second) {
      Vector value{};
      for (int i = 0; i < window; ++i) value += weight(first, i, window) * lines[i][second];
      store(to + (first * points + second) * step, value);
    }
}

// Values of the kernel (values, phases * channels, filters), or with the last two axes swapped and the window reversed.
LAMINA_EVERY_PROCESSOR
void read_kernel(const Shapes& shapes, const Tiles& tiles, bool backward, int64_t first, int64_t last,
                 const float* kernel, float* to) {
  const int64_t channels = shapes.channels, filters = shapes.filters, phases = shapes.rows.stride * shapes.rows.stride;
  const int64_t step = tiles.weights_step();
  alignas(64) float turned[values * 256];
  with_window(tiles.window, [&](auto size) __attribute__((always_inline)) {
    for (int64_t phase = 0; phase < phases; ++phase)
      for (int64_t channel = first; channel < last; channel += 16)
        for (int64_t filter = 0; filter < filters; filter += 16) {
          const Taps taps{shapes, phase};
          const int64_t depth = phase * channels + channel;
          for (int64_t i = 0; i < 16; ++i)
            if (backward)
              kernel_values<size()>(taps, kernel, true, channel + i, filter, turned + i * 16, 256);
            else
              kernel_values<size()>(taps, kernel, false, channel + i, filter, to + (depth + i) * filters + filter,
                                    step);
          if (!backward) continue;
          for (int64_t i = 0; i < values; ++i)
            transpose_block(turned + i * 256, 16, to + i * step + filter * phases * channels + depth,
                            phases * channels);
        }
  });
}

// The gradient of the kernel from that of its values, `parts` sums of which lie one behind the other.
LAMINA_EVERY_PROCESSOR
void write_kernel(const Shapes& shapes, const Tiles& tiles, int64_t first, int64_t last, const float* sums, int64_t parts,
                  float* kernel) {
  const int64_t channels = shapes.channels, filters = shapes.filters, phases = shapes.rows.stride * shapes.rows.stride;
  const int64_t step = tiles.weights_step();
  with_window(tiles.window, [&](auto size) __attribute__((always_inline)) {
    for (int64_t phase = 0; phase < phases; ++phase)
      for (int64_t channel = first; channel < last; ++channel)
        for (int64_t filter = 0; filter < filters; filter += 16) {
          const Taps taps{shapes, phase};
          const float* from = sums + (phase * channels + channel) * filters + filter;
          Vector lines[size()][points] = {};
          for (int i = 0; i < points; ++i)
            for (int j = 0; j < points; ++j) {
              Vector value = load(from + (i * points + j) * step);
              for (int64_t part = 1; part < parts; ++part)
                value += load(from + (part * values + i * points + j) * step);
              for (int row = 0; row < size(); ++row) lines[row][j] += weight(i, row, size()) * value;
            }
          for (int row = 0; row < size(); ++row)
            for (int column = 0; column < size(); ++column) {
              if (!taps.has(row, column)) continue;
              Vector tap{};
              for (int j = 0; j < points; ++j) tap += weight(j, column, size()) * lines[row][j];
              store(kernel + taps.at(row, column, channel, filter), tap);
            }
        }
  });
}

void multiply(const Shapes& shapes, bool backward, const Team& team, const float* x, const float* kernel, float* y) {
  const Tiles tiles = tiles_of(shapes, backward);
  float* weights = scratch_floats(values * tiles.weights_step());
  team.run_ranges(shapes.channels / 16, [&](int64_t first, int64_t last) {
    read_kernel(shapes, tiles, backward, first * 16, last * 16, kernel, weights);
  });
  const int64_t count = tiles.count(), fair = (count / (2 * team.size()) + 5) / 6 * 6;
  const int64_t of_block = std::min(tiles.of_block(of_second_cache), std::max<int64_t>(fair, 6));
  team.run((count + of_block - 1) / of_block, [&](int64_t i) {
    convolve_block(tiles, i * of_block, std::min(count, (i + 1) * of_block), x, weights, y);
  });
}

bool fits(const Shapes& shapes) {
  const Axis &rows = shapes.rows, &columns = shapes.columns;
  const int64_t stride = rows.stride, window = (rows.window + stride - 1) / stride;
  const auto has_window = [&](const Axis& axis) {
    return axis.stride == stride && axis.dilation == 1 && (axis.window + stride - 1) / stride == window;
  };
  if (shapes.groups != 1 || shapes.channels % 16 != 0 || shapes.filters % 16 != 0) return false;
  if (stride > 2 || window < 2 || window > 5 || !has_window(rows) || !has_window(columns)) return false;
  const Tiles tiles = tiles_of(shapes, false);
  const int64_t in = tiles.from.depth(), out = tiles.to.depth(), weights = values * in * out;
  // Multiplications, and what else takes as long as so many.
  const int64_t fewer = values * tiles.count() * (in * out + 12 * (in + out)) + 40 * weights;
  const int64_t all = shapes.pixels() * shapes.places() * shapes.channels * shapes.filters;
  return weights <= 1 << 22 && 10 * fewer < 9 * all;
}

void convolve(const Shapes& shapes, const Team& team, const float* x, const float* kernel, float* y) {
  multiply(shapes, false, team, x, kernel, y);
}

void input_gradient(const Shapes& shapes, const Team& team, const float* dy, const float* kernel, float* dx) {
  multiply(shapes, true, team, dy, kernel, dx);
}

void kernel_gradient(const Shapes& shapes, const Team& team, const float* x, const float* dy, float* dkernel) {
  const Tiles tiles = tiles_of(shapes, false);
  const int64_t size = values * tiles.weights_step(), parts = team.size();
  const int64_t count = tiles.count(), of_block = tiles.of_block(4 * of_second_cache);
  float* sums = scratch_floats(parts * size);
  team.run(parts, [&](int64_t part) {
    float* sum = sums + part * size;
    std::fill_n(sum, size, 0.0f);
    const int64_t end = count * (part + 1) / parts;
    for (int64_t first = count * part / parts; first < end; first += of_block)
      add_gradient(tiles, first, std::min(end, first + of_block), x, dy, sum);
  });
  team.run_ranges(shapes.channels, [&](int64_t first, int64_t last) {
    write_kernel(shapes, tiles, first, last, sums, parts, dkernel);
  });
}

}  // namespace

const Way way{fits, fits, fits, convolve, input_gradient, kernel_gradient};

}  // namespace lamina::winograd
