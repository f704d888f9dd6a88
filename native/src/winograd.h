// Convolutions in float32 with fewer multiplications: tiles of inputs and the kernel are taken for polynomials, whose
// values at six points are multiplied (Winograd 1980; Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2016).
#pragma once

#include <cstdint>

#include "plain_convolution.h"
#include "threads.h"

namespace lamina {

struct Winograd {
  int64_t samples, channels, filters;
  Axis rows, columns;

  // Whether it can be done so, and faster than as it is.
  bool is_worthwhile() const;

  void convolve(const Team& team, const float* x, const float* kernel, float* y) const;
  void input_gradient(const Team& team, const float* dy, const float* kernel, float* dx) const;
  void kernel_gradient(const Team& team, const float* x, const float* dy, float* dkernel) const;
};

}  // namespace lamina
