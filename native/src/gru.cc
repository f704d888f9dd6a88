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

[[gnu::always_inline]] inline float mix(float z, float hidden, float candidate) {
  return z * hidden + (1 - z) * candidate;
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
    for (int64_t row = 0; row < rows; ++row) {
      const float *given = projected + row * width, *before = hidden + row * units;
      float *sum = sums + row * width, *z = saved + row * kept, *r = z + units, *last_one = z + 3 * units;
      for (int64_t u = 0; u < units; ++u) {
        z[u] = sigmoid_of(given[u] + sum[u]);
        r[u] = sigmoid_of(given[units + u] + sum[units + u]);
        last_one[u] = call.reset_after ? sum[2 * units + u] : r[u] * before[u];
      }
    }
    if (!call.reset_after)
      accumulate_product(sums + 2 * units, width, saved + 3 * units, kept, call.kernel + 2 * units, width, rows, units,
                         units);
    for (int64_t row = 0; row < rows; ++row) {
      const float *given = projected + row * width + 2 * units, *sum = sums + row * width + 2 * units;
      float *z = saved + row * kept, *r = z + units, *candidate = z + 2 * units;
      const bool moves = loop.moves(t, first + row);
      for (int64_t u = 0; u < units; ++u) {
        candidate[u] = tanh_of(given[u] + (call.reset_after ? r[u] : 1) * sum[u]);
        const float before = hidden[row * units + u];
        outputs[row * units + u] = moves ? mix(z[u], before, candidate[u]) : before;
      }
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
    for (int64_t row = 0; row < rows; ++row) {
      const float *z = saved + row * kept, *r = z + units, *candidate = z + 2 * units, *sum = z + 3 * units;
      float* __restrict d_sum = d_projected + row * width;
      float* __restrict d_inner = d_recurrent + row * width;
      const float moves = loop.moves(t, first + row) ? 1 : 0;
      for (int64_t u = 0; u < units; ++u) {
        const int64_t at = row * units + u;
        const float d_output = d_hidden[at] + (given ? given[at] : 0), d_new = moves * d_output;
        const float d_candidate = d_new * (1 - z[u]) * (1 - candidate[u] * candidate[u]);
        d_sum[u] = d_new * (before[at] - candidate[u]) * z[u] * (1 - z[u]);
        d_sum[units + u] = d_candidate * sum[u] * r[u] * (1 - r[u]);  // written again below where r comes first
        d_sum[2 * units + u] = d_candidate;
        d_inner[2 * units + u] = call.reset_after ? d_candidate * r[u] : d_candidate;
        d_hidden[at] = d_output - d_new + d_new * z[u];
      }
    }
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
      }
    }
    for (int64_t row = 0; row < rows; ++row)
      std::copy_n(d_projected + row * width, 2 * units, d_recurrent + row * width);
    accumulate_product(d_hidden, units, d_recurrent, width, call.kernel_transposed, units, rows,
                       call.reset_after ? width : 2 * units, units);
  }
}

ffi::Error gru(ffi::AnyBuffer projected, ffi::AnyBuffer kernel, ffi::AnyBuffer hidden, ffi::RemainingArgs rest,
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
    const Team team(call.loop.operations(gate_count));
    const int64_t width = (gate_count + (call.saved ? 0 : saved_count)) * call.loop.units;
    over_rows(call.loop, team, width, [&](int64_t first, int64_t last, float* memory) {
      forward_rows(call, first, last, memory);
    }, scratch_floats(width * call.loop.batch));
  });
}

ffi::Error gru_gradient(ffi::AnyBuffer kernel, ffi::AnyBuffer hidden, ffi::AnyBuffer outputs, ffi::AnyBuffer saved,
                        ffi::AnyBuffer d_last_hidden, ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> d_projected,
                        ffi::Result<ffi::AnyBuffer> d_recurrent, ffi::Result<ffi::AnyBuffer> d_hidden,
                        int64_t has_outputs, int64_t has_mask, int64_t reverse, int64_t reset_after) {
  return guarded([&] {
    Optional optional(rest);
    Loop loop(hidden, saved.dimensions()[0], reverse);
    const int64_t units = loop.units, weights = gate_count * units * units;
    float* memory = scratch_floats(weights + loop.batch * units);
    transpose(floats(kernel), units, gate_count * units, memory);
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
    const Team team(loop.operations(gate_count));
    over_rows(loop, team, units, [&](int64_t first, int64_t last, float* part) {
      backward_rows(call, first, last, part);
    }, memory + weights);
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_gru, lamina::gru,
               xla::ffi::Ffi::Bind()
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
               xla::ffi::Ffi::Bind()
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
