// Convolutions in float32 by loops of our own, which read kernels as XLA lays them out.
#pragma once

#include <cstdint>

#include "threads.h"

namespace lamina {

// One spatial axis: inputs, outputs and window, and how they lie to each other.
struct Axis {
  int64_t inputs = 1, outputs = 1, window = 1, stride = 1, dilation = 1, low = 0;

  // Where the input of output `i` lies for that place of the window; outside of the inputs are zeros.
  int64_t input(int64_t i, int64_t place) const { return i * stride - low + place * dilation; }

  // The first output whose input does not come before the inputs, and the one after the last that is not behind them.
  int64_t first(int64_t place) const;
  int64_t last(int64_t place) const;
};

struct PlainConvolution {
  int64_t samples, channels, filters, groups;
  Axis rows, columns;

  void convolve(const Team& team, const float* x, const float* kernel, float* y) const;
  void input_gradient(const Team& team, const float* dy, const float* kernel, float* dx) const;
  void kernel_gradient(const Team& team, const float* x, const float* dy, float* dkernel) const;
};

}  // namespace lamina
