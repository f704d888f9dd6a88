// Windows that slide over 1 to 3 spatial axes, channels last, and keep their largest element or their mean.
#include <immintrin.h>

#include <algorithm>
#include <limits>
#include <type_traits>

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

  // The first window that is wholly inside, and the one after the last.
  int64_t first_whole() const { return std::min((low + stride - 1) / stride, count); }
  int64_t end_whole() const {
    return std::max(first_whole(), std::min(count, size + low < window ? 0 : (size + low - window) / stride + 1));
  }
  bool is_whole(int64_t index) const { return index >= first_whole() && index < end_whole(); }

  // Whether each element is in one window, and no window cut.
  bool is_covered_once() const { return stride == window && low == 0 && count * window == size; }
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
  int64_t elements() const { return axis[0].window * axis[1].window * axis[2].window; }
  double operations() const { return static_cast<double>(batch * windows() * channels * elements()); }
};

// `visit(output, inside, elements)` for windows `first` to `end` of row (d, h) of one sample: the place of its output,
// how many of its elements are inside, and a loop over their places.
template <typename Visit>
[[gnu::always_inline]] inline void each_window(const Pool& pool, int64_t d, int64_t h, int64_t first, int64_t end,
                                               Visit&& visit) {
  const auto& [depth, height, width] = pool.axis;
  for (int64_t w = first; w < end; ++w) {
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

// Windows of row (d, h) that are wholly inside and of a size that has loops of its own: the elements of one lie at the
// same distances as those of the next.
struct Whole {
  static constexpr int64_t most = 9;

  int64_t first, end;       // which windows; none where no loop fits
  int64_t elements = 0;     // of a window
  int64_t distances[most];  // from its first element to each
  int64_t place, step;      // of the first window's first element, and from one window to the next

  Whole(const Pool& pool, int64_t d, int64_t h) {
    const auto& [depth, height, width] = pool.axis;
    const int64_t count = pool.elements();
    const bool fits = has_avx512() && ((count >= 2 && count <= 4) || count == 8 || count == most);
    first = width.first_whole();
    end = fits && depth.is_whole(d) && height.is_whole(h) ? width.end_whole() : first;
    step = width.stride * pool.channels;
    place = ((depth.first(d) * height.size + height.first(h)) * width.size + width.first(first)) * pool.channels;
    if (end == first) return;
    for (int64_t i = 0; i < depth.window; ++i)
      for (int64_t j = 0; j < height.window; ++j)
        for (int64_t k = 0; k < width.window; ++k)
          distances[elements++] = ((i * height.size + j) * width.size + k) * pool.channels;
  }
};

// `body(a constant that is how many elements a window has)`, where there are such windows.
template <typename Body>
void with_elements(const Whole& whole, Body&& body) {
  switch (whole.elements) {
    case 2: return body(std::integral_constant<int, 2>());
    case 3: return body(std::integral_constant<int, 3>());
    case 4: return body(std::integral_constant<int, 4>());
    case 8: return body(std::integral_constant<int, 8>());
    case 9: return body(std::integral_constant<int, 9>());
  }
}

// Which of 16 channels from `channel` on there are.
[[gnu::always_inline]] inline __mmask16 lanes_from(int64_t channel, int64_t channels) {
  return static_cast<__mmask16>((1 << std::min<int64_t>(channels - channel, 16)) - 1);
}

template <int elements>
LAMINA_AVX512 void max_windows(const Whole& whole, const float* x, float* y, uint8_t* places, int64_t channels) {
  for (int64_t w = whole.first; w < whole.end; ++w, x += whole.step, y += channels, places += channels)
    for (int64_t c = 0; c < channels; c += 16) {
      const __mmask16 lanes = lanes_from(c, channels);
      __m512 largest = _mm512_maskz_loadu_ps(lanes, x + whole.distances[0] + c);
      __m512i chosen = _mm512_setzero_si512();
      for (int e = 1; e < elements; ++e) {
        const __m512 other = _mm512_maskz_loadu_ps(lanes, x + whole.distances[e] + c);
        const __mmask16 larger = static_cast<__mmask16>(_mm512_cmp_ps_mask(other, largest, _CMP_GT_OQ) |
                                                        _mm512_cmp_ps_mask(other, other, _CMP_UNORD_Q));
        largest = _mm512_mask_mov_ps(largest, larger, other);
        chosen = _mm512_mask_mov_epi32(chosen, larger, _mm512_set1_epi32(e));
      }
      _mm512_mask_storeu_ps(y + c, lanes, largest);
      _mm512_mask_cvtepi32_storeu_epi8(places + c, lanes, chosen);
    }
}

// The largest elements of row (d, h), and which of those of their window inside they are: of equals the first, and
// one that is not a number before all others.
void max_row(const Pool& pool, const float* x, float* y, uint8_t* places, int64_t d, int64_t h) {
  const int64_t channels = pool.channels;
  const auto cut = [&](int64_t from, int64_t to) {
    each_window(pool, d, h, from, to, [&](int64_t output, int64_t, auto&& elements) {
      float* largest = y + output * channels;
      uint8_t *chosen = places + output * channels, element = 0;
      std::fill_n(largest, channels, -std::numeric_limits<float>::infinity());
      std::fill_n(chosen, channels, 0);
      elements([&](int64_t place) {
        for (int64_t c = 0; c < channels; ++c) {
          const float other = x[place * channels + c];
          if (!(other > largest[c] || other != other)) continue;
          largest[c] = other;
          chosen[c] = element;
        }
        ++element;
      });
    });
  };
  const Whole whole(pool, d, h);
  cut(0, whole.first);
  const int64_t to = ((d * pool.axis[1].count + h) * pool.axis[2].count + whole.first) * channels;
  with_elements(whole, [&](auto elements) {
    max_windows<elements>(whole, x + whole.place, y + to, places + to, channels);
  });
  cut(whole.end, pool.axis[2].count);
}

LAMINA_EVERY_PROCESSOR
void mean_row(const Pool& pool, const float* x, float* y, int64_t d, int64_t h) {
  const int64_t channels = pool.channels;
  each_window(pool, d, h, 0, pool.axis[2].count, [&](int64_t output, int64_t inside, auto&& elements) {
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

constexpr int64_t block = 64;  // channels that a gradient looks at together

// The gradients of windows go to their largest elements; to `dx` they are added, unless `alone`: then they are all.
template <int elements, bool alone>
LAMINA_AVX512 void max_windows_gradient(const Whole& whole, const uint8_t* places, const float* dy, float* dx,
                                        int64_t channels, int64_t step) {
  for (int64_t w = whole.first; w < whole.end; ++w, dx += whole.step, dy += step, places += step)
    for (int64_t c = 0; c < channels; c += 16) {
      const __mmask16 lanes = lanes_from(c, channels);
      const __m512i chosen = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, places + c));
      const __m512 share = _mm512_maskz_loadu_ps(lanes, dy + c);
      for (int e = 0; e < elements; ++e) {
        float* there = dx + whole.distances[e] + c;
        const __m512 part = _mm512_maskz_mov_ps(_mm512_cmpeq_epi32_mask(chosen, _mm512_set1_epi32(e)), share);
        _mm512_mask_storeu_ps(there, lanes, alone ? part : _mm512_maskz_loadu_ps(lanes, there) + part);
      }
    }
}

// The gradient over `count` channels of one sample, all pointers being at the first of them.
void max_gradient(const Pool& pool, const uint8_t* places, const float* dy, float* dx, int64_t count) {
  const int64_t channels = pool.channels;
  const auto& [depth, height, width] = pool.axis;
  const auto cut = [&](int64_t d, int64_t h, int64_t from, int64_t to) {
    each_window(pool, d, h, from, to, [&](int64_t output, int64_t, auto&& elements) {
      const int64_t at = output * channels;
      uint8_t element = 0;
      elements([&](int64_t place) {
        for (int64_t c = 0; c < count; ++c) dx[place * channels + c] += places[at + c] == element ? dy[at + c] : 0.0f;
        ++element;
      });
    });
  };
  const bool once = depth.is_covered_once() && height.is_covered_once() && width.is_covered_once();
  const bool written = once && Whole(pool, 0, 0).elements;
  for (int64_t place = 0; !written && place < pool.inputs(); ++place) std::fill_n(dx + place * channels, count, 0.0f);
  for (int64_t d = 0; d < depth.count; ++d)
    for (int64_t h = 0; h < height.count; ++h) {
      const Whole whole(pool, d, h);
      cut(d, h, 0, whole.first);
      const int64_t from = ((d * height.count + h) * width.count + whole.first) * channels;
      with_elements(whole, [&](auto elements) {
        const auto gradient = written ? max_windows_gradient<elements, true> : max_windows_gradient<elements, false>;
        gradient(whole, places + from, dy + from, dx + whole.place, count, channels);
      });
      cut(d, h, whole.end, width.count);
    }
}

LAMINA_EVERY_PROCESSOR
void mean_gradient(const Pool& pool, const float* dy, float* dx, int64_t count) {
  const int64_t channels = pool.channels;
  for (int64_t place = 0; place < pool.inputs(); ++place) std::fill_n(dx + place * channels, count, 0.0f);
  for (int64_t d = 0; d < pool.axis[0].count; ++d)
    for (int64_t h = 0; h < pool.axis[1].count; ++h)
      each_window(pool, d, h, 0, pool.axis[2].count, [&](int64_t output, int64_t inside, auto&& elements) {
        const float* gradient = dy + output * channels;
        const float share = 1.0f / static_cast<float>(inside);
        elements([&](int64_t place) {
          float* there = dx + place * channels;
          for (int64_t c = 0; c < count; ++c) there[c] += gradient[c] * share;
        });
      });
}

// `row(from, to, d, h)` for each row of outputs by itself, with the places of its sample's first input and output.
template <typename Row>
void forward(ffi::ThreadPool& threads, const Pool& pool, Row&& row) {
  const Team team(threads, pool.operations());
  const int64_t depth = pool.axis[0].count, height = pool.axis[1].count;
  team.run_ranges(pool.batch * depth * height, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t n = i / (depth * height);
      row(n * pool.inputs() * pool.channels, n * pool.windows() * pool.channels, i / height % depth, i % height);
    }
  });
}

// `gradient(from, to, channels)` for each sample's blocks of channels by themselves, as windows may overlap: with the
// places of the block's first output and input.
template <typename Gradient>
void backward(ffi::ThreadPool& threads, const Pool& pool, Gradient&& gradient) {
  const Team team(threads, pool.operations());
  const int64_t blocks = (pool.channels + block - 1) / block;
  team.run_ranges(pool.batch * blocks, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t n = i / blocks, channel = i % blocks * block;
      gradient(n * pool.windows() * pool.channels + channel, n * pool.inputs() * pool.channels + channel,
               std::min(block, pool.channels - channel));
    }
  });
}

