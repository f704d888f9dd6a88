// Windows that slide over 1 to 3 spatial axes, channels last, and keep their largest element or their mean.
#include <algorithm>
#include <limits>

#include "calls.h"
#include "processors.h"

namespace lamina {

namespace {

constexpr int64_t axes = 3;  // fewer are filled up with axes of one element in front

// A pass over one spatial axis: how many elements, windows, and where the windows lie.
struct Axis {
  int64_t size = 1, count = 1, window = 1, stride = 1, low = 0;

  // The part of window `index` that is inside: its first element, and the one after its last.
  int64_t first(int64_t index) const { return std::max<int64_t>(index * stride - low, 0); }
  int64_t end(int64_t index) const { return std::min(index * stride - low + window, size); }
};

struct Pool {
  int64_t batch, channels;
  Axis axis[axes];

  Pool(const ffi::AnyBuffer& x, const ffi::AnyBuffer& y, Integers window, Integers strides, Integers padding) {
    if (x.element_type() != ffi::DataType::F32) throw std::invalid_argument("Pooling computes in float32.");
    const auto sizes = x.dimensions(), counts = y.dimensions();
    const auto rank = static_cast<int64_t>(window.size());
    batch = sizes.front();
    channels = sizes.back();
    for (int64_t i = 0; i < rank; ++i) {
      const auto place = static_cast<size_t>(i);
      axis[axes - rank + i] = {sizes[place + 1], counts[place + 1], window[place], strides[place], padding[2 * place]};
    }
  }

  int64_t inputs() const { return axis[0].size * axis[1].size * axis[2].size; }
  int64_t windows() const { return axis[0].count * axis[1].count * axis[2].count; }
  double operations() const {
    return static_cast<double>(batch * windows() * channels * axis[0].window * axis[1].window * axis[2].window);
  }
};

// `visit(output, inside, elements)` for each window of row (d, h) of one sample: the place of its output, how many of
// its elements are inside, and a loop over their places.
template <typename Visit>
[[gnu::always_inline]] inline void each_window(const Pool& pool, int64_t d, int64_t h, Visit&& visit) {
  const auto& [depth, height, width] = pool.axis;
  for (int64_t w = 0; w < width.count; ++w) {
    const auto elements = [&](auto&& element) {
      for (int64_t i = depth.first(d); i < depth.end(d); ++i)
        for (int64_t j = height.first(h); j < height.end(h); ++j)
          for (int64_t k = width.first(w); k < width.end(w); ++k) element((i * height.size + j) * width.size + k);
    };
    const int64_t inside = (depth.end(d) - depth.first(d)) * (height.end(h) - height.first(h)) *
                           (width.end(w) - width.first(w));
    visit((d * height.count + h) * width.count + w, inside, elements);
  }
}

LAMINA_EVERY_PROCESSOR
void max_row(const Pool& pool, const float* x, float* y, int64_t d, int64_t h) {
  const int64_t channels = pool.channels;
  each_window(pool, d, h, [&](int64_t output, int64_t, auto&& elements) {
    float* largest = y + output * channels;
    std::fill(largest, largest + channels, -std::numeric_limits<float>::infinity());
    elements([&](int64_t place) {
      const float* here = x + place * channels;
      // A NaN wins, and stays.
      for (int64_t c = 0; c < channels; ++c)
        largest[c] = here[c] > largest[c] || here[c] != here[c] ? here[c] : largest[c];
    });
  });
}

LAMINA_EVERY_PROCESSOR
void mean_row(const Pool& pool, const float* x, float* y, int64_t d, int64_t h) {
  const int64_t channels = pool.channels;
  each_window(pool, d, h, [&](int64_t output, int64_t inside, auto&& elements) {
    float* sum = y + output * channels;
    std::fill(sum, sum + channels, 0.0f);
    elements([&](int64_t place) {
      const float* here = x + place * channels;
      for (int64_t c = 0; c < channels; ++c) sum[c] += here[c];
    });
    const float count = static_cast<float>(inside);
    for (int64_t c = 0; c < channels; ++c) sum[c] /= count;
  });
}

// Where the elements of the window of that output begin.
[[gnu::always_inline]] inline int64_t first_place(const Pool& pool, int64_t d, int64_t h, int64_t output) {
  const auto& [depth, height, width] = pool.axis;
  return (depth.first(d) * height.size + height.first(h)) * width.size + width.first(output % width.count);
}

constexpr int64_t block = 64;  // channels that a gradient looks at together

// Where `here` is larger, it is the largest, and `place` is chosen; so of equals the first stays.
[[gnu::always_inline]] inline void choose(float* __restrict largest, int32_t* __restrict chosen,
                                          const float* __restrict here, int32_t place, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float now = largest[c], other = here[c];
    const int32_t stays = now >= other ? -1 : 0;  // as a mask of bits: two choices by one condition stay branches
    chosen[c] = (chosen[c] & stays) | (place & ~stays);
    largest[c] = now >= other ? now : other;
  }
}

// The gradient goes to `there` in those channels where that place was chosen.
[[gnu::always_inline]] inline void give(float* __restrict there, const int32_t* __restrict chosen,
                                        const float* __restrict gradient, int32_t place, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float share = gradient[c];
    there[c] += chosen[c] == place ? share : 0.0f;
  }
}

