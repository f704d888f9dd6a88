// The LSTM's loop over time and its gradient; gates in the order i, f, c, o.
#include "recurrent.h"

namespace lamina {

namespace {

constexpr int64_t gate_count = 4;

struct Forward {
  Loop loop;
  const float *projected, *kernel, *bias, *hidden, *carry;
  float *outputs, *last_carry;
  float *gates, *carries;  // for the gradient, or none
};

// What `sums` (the gates before their activations) make of the carry; the gates stay there.
[[gnu::always_inline]] inline void advance(float* __restrict sums, const float* carry, float* new_carry,
                                           float* __restrict output, int64_t units) {
  float *i = sums, *f = sums + units, *c = sums + 2 * units, *o = sums + 3 * units;
  for (int64_t u = 0; u < units; ++u) {
    i[u] = sigmoid_of(i[u]);
    f[u] = sigmoid_of(f[u]);
    c[u] = tanh_of(c[u]);
    o[u] = sigmoid_of(o[u]);
    const float now = f[u] * carry[u] + i[u] * c[u];
    new_carry[u] = now;
    output[u] = o[u] * tanh_of(now);
  }
}

// Rows `first` to `last`; `scratch` holds their gates and carries where those are not kept.
LAMINA_EVERY_PROCESSOR
void forward_rows(const Forward& call, int64_t first, int64_t last, float* scratch) {
  const Loop& loop = call.loop;
  const int64_t units = loop.units, width = gate_count * units, rows = last - first;
  const float *hidden = call.hidden + first * units, *carry = call.carry + first * units;
  for (int64_t i = 0; i < loop.steps; ++i) {
    const int64_t t = loop.time(i);
    float* gates = call.gates ? loop.at(call.gates, t, first, width) : scratch;
    float* carries = call.carries ? loop.at(call.carries, t, first, units) : scratch + rows * width;
    float* outputs = loop.at(call.outputs, t, first, units);
    copy_rows(gates, loop.at(call.projected, t, first, width), call.bias, rows, width);
    accumulate_product(gates, width, hidden, units, call.kernel, width, rows, units, width);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * units;
      if (loop.moves(t, first + row)) {
        advance(gates + row * width, carry + at, carries + at, outputs + at, units);
      } else {
        std::memmove(carries + at, carry + at, static_cast<size_t>(units) * sizeof(float));
        std::memcpy(outputs + at, hidden + at, static_cast<size_t>(units) * sizeof(float));
      }
    }
    hidden = outputs;
    carry = carries;
  }
  std::copy(carry, carry + rows * units, call.last_carry + first * units);
}

struct Backward {
  Loop loop;
  const float *kernel_transposed, *carry, *carries, *gates;
  const float *d_outputs, *d_last_hidden, *d_last_carry;
  float *d_projected, *d_hidden, *d_carry;
  float* d_bias;  // for each row of the batch, or none
};

// The gradient of `advance`: of the gates' sums into `d_sums`, of the carry in place.
[[gnu::always_inline]] inline void retreat(const float* __restrict gates, const float* __restrict carry,
                                           const float* __restrict new_carry, const float* __restrict d_output,
                                           float* __restrict d_carry, float* __restrict d_sums, int64_t units) {
  const float *i = gates, *f = gates + units, *c = gates + 2 * units, *o = gates + 3 * units;
  for (int64_t u = 0; u < units; ++u) {
    const float active = tanh_of(new_carry[u]);
    const float d_new = d_carry[u] + d_output[u] * o[u] * (1 - active * active);
    d_sums[u] = d_new * c[u] * i[u] * (1 - i[u]);
    d_sums[units + u] = d_new * carry[u] * f[u] * (1 - f[u]);
    d_sums[2 * units + u] = d_new * i[u] * (1 - c[u] * c[u]);
    d_sums[3 * units + u] = d_output[u] * active * o[u] * (1 - o[u]);
    d_carry[u] = d_new * f[u];
  }
}

// Rows `first` to `last`; `d_hidden` and `d_carry` hold the gradients of the states as the loop goes back.
LAMINA_EVERY_PROCESSOR
void backward_rows(const Backward& call, int64_t first, int64_t last, float* scratch) {
  const Loop& loop = call.loop;
  const int64_t units = loop.units, width = gate_count * units, rows = last - first;
  float *d_hidden = call.d_hidden + first * units, *d_carry = call.d_carry + first * units, *d_output = scratch;
  std::copy_n(call.d_last_hidden + first * units, rows * units, d_hidden);
  std::copy_n(call.d_last_carry + first * units, rows * units, d_carry);
  float* d_bias = call.d_bias ? call.d_bias + first * width : nullptr;
  if (d_bias) std::fill_n(d_bias, rows * width, 0.0f);
  for (int64_t i = loop.steps; i-- > 0;) {
    const int64_t t = loop.time(i);
    float* d_sums = loop.at(call.d_projected, t, first, width);
    const float* given = call.d_outputs ? loop.at(call.d_outputs, t, first, units) : nullptr;
    for (int64_t at = 0; at < rows * units; ++at) d_output[at] = d_hidden[at] + (given ? given[at] : 0);
    const float* before = i > 0 ? loop.at(call.carries, loop.time(i - 1), first, units) : call.carry + first * units;
    const float* gates = loop.at(call.gates, t, first, width);
    const float* carries = loop.at(call.carries, t, first, units);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * units;
      const bool moves = loop.moves(t, first + row);
      for (int64_t u = 0; u < units; ++u) d_hidden[at + u] = moves ? 0 : d_output[at + u];
      if (moves)
        retreat(gates + row * width, before + at, carries + at, d_output + at, d_carry + at, d_sums + row * width,
                units);
      else
        std::fill_n(d_sums + row * width, width, 0.0f);
    }
    for (int64_t at = 0; d_bias && at < rows * width; ++at) d_bias[at] += d_sums[at];
    accumulate_product(d_hidden, units, d_sums, width, call.kernel_transposed, units, rows, width, units);
  }
}