using Places = ffi::Buffer<ffi::DataType::U8>;

ffi::Error max_pool(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y,
                    ffi::Result<Places> places, Integers window, Integers strides, Integers padding) {
  return guarded([&] {
    const Pool pool(x, *y, window, strides, padding);
    forward(threads, pool, [&](int64_t from, int64_t to, int64_t d, int64_t h) {
      max_row(pool, floats(x) + from, floats(y) + to, places->typed_data() + to, d, h);
    });
  });
}

ffi::Error average_pool(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, Integers window,
                        Integers strides, Integers padding) {
  return guarded([&] {
    const Pool pool(x, *y, window, strides, padding);
    forward(threads, pool, [&](int64_t from, int64_t to, int64_t d, int64_t h) {
      mean_row(pool, floats(x) + from, floats(y) + to, d, h);
    });
  });
}

ffi::Error max_pool_gradient(ffi::ThreadPool threads, Places places, ffi::AnyBuffer dy, ffi::Result<ffi::AnyBuffer> dx,
                             Integers window, Integers strides, Integers padding) {
  return guarded([&] {
    const Pool pool(*dx, dy, window, strides, padding);
    backward(threads, pool, [&](int64_t from, int64_t to, int64_t channels) {
      max_gradient(pool, places.typed_data() + from, floats(dy) + from, floats(dx) + to, channels);
    });
  });
}

