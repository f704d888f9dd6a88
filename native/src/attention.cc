// softmax(q . k * scale) . v for each head, and its gradient; no array of all scores is ever made.
#include <algorithm>
#include <limits>

#include "calls.h"
#include "processors.h"
#include "vectors.h"

namespace lamina {

namespace {

constexpr int64_t block = 32;  // queries whose scores are looked at together

// Which keys a query sees; an axis of one element stands for all of its places.
struct Mask {
  const bool* seen = nullptr;
  int64_t steps[4] = {0, 0, 0, 0};

  explicit Mask(const ffi::RemainingArgs& rest) {
    if (rest.size() == 0) return;
    const auto buffer = rest.get<ffi::AnyBuffer>(0).value();
    seen = static_cast<const bool*>(buffer.untyped_data());
    int64_t step = 1;
    for (size_t axis = 4; axis-- > 0;) {
      const int64_t size = buffer.dimensions()[axis];
      steps[axis] = size == 1 ? 0 : step;
      step *= size;
    }
  }

  bool operator()(int64_t sample, int64_t head, int64_t query, int64_t key) const {
    return seen[sample * steps[0] + head * steps[1] + query * steps[2] + key * steps[3]];
  }
};

// The arrays of a call: queries (batch, queries, heads, size), keys and values likewise.
struct Attention {
  int64_t batch, heads, queries, keys, size, value_size;
  float scale;
  Mask mask;

  Attention(const ffi::AnyBuffer& q, const ffi::AnyBuffer& k, const ffi::AnyBuffer& v, const ffi::RemainingArgs& rest,
            double scale_)
      : batch(q.dimensions()[0]),
        heads(q.dimensions()[2]),
        queries(q.dimensions()[1]),
        keys(k.dimensions()[1]),
        size(q.dimensions()[3]),
        value_size(v.dimensions()[3]),
        scale(static_cast<float>(scale_)),
        mask(rest) {}

