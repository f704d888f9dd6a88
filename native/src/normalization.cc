// Rows brought to mean 0 and variance 1, and the gradient.
#include <cmath>

#include "calls.h"
#include "processors.h"
#include "vectors.h"

namespace lamina {

namespace {

// The mean of `number(i)` for i below `count`, in 16 sums.
template <typename Number>
[[gnu::always_inline]] inline float mean_of(int64_t count, Number&& number) {
  constexpr int64_t lanes = 16;
  float sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += number(i + lane);
  float sum = 0;
  for (; i < count; ++i) sum += number(i);
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    for (int64_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return (sums[0] + sum) / static_cast<float>(count);
}

struct Moments {
  float mean, factor;  // the factor is one over the root of the variance and epsilon
};

[[gnu::always_inline]] inline Moments moments_of(const float* x, int64_t size, float epsilon) {
  const float mean = mean_of(size, [&](int64_t i) { return x[i]; });
  const float variance = mean_of(size, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
  return {mean, 1 / std::sqrt(variance + epsilon)};
}

LAMINA_EVERY_PROCESSOR
void standardize_rows(const float* x, float* __restrict y, int64_t rows, int64_t size, float epsilon) {
  for (int64_t row = 0; row < rows; ++row, x += size, y += size) {
    const Moments of = moments_of(x, size, epsilon);
    for (int64_t i = 0; i < size; ++i) y[i] = (x[i] - of.mean) * of.factor;
  }
}

// The map of tangents, which is its own transpose: t - mean(t) - y * mean(y * t), times the factor.
LAMINA_EVERY_PROCESSOR
void gradient_rows(const float* x, const float* t, float* __restrict dx, int64_t rows, int64_t size, float epsilon) {
  for (int64_t row = 0; row < rows; ++row, x += size, t += size, dx += size) {
    const Moments of = moments_of(x, size, epsilon);
    const float mean = mean_of(size, [&](int64_t i) { return t[i]; });
    const float share = mean_of(size, [&](int64_t i) { return t[i] * (x[i] - of.mean); }) * of.factor * of.factor;
    for (int64_t i = 0; i < size; ++i) dx[i] = of.factor * (t[i] - mean - (x[i] - of.mean) * share);
  }
}

// `body(first number, rows, their size)` for parts of the rows.
template <typename Body>
void over_rows(ffi::ThreadPool& threads, const ffi::AnyBuffer& x, Body&& body) {
  const int64_t rows = x.dimensions()[0], size = x.dimensions()[1];
  const Team team(threads, 40.0 * static_cast<double>(rows * size));
  team.run_ranges(rows, [&](int64_t first, int64_t last) { body(first * size, last - first, size); });
}

ffi::Error standardize(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, double epsilon) {
  return guarded([&] {
    over_rows(threads, x, [&](int64_t at, int64_t rows, int64_t size) {
      standardize_rows(floats(x) + at, floats(y) + at, rows, size, static_cast<float>(epsilon));
    });
  });
}

ffi::Error standardize_gradient(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::AnyBuffer dy,
                                ffi::Result<ffi::AnyBuffer> dx, double epsilon) {
  return guarded([&] {
    over_rows(threads, x, [&](int64_t at, int64_t rows, int64_t size) {
      gradient_rows(floats(x) + at, floats(dy) + at, floats(dx) + at, rows, size, static_cast<float>(epsilon));
    });
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_standardize, lamina::standardize,
               LAMINA_BIND.Arg<xla::ffi::AnyBuffer>().Ret<xla::ffi::AnyBuffer>().Attr<double>("epsilon"));

LAMINA_HANDLER(lamina_standardize_gradient, lamina::standardize_gradient,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<double>("epsilon"));