ffi::Error average_pool_gradient(ffi::ThreadPool threads, ffi::AnyBuffer dy, ffi::Result<ffi::AnyBuffer> dx,
                                 Integers window, Integers strides, Integers padding) {
  return guarded([&] {
    const Pool pool(*dx, dy, window, strides, padding);
    backward(threads, pool, [&](int64_t from, int64_t to, int64_t channels) {
      mean_gradient(pool, floats(dy) + from, floats(dx) + to, channels);
    });
  });
}

}  // namespace

}  // namespace lamina

#define LAMINA_WINDOW_ATTRIBUTES     \
  .Attr<lamina::Integers>("window")  \
  .Attr<lamina::Integers>("strides") \
  .Attr<lamina::Integers>("padding")

#define LAMINA_ONE LAMINA_BIND.Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>()

LAMINA_HANDLER(lamina_max_pool, lamina::max_pool, LAMINA_ONE.Ret<lamina::Places>() LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_average_pool, lamina::average_pool, LAMINA_ONE LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_max_pool_gradient, lamina::max_pool_gradient,
               LAMINA_BIND.Arg<lamina::Places>().Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>()
                   LAMINA_WINDOW_ATTRIBUTES);
LAMINA_HANDLER(lamina_average_pool_gradient, lamina::average_pool_gradient, LAMINA_ONE LAMINA_WINDOW_ATTRIBUTES);