  double operations(double products) const {
    return products * static_cast<double>(batch * heads * queries) * static_cast<double>(keys * (size + value_size));
  }
  int64_t q_step() const { return heads * size; }
  int64_t v_step() const { return heads * value_size; }
  int64_t q_place(int64_t sample, int64_t query, int64_t head) const {
    return ((sample * queries + query) * heads + head) * size;
  }
  int64_t k_place(int64_t sample, int64_t head) const { return (sample * keys * heads + head) * size; }
  int64_t v_place(int64_t sample, int64_t head) const { return (sample * keys * heads + head) * value_size; }
  int64_t y_place(int64_t sample, int64_t query, int64_t head) const {
    return ((sample * queries + query) * heads + head) * value_size;
  }
  // The largest score of a query, and one over the sum of the powers of its scores less that.
  int64_t stats_place(int64_t sample, int64_t head, int64_t query) const {
    return ((sample * heads + head) * queries + query) * 2;
  }
};

// What a masked score is: so far below others that its power is 0, and the same for all keys where none is seen.
constexpr float unseen = -0.7f * std::numeric_limits<float>::max();

// The scores of `rows` queries from `first` on, times the scale.
[[gnu::always_inline]] inline void scores_of(const Attention& call, const float* q, const float* transposed_keys,
                                             int64_t sample, int64_t head, int64_t first, int64_t rows,
                                             float* scores) {
  std::fill_n(scores, rows * call.keys, 0.0f);
  accumulate_product(scores, call.keys, q + call.q_place(sample, first, head), call.q_step(), transposed_keys,
                     call.keys, rows, call.size, call.keys);
  for (int64_t i = 0; i < rows * call.keys; ++i) scores[i] *= call.scale;
  if (call.mask.seen == nullptr) return;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < call.keys; ++j)
      if (!call.mask(sample, head, first + i, j)) scores[i * call.keys + j] = unseen;
}

LAMINA_EVERY_PROCESSOR
void forward_head(const Attention& call, const float* q, const float* k, const float* v, float* y, float* stats,
                  int64_t sample, int64_t head, float* scratch) {
  float *transposed_keys = scratch, *scores = scratch + call.size * call.keys;
  transpose(k + call.k_place(sample, head), call.q_step(), call.keys, call.size, transposed_keys);
  for (int64_t first = 0; first < call.queries; first += block) {
    const int64_t rows = std::min(block, call.queries - first);
    scores_of(call, q, transposed_keys, sample, head, first, rows, scores);
    for (int64_t i = 0; i < rows; ++i) {
      float* row = scores + i * call.keys;
      float* stat = stats + call.stats_place(sample, head, first + i);
      stat[0] = largest_of(row, call.keys);
      stat[1] = 1 / powers_and_sum(row, stat[0], call.keys);
      for (int64_t j = 0; j < call.keys; ++j) row[j] *= stat[1];
      std::fill_n(y + call.y_place(sample, first + i, head), call.value_size, 0.0f);
    }
    accumulate_product(y + call.y_place(sample, first, head), call.v_step(), scores, call.keys,
                       v + call.v_place(sample, head), call.v_step(), rows, call.keys, call.value_size);
  }
}

struct Gradient {
  const float *q, *k, *v, *y, *stats, *dy;
  float *dq, *dk, *dv;
};

LAMINA_EVERY_PROCESSOR
void backward_head(const Attention& call, const Gradient& arrays, int64_t sample, int64_t head, float* scratch) {
  const int64_t keys = call.keys;
  const float *k = arrays.k + call.k_place(sample, head), *v = arrays.v + call.v_place(sample, head);
  float *dk = arrays.dk + call.k_place(sample, head), *dv = arrays.dv + call.v_place(sample, head);
  float* transposed_keys = scratch;
  float* transposed_values = transposed_keys + call.size * keys;
  float* weights = transposed_values + call.value_size * keys;
  float* d_scores = weights + block * keys;
  transpose(k, call.q_step(), keys, call.size, transposed_keys);
  transpose(v, call.v_step(), keys, call.value_size, transposed_values);
  for (int64_t j = 0; j < keys; ++j) {
    std::fill_n(dk + j * call.q_step(), call.size, 0.0f);
    std::fill_n(dv + j * call.v_step(), call.value_size, 0.0f);
  }
  for (int64_t first = 0; first < call.queries; first += block) {
    const int64_t rows = std::min(block, call.queries - first);
    const float *q = arrays.q + call.q_place(sample, first, head), *y = arrays.y + call.y_place(sample, first, head);
    const float* dy = arrays.dy + call.y_place(sample, first, head);
    float* dq = arrays.dq + call.q_place(sample, first, head);
    scores_of(call, arrays.q, transposed_keys, sample, head, first, rows, weights);
    std::fill_n(d_scores, rows * keys, 0.0f);
    accumulate_product(d_scores, keys, dy, call.v_step(), transposed_values, keys, rows, call.value_size, keys);
    for (int64_t i = 0; i < rows; ++i) {
      const float* stat = arrays.stats + call.stats_place(sample, head, first + i);
      float *weight = weights + i * keys, *d_score = d_scores + i * keys;
      powers_and_sum(weight, stat[0], keys);
      float mean = 0;  // of the gradients of this query's weights
      for (int64_t u = 0; u < call.value_size; ++u) mean += dy[i * call.v_step() + u] * y[i * call.v_step() + u];
      for (int64_t j = 0; j < keys; ++j) {
        weight[j] *= stat[1];
        d_score[j] = weight[j] * (d_score[j] - mean) * call.scale;
      }
      if (call.mask.seen != nullptr)
        for (int64_t j = 0; j < keys; ++j)
          if (!call.mask(sample, head, first + i, j)) d_score[j] = 0;
      std::fill_n(dq + i * call.q_step(), call.size, 0.0f);
    }
    accumulate_product(dq, call.q_step(), d_scores, keys, k, call.q_step(), rows, keys, call.size);
    accumulate_transposed_product(dk, call.q_step(), d_scores, keys, q, call.q_step(), keys, rows, call.size);
    accumulate_transposed_product(dv, call.v_step(), weights, keys, dy, call.v_step(), keys, rows, call.value_size);
  }
}

// `body(sample, head, scratch)` for each head of each sample, with `count` floats of scratch memory.
template <typename Body>
void over_heads(ffi::ThreadPool& threads, const Attention& call, double products, int64_t count, Body&& body) {
  const Team team(threads, call.operations(products));
  team.run_ranges(call.batch * call.heads, [&](int64_t first, int64_t last) {
    float* memory = scratch_floats(count);
    for (int64_t i = first; i < last; ++i) body(i / call.heads, i % call.heads, memory);
  });
}

ffi::Error attention(ffi::ThreadPool threads, ffi::AnyBuffer q, ffi::AnyBuffer k, ffi::AnyBuffer v,
                     ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> y, ffi::Result<ffi::AnyBuffer> stats,
                     double scale) {
  return guarded([&] {
    const Attention call(q, k, v, rest, scale);
    over_heads(threads, call, 2, call.keys * (call.size + block), [&](int64_t sample, int64_t head, float* memory) {
      forward_head(call, floats(q), floats(k), floats(v), floats(y), floats(stats), sample, head, memory);
    });
  });
}

ffi::Error attention_gradient(ffi::ThreadPool threads, ffi::AnyBuffer q, ffi::AnyBuffer k, ffi::AnyBuffer v,
                              ffi::AnyBuffer y, ffi::AnyBuffer stats, ffi::AnyBuffer dy, ffi::RemainingArgs rest,
                              ffi::Result<ffi::AnyBuffer> dq, ffi::Result<ffi::AnyBuffer> dk,
                              ffi::Result<ffi::AnyBuffer> dv, double scale) {
  return guarded([&] {
    const Attention call(q, k, v, rest, scale);
    const Gradient arrays{floats(q), floats(k), floats(v),  floats(y), floats(stats),
                          floats(dy), floats(dq), floats(dk), floats(dv)};
    const int64_t count = call.keys * (call.size + call.value_size + 2 * block);
    over_heads(threads, call, 5, count, [&](int64_t sample, int64_t head, float* memory) {
      backward_head(call, arrays, sample, head, memory);
    });
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_attention, lamina::attention,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<double>("scale"));

LAMINA_HANDLER(lamina_attention_gradient, lamina::attention_gradient,
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
                   .Attr<double>("scale"));
