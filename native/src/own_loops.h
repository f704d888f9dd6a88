// Convolutions of one or two spatial axes in float32 by loops of our own, which read and write arrays as XLA lays them
// out: three ways, each for the shapes that it `fits`.
#pragma once

#include <algorithm>
#include <cstdint>

#include "threads.h"

namespace lamina {

// One spatial axis: inputs, outputs and window, and how they lie to each other.
struct Axis {
  int64_t inputs = 1, outputs = 1, window = 1, stride = 1, dilation = 1, low = 0;

  // Where the input of output `i` lies for that place of the window; outside of the inputs are zeros.
  int64_t input(int64_t i, int64_t place) const { return i * stride - low + place * dilation; }

  // The first output whose input does not come before the inputs, and the one after the last that is not behind them.
  int64_t first(int64_t place) const {
    return std::min(outputs, std::max<int64_t>(0, low - place * dilation + stride - 1) / stride);
  }
  int64_t last(int64_t place) const {
    const int64_t room = inputs - 1 + low - place * dilation;
    return room < 0 ? 0 : std::min(outputs, room / stride + 1);
  }
};

// A convolution; where there is one spatial axis it is that of the columns.
struct Shapes {
  int64_t samples, channels, filters, groups;
  Axis rows, columns;

  int64_t places() const { return rows.window * columns.window; }
  int64_t pixels() const { return samples * rows.outputs * columns.outputs; }
};

struct Way {
  using Compute = void (*)(const Shapes& shapes, const Team& team, const float*, const float*, float*);

  bool (*fits)(const Shapes& shapes);
  bool (*fits_input_gradient)(const Shapes& shapes);
  bool (*fits_kernel_gradient)(const Shapes& shapes);
  Compute convolve;         // of x and kernel: y
  Compute input_gradient;   // of dy and kernel: dx
  Compute kernel_gradient;  // of x and dy: dkernel
};

// Of so few pixels, or so little work, that to lay out the kernel for oneDNN takes longer than all else: products, place
// by place.
namespace plain {
extern const Way way;

// Rows of a product, each of some parts of `inner` numbers side by side, and how far apart they lie: what the windows
// of a convolution see of an image.
struct Rows {
  int64_t outer, rows, parts, inner;
  int64_t outer_step, row_step, part_step;
};

// y (outer * rows, columns) = x @ w (parts * inner, columns), on this thread.
void product(const Rows& of, int64_t columns, const float* x, const float* w, float* y);

// The same for few columns, w (columns, parts * inner) being transposed.
void dots(const Rows& of, int64_t columns, const float* x, const float* w, float* y);
}

// Of many channels and filters: fewer multiplications. Tiles of inputs and the kernel are taken for polynomials, whose
// values at six points are multiplied (Winograd 1980; Lavin and Gray 2016, arXiv 1509.09308).
namespace winograd {
extern const Way way;
}

// With one filter for each channel, where oneDNN is slow: along one axis, and gradients of kernels of more than 3x3.
namespace depthwise {
extern const Way way;
}

}  // namespace lamina