// The gradient over `count` channels of one sample, all pointers being at the first of them.
LAMINA_EVERY_PROCESSOR
void max_gradient(const Pool& pool, const float* x, const float* dy, float* dx, int64_t count) {
  const int64_t channels = pool.channels;
  for (int64_t place = 0; place < pool.inputs(); ++place) std::fill_n(dx + place * channels, count, 0.0f);
  for (int64_t d = 0; d < pool.axis[0].count; ++d)
    for (int64_t h = 0; h < pool.axis[1].count; ++h)
      each_window(pool, d, h, [&](int64_t output, int64_t, auto&& elements) {
        alignas(64) float largest[block];
        alignas(64) int32_t chosen[block];
        std::fill_n(largest, count, -std::numeric_limits<float>::infinity());
        std::fill_n(chosen, count, static_cast<int32_t>(first_place(pool, d, h, output)));
        elements([&](int64_t place) {
          choose(largest, chosen, x + place * channels, static_cast<int32_t>(place), count);
        });
        const float* gradient = dy + output * channels;
        elements([&](int64_t place) {
          give(dx + place * channels, chosen, gradient, static_cast<int32_t>(place), count);
        });
      });
}

LAMINA_EVERY_PROCESSOR
void mean_gradient(const Pool& pool, const float*, const float* dy, float* dx, int64_t count) {
  const int64_t channels = pool.channels;
  for (int64_t place = 0; place < pool.inputs(); ++place) std::fill_n(dx + place * channels, count, 0.0f);
  for (int64_t d = 0; d < pool.axis[0].count; ++d)
    for (int64_t h = 0; h < pool.axis[1].count; ++h)
      each_window(pool, d, h, [&](int64_t output, int64_t inside, auto&& elements) {
        const float* gradient = dy + output * channels;
        const float share = 1.0f / static_cast<float>(inside);
        elements([&](int64_t place) {
          float* there = dx + place * channels;
          for (int64_t c = 0; c < count; ++c) there[c] += gradient[c] * share;
        });
      });
}

using Row = void (*)(const Pool&, const float*, float*, int64_t, int64_t);
using Gradient = void (*)(const Pool&, const float*, const float*, float*, int64_t);

// Each row of outputs by itself.
ffi::Error forward(ffi::ThreadPool& threads, Row row, const ffi::AnyBuffer& x, const ffi::AnyBuffer& y,
                   Integers window, Integers strides,
                   Integers padding) {
  return guarded([&] {
    const Pool pool(x, y, window, strides, padding);
    const Team team(threads, pool.operations());
    const auto* from = static_cast<const float*>(x.untyped_data());
    auto* to = static_cast<float*>(y.untyped_data());
    const int64_t depth = pool.axis[0].count, height = pool.axis[1].count, rows = pool.batch * depth * height;
    team.run_ranges(rows, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t n = i / (depth * height);
        row(pool, from + n * pool.inputs() * pool.channels, to + n * pool.windows() * pool.channels,
            i / height % depth, i % height);
      }
    });
  });
}

// Each sample's blocks of channels by themselves, as windows may overlap.
ffi::Error backward(ffi::ThreadPool& threads, Gradient gradient, const void* x, const ffi::AnyBuffer& dy,
                    const ffi::AnyBuffer& dx,
                    Integers window, Integers strides, Integers padding) {
  return guarded([&] {
    const Pool pool(dx, dy, window, strides, padding);
    const Team team(threads, pool.operations());
    const auto *inputs = static_cast<const float*>(x), *from = static_cast<const float*>(dy.untyped_data());
    auto* to = static_cast<float*>(dx.untyped_data());
    const int64_t blocks = (pool.channels + block - 1) / block;
    team.run_ranges(pool.batch * blocks, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t n = i / blocks, channel = i % blocks * block;
        const int64_t sample = n * pool.inputs() * pool.channels + channel;
        gradient(pool, inputs ? inputs + sample : nullptr, from + n * pool.windows() * pool.channels + channel,
                 to + sample, std::min(block, pool.channels - channel));
      }
    });
  });
}

ffi::Error max_pool(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, Integers window,
                    Integers strides,
                    Integers padding) {
  return forward(threads, max_row, x, *y, window, strides, padding);
}

ffi::Error average_pool(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, Integers window,
                        Integers strides,
                        Integers padding) {
  return forward(threads, mean_row, x, *y, window, strides, padding);
}

ffi::Error max_pool_gradient(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::AnyBuffer dy,
                             ffi::Result<ffi::AnyBuffer> dx, Integers window,
                             Integers strides, Integers padding) {
  return backward(threads, max_gradient, x.untyped_data(), dy, *dx, window, strides, padding);
}

ffi::Error average_pool_gradient(ffi::ThreadPool threads, ffi::AnyBuffer dy, ffi::Result<ffi::AnyBuffer> dx,
                                 Integers window, Integers strides,
                                 Integers padding) {
  return backward(threads, mean_gradient, nullptr, dy, *dx, window, strides, padding);
}

}  // namespace

}  // namespace lamina

#define LAMINA_WINDOW_ATTRIBUTES     \
  .Attr<lamina::Integers>("window")  \
  .Attr<lamina::Integers>("strides") \
  .Attr<lamina::Integers>("padding")

#define LAMINA_ONE LAMINA_BIND.Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>()
#define LAMINA_TWO \
  LAMINA_BIND.Arg<xla::ffi::AnyBuffer>().Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>()

LAMINA_HANDLER(lamina_max_pool, lamina::max_pool, LAMINA_ONE LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_average_pool, lamina::average_pool, LAMINA_ONE LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_max_pool_gradient, lamina::max_pool_gradient, LAMINA_TWO LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_average_pool_gradient, lamina::average_pool_gradient, LAMINA_ONE LAMINA_WINDOW_ATTRIBUTES);
