// The GRU's loop over time and its gradient; gates in the order z, r, h.
#include "recurrent.h"

namespace lamina {

namespace {

constexpr int64_t gate_count = 3;
constexpr int64_t saved_count = 4;  // z, r, the candidate, and: its recurrent sum, or where r comes first, r * hidden

struct Forward {
  Loop loop;
  bool reset_after;
  const float *projected, *kernel, *bias, *hidden;
  float *outputs, *saved;
};

// z and r, and the fourth that is saved.
[[gnu::always_inline]] inline void open_gates(float* __restrict saved, const float* __restrict projected,
                                              const float* __restrict sums, const float* __restrict hidden,
                                              bool reset_after, int64_t units) {
  for (int64_t u = 0; u < 2 * units; ++u) saved[u] = sigmoid_of(projected[u] + sums[u]);
  if (reset_after)
    std::copy_n(sums + 2 * units, units, saved + 3 * units);
  else
    for (int64_t u = 0; u < units; ++u) saved[3 * units + u] = saved[units + u] * hidden[u];
}

// The candidate, and the next state.
[[gnu::always_inline]] inline void advance(float* __restrict saved, const float* __restrict projected,
                                           const float* __restrict sums, const float* __restrict hidden,
                                           float* __restrict output, bool reset_after, int64_t units) {
  const float *z = saved, *r = saved + units;
  float* candidate = saved + 2 * units;
  if (reset_after)
    for (int64_t u = 0; u < units; ++u)
      candidate[u] = tanh_of(projected[2 * units + u] + r[u] * sums[2 * units + u]);
  else
    for (int64_t u = 0; u < units; ++u) candidate[u] = tanh_of(projected[2 * units + u] + sums[2 * units + u]);
  for (int64_t u = 0; u < units; ++u) output[u] = z[u] * hidden[u] + (1 - z[u]) * candidate[u];
}

// Rows `first` to `last`; `scratch` holds the recurrent sums, and what is saved where that is not kept.
LAMINA_EVERY_PROCESSOR
void forward_rows(const Forward& call, int64_t first, int64_t last, float* scratch) {
  const Loop& loop = call.loop;
  const int64_t units = loop.units, width = gate_count * units, kept = saved_count * units, rows = last - first;
  const float* hidden = call.hidden + first * units;
  float* sums = scratch;
  for (int64_t i = 0; i < loop.steps; ++i) {
    const int64_t t = loop.time(i);
    const float* projected = loop.at(call.projected, t, first, width);
    float* saved = call.saved ? loop.at(call.saved, t, first, kept) : scratch + rows * width;
    float* outputs = loop.at(call.outputs, t, first, units);
    copy_rows(sums, nullptr, call.bias, rows, width);
    accumulate_product(sums, width, hidden, units, call.kernel, width, rows, units,
                       call.reset_after ? width : 2 * units);
    for (int64_t row = 0; row < rows; ++row)
      open_gates(saved + row * kept, projected + row * width, sums + row * width, hidden + row * units,
                 call.reset_after, units);
    if (!call.reset_after)
      accumulate_product(sums + 2 * units, width, saved + 3 * units, kept, call.kernel + 2 * units, width, rows, units,
                         units);
    for (int64_t row = 0; row < rows; ++row) {
      const float* before = hidden + row * units;
      float* output = outputs + row * units;
      advance(saved + row * kept, projected + row * width, sums + row * width, before, output, call.reset_after, units);
      if (!loop.moves(t, first + row)) std::copy_n(before, units, output);
    }
    hidden = outputs;
  }
}

struct Backward {
  Loop loop;
  bool reset_after;
  const float *kernel_transposed, *hidden, *outputs, *saved, *d_outputs, *d_last_hidden;
  float *d_projected, *d_recurrent, *d_hidden;
};

// The gradients of one row's sums, and of its state in place; those of r and of the state lack a term where r comes
// first. `moves` is 0 where the mask held the state.
[[gnu::always_inline]] inline void retreat(const float* __restrict saved, const float* __restrict before,
                                           const float* __restrict given, float* __restrict d_hidden,
                                           float* __restrict d_projected, float* __restrict d_recurrent, float moves,
                                           bool reset_after, int64_t units) {
  const float *z = saved, *r = saved + units, *candidate = saved + 2 * units, *sum = saved + 3 * units;
  if (given)
    for (int64_t u = 0; u < units; ++u) d_hidden[u] += given[u];
  for (int64_t u = 0; u < units; ++u) {
    const float d_output = d_hidden[u], d_new = moves * d_output;
    const float d_candidate = d_new * (1 - z[u]) * (1 - candidate[u] * candidate[u]);
    d_projected[u] = d_new * (before[u] - candidate[u]) * z[u] * (1 - z[u]);
    d_projected[units + u] = d_candidate * sum[u] * r[u] * (1 - r[u]);
    d_projected[2 * units + u] = d_candidate;
    d_hidden[u] = d_output - d_new + d_new * z[u];
  }
  std::copy_n(d_projected, 3 * units, d_recurrent);
  if (reset_after)
    for (int64_t u = 0; u < units; ++u) d_recurrent[2 * units + u] *= r[u];
}

// Rows `first` to `last`; `d_hidden` holds the gradient of the state as the loop goes back.
LAMINA_EVERY_PROCESSOR
void backward_rows(const Backward& call, int64_t first, int64_t last, float* scratch) {
  const Loop& loop = call.loop;
  const int64_t units = loop.units, width = gate_count * units, kept = saved_count * units, rows = last - first;
  float *d_hidden = call.d_hidden + first * units, *d_reset = scratch;
  std::copy_n(call.d_last_hidden + first * units, rows * units, d_hidden);
  for (int64_t i = loop.steps; i-- > 0;) {
    const int64_t t = loop.time(i);
    const float* before = i > 0 ? loop.at(call.outputs, loop.time(i - 1), first, units) : call.hidden + first * units;
    const float* saved = loop.at(call.saved, t, first, kept);
    const float* given = call.d_outputs ? loop.at(call.d_outputs, t, first, units) : nullptr;
    float* d_projected = loop.at(call.d_projected, t, first, width);
    float* d_recurrent = loop.at(call.d_recurrent, t, first, width);
    for (int64_t row = 0; row < rows; ++row)
      retreat(saved + row * kept, before + row * units, given ? given + row * units : nullptr, d_hidden + row * units,
              d_projected + row * width, d_recurrent + row * width, loop.moves(t, first + row) ? 1.0f : 0.0f,
              call.reset_after, units);
    if (!call.reset_after) {
      std::fill_n(d_reset, rows * units, 0.0f);
      accumulate_product(d_reset, units, d_projected + 2 * units, width, call.kernel_transposed + 2 * units * units,
                         units, rows, units, units);
      for (int64_t row = 0; row < rows; ++row) {
        const float* r = saved + row * kept + units;
        float* d_r = d_projected + row * width + units;
        for (int64_t u = 0; u < units; ++u) {
          const int64_t at = row * units + u;
          d_r[u] = d_reset[at] * before[at] * r[u] * (1 - r[u]);
          d_hidden[at] += d_reset[at] * r[u];
        }
        std::copy_n(d_r, units, d_recurrent + row * width + units);
      }
    }
    accumulate_product(d_hidden, units, d_recurrent, width, call.kernel_transposed, units, rows,
                       call.reset_after ? width : 2 * units, units);
  }
}

ffi::Error gru(ffi::ThreadPool threads, ffi::AnyBuffer projected, ffi::AnyBuffer kernel, ffi::AnyBuffer hidden,
               ffi::RemainingArgs rest,
               ffi::Result<ffi::AnyBuffer> outputs, ffi::Result<ffi::AnyBuffer> saved, int64_t has_bias,
               int64_t has_mask, int64_t reverse, int64_t reset_after) {
  return guarded([&] {
    Optional optional(rest);
    Forward call{Loop(hidden, projected.dimensions()[0], reverse),
                 reset_after != 0,
                 floats(projected),
                 floats(kernel),
                 static_cast<const float*>(optional.next(has_bias)),
                 floats(hidden),
                 floats(outputs),
                 saved->element_count() > 0 ? floats(saved) : nullptr};
    call.loop.mask = static_cast<const bool*>(optional.next(has_mask));
    const Team team(threads, call.loop.operations(gate_count));
    const int64_t width = (gate_count + (call.saved ? 0 : saved_count)) * call.loop.units;
    over_rows(call.loop, team, width, [&](int64_t first, int64_t last, float* memory) {
      forward_rows(call, first, last, memory);
    }, scratch_floats(width * call.loop.batch));
  });
}

ffi::Error gru_gradient(ffi::ThreadPool threads, ffi::AnyBuffer kernel, ffi::AnyBuffer hidden,
                        ffi::AnyBuffer outputs, ffi::AnyBuffer saved,
                        ffi::AnyBuffer d_last_hidden, ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> d_projected,
                        ffi::Result<ffi::AnyBuffer> d_recurrent, ffi::Result<ffi::AnyBuffer> d_hidden,
                        int64_t has_outputs, int64_t has_mask, int64_t reverse, int64_t reset_after) {
  return guarded([&] {
    Optional optional(rest);
    Loop loop(hidden, saved.dimensions()[0], reverse);
    const int64_t units = loop.units, weights = gate_count * units * units;
    float* memory = scratch_floats(weights + loop.batch * units);
    transpose(floats(kernel), gate_count * units, units, gate_count * units, memory);
    const auto* d_outputs = static_cast<const float*>(optional.next(has_outputs));
    loop.mask = static_cast<const bool*>(optional.next(has_mask));
    const Backward call{loop,
                        reset_after != 0,
                        memory,
                        floats(hidden),
                        floats(outputs),
                        floats(saved),
                        d_outputs,
                        floats(d_last_hidden),
                        floats(d_projected),
                        floats(d_recurrent),
                        floats(d_hidden)};
    const Team team(threads, loop.operations(gate_count));
    over_rows(loop, team, units, [&](int64_t first, int64_t last, float* part) {
      backward_rows(call, first, last, part);
    }, memory + weights);
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_gru, lamina::gru,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("has_bias")
                   .Attr<int64_t>("has_mask")
                   .Attr<int64_t>("reverse")
                   .Attr<int64_t>("reset_after"));

LAMINA_HANDLER(lamina_gru_gradient, lamina::gru_gradient,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("has_outputs")
                   .Attr<int64_t>("has_mask")
                   .Attr<int64_t>("reverse")
                   .Attr<int64_t>("reset_after"));
