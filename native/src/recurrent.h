// What the loops of an LSTM and a GRU share.
#pragma once

#include <algorithm>
#include <cstring>

#include "calls.h"
#include "processors.h"
#include "vectors.h"

namespace lamina {

// The lengths of a loop over time, and which rows of the batch stand still at which step.
struct Loop {
  int64_t steps, batch, units;
  bool reverse;
  const bool* mask = nullptr;  // (steps, batch), or none

  Loop(const ffi::AnyBuffer& first_state, int64_t steps_, int64_t reverse_)
      : steps(steps_), batch(first_state.dimensions()[0]), units(first_state.dimensions()[1]), reverse(reverse_ != 0) {}

  // The time of the step that comes at place `i`.
  int64_t time(int64_t i) const { return reverse ? steps - 1 - i : i; }
  bool moves(int64_t time, int64_t row) const { return mask == nullptr || mask[time * batch + row]; }
  double operations(int64_t gates) const {
    return 2.0 * static_cast<double>(steps * batch) * static_cast<double>(gates * units * units);
  }

  // Row `row` at that time of an array (steps, batch, width).
  template <typename Pointer>
  Pointer at(Pointer array, int64_t time, int64_t row, int64_t width) const {
    return array + (time * batch + row) * width;
  }
};

// The optional arrays at the end of a call, in their order: each is there where its setting says so.
class Optional {
 public:
  explicit Optional(const ffi::RemainingArgs& arguments) : arguments_(arguments) {}

  const void* next(int64_t is_there) {
    return is_there ? arguments_.get<ffi::AnyBuffer>(place_++).value().untyped_data() : nullptr;
  }

 private:
  const ffi::RemainingArgs& arguments_;
  size_t place_ = 0;
};

// Sequences do not depend on one another, so each thread goes through the whole of time with rows of its own:
// `body(first, last, scratch)` with `width` floats of scratch memory a row; `shared` floats come before all of those.
template <typename Body>
void over_rows(const Loop& loop, const Team& team, int64_t width, Body&& body, float* memory) {
  team.run_ranges(loop.batch, [&](int64_t first, int64_t last) { body(first, last, memory + first * width); });
}

// The rows of `from`, plus the bias where there is one.
[[gnu::always_inline]] inline void copy_rows(float* to, const float* from, const float* bias, int64_t rows,
                                             int64_t width) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < width; ++j) to[i * width + j] = (from ? from[i * width + j] : 0) + (bias ? bias[j] : 0);
}

}  // namespace lamina