ffi::Error lstm(ffi::ThreadPool threads, ffi::AnyBuffer projected, ffi::AnyBuffer kernel, ffi::AnyBuffer hidden,
                ffi::AnyBuffer carry,
                ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> outputs, ffi::Result<ffi::AnyBuffer> last_carry,
                ffi::Result<ffi::AnyBuffer> gates, ffi::Result<ffi::AnyBuffer> carries, int64_t has_bias,
                int64_t has_mask, int64_t reverse) {
  return guarded([&] {
    Optional optional(rest);
    const bool save = gates->element_count() > 0;
    Forward call{Loop(hidden, projected.dimensions()[0], reverse),
                 floats(projected),
                 floats(kernel),
                 static_cast<const float*>(optional.next(has_bias)),
                 floats(hidden),
                 floats(carry),
                 floats(outputs),
                 floats(last_carry),
                 save ? floats(gates) : nullptr,
                 save ? floats(carries) : nullptr};
    call.loop.mask = static_cast<const bool*>(optional.next(has_mask));
    const Team team(threads, call.loop.operations(gate_count));
    const int64_t width = save ? 0 : (gate_count + 1) * call.loop.units;
    over_rows(call.loop, team, width, [&](int64_t first, int64_t last, float* memory) {
      forward_rows(call, first, last, memory);
    }, scratch_floats(width * call.loop.batch));
  });
}

ffi::Error lstm_gradient(ffi::ThreadPool threads, ffi::AnyBuffer kernel, ffi::AnyBuffer carry, ffi::AnyBuffer gates,
                         ffi::AnyBuffer carries,
                         ffi::AnyBuffer d_last_hidden, ffi::AnyBuffer d_last_carry, ffi::RemainingArgs rest,
                         ffi::Result<ffi::AnyBuffer> d_projected, ffi::Result<ffi::AnyBuffer> d_hidden,
                         ffi::Result<ffi::AnyBuffer> d_carry, ffi::Result<ffi::AnyBuffer> d_bias, int64_t has_outputs,
                         int64_t has_mask, int64_t reverse) {
  return guarded([&] {
    Optional optional(rest);
    Loop loop(carry, gates.dimensions()[0], reverse);
    const int64_t units = loop.units, weights = gate_count * units * units;
    float* memory = scratch_floats(weights + loop.batch * units);
    transpose(floats(kernel), gate_count * units, units, gate_count * units, memory);
    const auto* d_outputs = static_cast<const float*>(optional.next(has_outputs));
    loop.mask = static_cast<const bool*>(optional.next(has_mask));
    const Backward call{loop,
                        memory,
                        floats(carry),
                        floats(carries),
                        floats(gates),
                        d_outputs,
                        floats(d_last_hidden),
                        floats(d_last_carry),
                        floats(d_projected),
                        floats(d_hidden),
                        floats(d_carry),
                        d_bias->element_count() > 0 ? floats(d_bias) : nullptr};
    const Team team(threads, loop.operations(gate_count));
    over_rows(loop, team, units, [&](int64_t first, int64_t last, float* part) {
      backward_rows(call, first, last, part);
    }, memory + weights);
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_lstm, lamina::lstm,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("has_bias")
                   .Attr<int64_t>("has_mask")
                   .Attr<int64_t>("reverse"));

LAMINA_HANDLER(lamina_lstm_gradient, lamina::lstm_gradient,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("has_outputs")
                   .Attr<int64_t>("has_mask")
                   .Attr<int64_t>("reverse"));
