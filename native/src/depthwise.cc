#include <algorithm>
#include <vector>

#include "own_loops.h"
#include "primitives.h"
#include "processors.h"
#include "vectors.h"

namespace lamina::depthwise {

namespace {

constexpr int64_t lanes = 16;

// One axis as seen from what is computed: which element the window's places read, or -1 for none. Going backward these
// are outputs, some of which lie between the strides.
struct Line {
  Axis axis;
  bool backward;

  int64_t count() const { return backward ? axis.inputs : axis.outputs; }
  int64_t size() const { return backward ? axis.outputs : axis.inputs; }

  int64_t read(int64_t i, int64_t place) const {
    if (!backward) return inside(axis.input(i, place));
    const int64_t moved = i + axis.low - place * axis.dilation;
    return moved % axis.stride == 0 ? inside(moved / axis.stride) : -1;
  }

  int64_t inside(int64_t i) const { return i >= 0 && i < size() ? i : -1; }
};

struct Sides {
  int64_t channels;
  Line rows, columns;

  Sides(const Shapes& shapes, bool backward)
      : channels(shapes.channels), rows{shapes.rows, backward}, columns{shapes.columns, backward} {}

  int64_t places() const { return rows.axis.window * columns.axis.window; }

  // For each pixel of a row and each place of the window, where the channels lie that it reads; `zeros` outside.
  void find(const float* sample, int64_t row, const float* zeros, std::vector<const float*>& at) const {
    const float** next = at.data();
    for (int64_t column = 0; column < columns.count(); ++column)
      for (int64_t i = 0; i < rows.axis.window; ++i) {
        const int64_t from_row = rows.read(row, i);
        for (int64_t j = 0; j < columns.axis.window; ++j) {
          const int64_t from = columns.read(column, j);
          *next++ = from_row < 0 || from < 0 ? zeros : sample + (from_row * columns.size() + from) * channels;
        }
      }
  }
};

// `count` pixels side by side.
template <int count>
[[gnu::always_inline]] inline void add_up(const float* const* at, int64_t places, const float* kernel, int64_t channels,
                                          float* y) {
  for (int64_t channel = 0; channel < channels; channel += lanes) {
    Vector sums[count] = {};
    for (int64_t place = 0; place < places; ++place) {
      const Vector weights = load(kernel + place * channels + channel);
      for (int i = 0; i < count; ++i) sums[i] += load(at[i * places + place] + channel) * weights;
    }
    for (int i = 0; i < count; ++i) store(y + i * channels + channel, sums[i]);
  }
}

LAMINA_EVERY_PROCESSOR
void convolve_row(const Sides& sides, const float* const* at, const float* kernel, float* y) {
  const int64_t places = sides.places(), channels = sides.channels, count = sides.columns.count();
  int64_t column = 0;
  for (; column + 4 <= count; column += 4)
    add_up<4>(at + column * places, places, kernel, channels, y + column * channels);
  for (; column < count; ++column) add_up<1>(at + column * places, places, kernel, channels, y + column * channels);
}

// Adds what `count` places of the window see of a row of outputs, times these.
template <int count>
[[gnu::always_inline]] inline void add_places(const Sides& sides, const float* const* at, const float* dy,
                                              float* sums) {
  const int64_t places = sides.places(), channels = sides.channels, pixels = sides.columns.count();
  for (int64_t channel = 0; channel < channels; channel += lanes) {
    Vector sum[count];
    for (int i = 0; i < count; ++i) sum[i] = load(sums + i * channels + channel);
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      const Vector gradient = load(dy + pixel * channels + channel);
      for (int i = 0; i < count; ++i)
        sum[i] += load(at[pixel * places + i] + channel) * gradient;
    }
    for (int i = 0; i < count; ++i) store(sums + i * channels + channel, sum[i]);
  }
}

LAMINA_EVERY_PROCESSOR
void add_kernel_gradient(const Sides& sides, const float* const* at, const float* dy, float* sums) {
  const int64_t places = sides.places();
  int64_t place = 0;
  const auto take = [&](auto count) __attribute__((always_inline)) {
    for (; place + count() <= places; place += count())
      add_places<count()>(sides, at + place, dy, sums + place * sides.channels);
  };
  take(std::integral_constant<int, 9>());
  take(std::integral_constant<int, 5>());
  take(std::integral_constant<int, 3>());
  take(std::integral_constant<int, 1>());
}

// Calls `body(row, at)` for each row of results of all samples from `first` to `last`.
template <typename Body>
void each_row(const Sides& sides, int64_t first, int64_t last, const float* x, Body&& body) {
  const std::vector<float> zeros(static_cast<size_t>(sides.channels));
  std::vector<const float*> at(static_cast<size_t>(sides.columns.count() * sides.places()));
  for (int64_t i = first; i < last; ++i) {
    const int64_t sample = i / sides.rows.count(), size = sides.rows.size() * sides.columns.size() * sides.channels;
    sides.find(x + sample * size, i % sides.rows.count(), zeros.data(), at);
    body(i * sides.columns.count() * sides.channels, at.data());
  }
}

void convolve(const Sides& sides, int64_t samples, const Team& team, const float* x, const float* kernel, float* y) {
  team.run_ranges(samples * sides.rows.count(), [&](int64_t first, int64_t last) {
    each_row(sides, first, last, x, [&](int64_t row, const float* const* at) {
      convolve_row(sides, at, kernel, y + row);
    });
  });
}

bool is_of_vectors(const Shapes& shapes) {
  return shapes.groups == shapes.channels && shapes.filters == shapes.channels && shapes.channels % lanes == 0;
}

bool fits(const Shapes& shapes) { return is_of_vectors(shapes) && shapes.rows.window == 1; }

bool fits_kernel_gradient(const Shapes& shapes) {
  return fits(shapes) || (is_of_vectors(shapes) && shapes.places() > 9);
}

void convolve(const Shapes& shapes, const Team& team, const float* x, const float* kernel, float* y) {
  convolve(Sides(shapes, false), shapes.samples, team, x, kernel, y);
}

void input_gradient(const Shapes& shapes, const Team& team, const float* dy, const float* kernel, float* dx) {
  convolve(Sides(shapes, true), shapes.samples, team, dy, kernel, dx);
}

void kernel_gradient(const Shapes& shapes, const Team& team, const float* x, const float* dy, float* dkernel) {
  const Sides sides(shapes, false);
  const int64_t rows = shapes.samples * sides.rows.count(), parts = team.size();
  const int64_t size = sides.places() * sides.channels;
  float* sums = scratch_floats(parts * size);
  team.run(parts, [&](int64_t part) {
    std::fill_n(sums + part * size, size, 0.0f);
    each_row(sides, rows * part / parts, rows * (part + 1) / parts, x, [&](int64_t row, const float* const* at) {
      add_kernel_gradient(sides, at, dy + row, sums + part * size);
    });
  });
  for (int64_t i = 0; i < size; ++i) {
    dkernel[i] = sums[i];
    for (int64_t part = 1; part < parts; ++part) dkernel[i] += sums[part * size + i];
  }
}

}  // namespace

const Way way{fits, fits, fits_kernel_gradient, convolve, input_gradient, kernel_gradient};

}  // namespace lamina::depthwise
