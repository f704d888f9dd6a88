// Convolutions of 1 to 3 spatial axes, channels last, and their two gradients.
#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include "activations.h"
#include "calls.h"
#include "own_loops.h"
#include "processors.h"

namespace lamina {

namespace {

// The numbers of one sample, or from an axis on.
int64_t count_of(const Dims& dims, size_t from_axis = 1) {
  return std::accumulate(dims.begin() + static_cast<ptrdiff_t>(from_axis), dims.end(), int64_t{1}, std::multiplies<>());
}

// The three shapes of a convolution as oneDNN names them: channels before space, kernels (groups, out, in, *window).
struct Convolution {
  Type type;
  Dims x, kernel, y;
  Dims strides, dilation, low, high;
  int64_t groups;

  Convolution(const ffi::AnyBuffer& inputs, const ffi::AnyBuffer& weights, const ffi::AnyBuffer& outputs,
              Integers strides_, Integers padding, Integers dilation_, int64_t groups_)
      : type(type_of(inputs)), strides(list_of(strides_)), groups(groups_) {
    const Dims window = dims_of(weights);
    const size_t rank = strides.size();
    x = channels_first(dims_of(inputs));
    y = channels_first(dims_of(outputs));
    kernel = {groups, window[rank + 1] / groups, window[rank]};
    kernel.insert(kernel.end(), window.begin(), window.begin() + static_cast<ptrdiff_t>(rank));
    for (size_t axis = 0; axis < rank; ++axis) {
      dilation.push_back(dilation_[axis] - 1);  // oneDNN counts the elements left out
      low.push_back(padding[2 * axis]);
      high.push_back(padding[2 * axis + 1]);
    }
  }

  static Dims channels_first(Dims dims) {
    dims.insert(dims.begin() + 1, dims.back());
    dims.pop_back();
    return dims;
  }

  Key key(int64_t kind) const {
    Key key{kind, static_cast<int64_t>(type), groups};
    for (const Dims& dims : {x, kernel, y, strides, dilation, low, high}) append(key, dims);
    return key;
  }

  // The same convolution of the samples from `first` to `last` alone.
  Convolution samples(int64_t first, int64_t last) const {
    Convolution part = *this;
    part.x[0] = part.y[0] = last - first;
    return part;
  }

  // Those outputs alone that lie from `first` to `last` on the first spatial axis, and the inputs that they need, from
  // `begin` on.
  std::optional<Convolution> rows(int64_t first, int64_t last, int64_t& begin) const {
    Convolution part = *this;
    const int64_t span = (kernel[3] - 1) * (dilation[0] + 1) + 1, start = first * strides[0] - low[0];
    const int64_t end = (last - 1) * strides[0] - low[0] + span;
    begin = std::max<int64_t>(start, 0);
    part.x[2] = std::max<int64_t>(std::min(end, x[2]) - begin, 0);
    part.y[2] = last - first;
    part.low[0] = begin - start;
    part.high[0] = std::max<int64_t>(end - x[2], 0);
    return part;
  }

  // Those inputs alone that lie from `first` to `last` on the first spatial axis, and the outputs that see them, from
  // `begin` on; none where the window leaves inputs out.
  std::optional<Convolution> rows_of_inputs(int64_t first, int64_t last, int64_t& begin) const {
    Convolution part = *this;
    const int64_t reach = (kernel[3] - 1) * (dilation[0] + 1), stride = strides[0];
    begin = (std::max<int64_t>(first + low[0] - reach, 0) + stride - 1) / stride;
    const int64_t end = std::min((last - 1 + low[0]) / stride + 1, y[2]);
    part.x[2] = last - first;
    part.y[2] = end - begin;
    part.low[0] = first + low[0] - begin * stride;
    part.high[0] = std::max<int64_t>((end - 1 - begin) * stride + reach + 1 - part.x[2] - part.low[0], 0);
    if (begin >= end || part.low[0] < 0) return std::nullopt;
    return part;
  }

  double operations() const {
    double product = 2.0 * static_cast<double>(y[0]);
    for (const int64_t size : kernel) product *= static_cast<double>(size);
    for (size_t axis = 2; axis < y.size(); ++axis) product *= static_cast<double>(y[axis]);
    return product;
  }

  size_t rank() const { return strides.size(); }

  Shapes shapes() const {
    const auto axis = [&](size_t place) {
      return Axis{x[place + 2], y[place + 2], kernel[place + 3], strides[place], dilation[place] + 1, low[place]};
    };
    return {x[0], x[1], y[1], groups, rank() == 2 ? axis(0) : Axis{}, axis(rank() - 1)};
  }

  // The first of our own ways that fits, if any: they compute in float32 and hold their sums in wide registers.
  // Where each output has to be a plain sum of its own inputs, values at points are no way.
  const Way* own_way(bool (*Way::*fits)(const Shapes&), bool plain_sums) const {
    if (!has_avx512() || type != Type::f32 || rank() > 2 || count_of(y, 0) == 0) return nullptr;
    for (const Way* way : {&depthwise::way, &winograd::way, &plain::way})
      if (!(plain_sums && way == &winograd::way) && (way->*fits)(shapes())) return way;
    return nullptr;
  }

  // The layout that XLA gives: batch, space, channels.
  Desc channels_last(const Dims& dims) const {
    using Tag = dnnl::memory::format_tag;
    const Tag tags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
    return Desc(dims, type, tags[rank() - 1]);
  }

  // The kernel as XLA lays it out, window first, then channels in, then filters, those of a group side by side.
  Desc kernel_given() const {
    const int64_t out = kernel[1], in = kernel[2];
    Dims steps{out, 1, groups * out};
    int64_t step = groups * out * in;
    Dims window;
    for (size_t axis = rank(); axis-- > 0;) {
      window.insert(window.begin(), step);
      step *= kernel[axis + 3];
    }
    steps.insert(steps.end(), window.begin(), window.end());
    return groups > 1 ? Desc(kernel, type, steps) : Desc(without_groups(kernel), type, without_groups(steps));
  }

  Desc kernel_wanted() const {
    return Desc(groups > 1 ? kernel : without_groups(kernel), type, dnnl::memory::format_tag::any);
  }

  static Dims without_groups(const Dims& dims) { return Dims(dims.begin() + 1, dims.end()); }

  dnnl::convolution_forward::primitive_desc forward(const Desc& bias, const dnnl::primitive_attr& attributes,
                                                    dnnl::prop_kind kind) const {
    return {engine(),          kind,    dnnl::algorithm::convolution_direct,
            channels_last(x),  kernel_wanted(), bias,
            channels_last(y),  strides, dilation,
            low,               high,    attributes};
  }
};

using Made = std::shared_ptr<const Plan>;

Made convolving(const Convolution& shapes, bool has_bias, int64_t activation) {
  Key key = shapes.key(has_bias ? 1 : 0);
  key.push_back(activation);
  return Plans::shared().get(std::move(key), [&] {
    const Desc bias = has_bias ? Desc({shapes.y[1]}, shapes.type, dnnl::memory::format_tag::x) : Desc();
    dnnl::primitive_attr attributes = lamina::attributes();
    attributes.set_post_ops(activations(activation));
    const auto how = shapes.forward(bias, attributes, dnnl::prop_kind::forward_inference);
    std::vector<Operand> inputs{{DNNL_ARG_SRC, how.src_desc()}, {DNNL_ARG_WEIGHTS, how.weights_desc()}};
    if (has_bias) inputs.push_back({DNNL_ARG_BIAS, bias});
    return Plan(dnnl::convolution_forward(how), how.scratchpad_desc(), inputs, {{DNNL_ARG_DST, how.dst_desc()}});
  });
}

Made of_inputs(const Convolution& shapes) {
  return Plans::shared().get(shapes.key(2), [&] {
    const auto forward = shapes.forward(Desc(), attributes(), dnnl::prop_kind::forward_training);
    const dnnl::convolution_backward_data::primitive_desc how(
        engine(), dnnl::algorithm::convolution_direct, shapes.channels_last(shapes.x), shapes.kernel_wanted(),
        shapes.channels_last(shapes.y), shapes.strides, shapes.dilation, shapes.low, shapes.high, forward,
        attributes());
    return Plan(dnnl::convolution_backward_data(how), how.scratchpad_desc(),
                {{DNNL_ARG_DIFF_DST, how.diff_dst_desc()}, {DNNL_ARG_WEIGHTS, how.weights_desc()}},
                {{DNNL_ARG_DIFF_SRC, how.diff_src_desc()}});
  });
}

Made of_kernel(const Convolution& shapes) {
  return Plans::shared().get(shapes.key(3), [&] {
    const auto forward = shapes.forward(Desc(), attributes(), dnnl::prop_kind::forward_training);
    const dnnl::convolution_backward_weights::primitive_desc how(
        engine(), dnnl::algorithm::convolution_direct, shapes.channels_last(shapes.x), shapes.kernel_wanted(),
        shapes.channels_last(shapes.y), shapes.strides, shapes.dilation, shapes.low, shapes.high, forward,
        attributes());
    return Plan(dnnl::convolution_backward_weights(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, how.src_desc()}, {DNNL_ARG_DIFF_DST, how.diff_dst_desc()}},
                {{DNNL_ARG_DIFF_WEIGHTS, how.diff_weights_desc()}});
  });
}

// The kernel in the layout that `plan` wants: itself, or a copy in the memory of this call.
const void* in_layout(const Convolution& shapes, const Desc& wanted, int64_t kind, const void* kernel) {
  const Desc given = shapes.kernel_given();
  if (given == wanted) return kernel;
  std::byte* copy = scratch(wanted.get_size());
  const auto plan = Plans::shared().get(shapes.key(kind), [&] { return reorder(given, wanted); });
  plan->run({kernel}, {copy});
  return copy;
}

// What a call has to do: primitives, each with its arrays, which all read one kernel (the second of their inputs).
struct Parts {
  struct Part {
    Made plan;
    std::vector<const void*> inputs;
    void* output;
  };
  std::vector<Part> all;

  // One part for each thread, of some samples, or some rows where there is one sample: `part` makes it of its shapes, and
  // where it begins in what is read and what is written. One for all where that cannot be.
  template <typename Rows, typename Make>
  void divide(const Convolution& whole, const Team& team, const Dims& read, const Dims& written, Rows rows, Make&& part) {
    bool divisible = true;
    if (written[0] > 1) {
      each_range(written[0], team.size(), [&](int64_t first, int64_t last) {
        all.push_back(part(whole.samples(first, last), first * count_of(read), first * count_of(written)));
      });
    } else {
      each_range(written[2], team.size(), [&](int64_t first, int64_t last) {
        int64_t begin;
        const std::optional<Convolution> shapes = (whole.*rows)(first, last, begin);
        divisible = divisible && shapes;
        if (!shapes) return;
        const int64_t from = begin * read[1] * count_of(read, 3), to = first * written[1] * count_of(written, 3);
        all.push_back(part(*shapes, from, to));
      });
    }
    if (!divisible || !of_one_layout()) all = {part(whole, 0, 0)};
  }

  bool of_one_layout() const {
    return std::all_of(all.begin(), all.end(),
                       [&](const Part& part) { return part.plan->input(1) == all.front().plan->input(1); });
  }

  void run(const Team& team, const void* kernel) {
    for (Part& part : all) part.inputs[1] = kernel;
    team.run(static_cast<int64_t>(all.size()), [&](int64_t i) {
      const Part& part = all[static_cast<size_t>(i)];
      part.plan->run(part.inputs, {part.output});
    });
  }
};

ffi::Error convolve(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::AnyBuffer kernel, ffi::RemainingArgs rest,
                    ffi::Result<ffi::AnyBuffer> y, Integers strides, Integers padding, Integers dilation,
                    int64_t groups, int64_t plain_sums, int64_t activation) {
  return guarded([&] {
    const Convolution whole(x, kernel, *y, strides, padding, dilation, groups);
    const Team team(threads, whole.operations());
    if (const Way* own = rest.size() == 0 && activation == 0 ? whole.own_way(&Way::fits, plain_sums != 0) : nullptr)
      return own->convolve(whole.shapes(), team, floats(x), floats(kernel), floats(y));
    const void* bias = rest.size() == 1 ? rest.get<ffi::AnyBuffer>(0).value().untyped_data() : nullptr;
    const auto part = [&](const Convolution& shapes, int64_t from, int64_t to) {
      std::vector<const void*> inputs{at(x, from), nullptr};
      if (bias) inputs.push_back(bias);
      return Parts::Part{convolving(shapes, bias != nullptr, activation), inputs, at(y, to)};
    };
    Parts parts;
    parts.divide(whole, team, whole.x, whole.y, &Convolution::rows, part);
    parts.run(team, in_layout(whole, parts.all.front().plan->input(1), 5, kernel.untyped_data()));
  });
}

ffi::Error input_gradient(ffi::ThreadPool threads, ffi::AnyBuffer dy, ffi::AnyBuffer kernel,
                          ffi::Result<ffi::AnyBuffer> dx, Integers strides, Integers padding, Integers dilation,
                          int64_t groups, int64_t plain_sums) {
  return guarded([&] {
    const Convolution whole(*dx, kernel, dy, strides, padding, dilation, groups);
    const Team team(threads, whole.operations());
    if (const Way* own = whole.own_way(&Way::fits_input_gradient, plain_sums != 0))
      return own->input_gradient(whole.shapes(), team, floats(dy), floats(kernel), floats(dx));
    const auto part = [&](const Convolution& shapes, int64_t from, int64_t to) {
      return Parts::Part{of_inputs(shapes), {at(dy, from), nullptr}, at(dx, to)};
    };
    Parts parts;
    parts.divide(whole, team, whole.y, whole.x, &Convolution::rows_of_inputs, part);
    parts.run(team, in_layout(whole, parts.all.front().plan->input(1), 6, kernel.untyped_data()));
  });
}

// Each thread sums over samples of its own; then the sums are added.
ffi::Error kernel_gradient(ffi::ThreadPool threads, ffi::AnyBuffer x, ffi::AnyBuffer dy,
                           ffi::Result<ffi::AnyBuffer> dkernel, Integers strides, Integers padding, Integers dilation,
                           int64_t groups, int64_t plain_sums) {
  return guarded([&] {
    const Convolution whole(x, *dkernel, dy, strides, padding, dilation, groups);
    const Team team(threads, whole.operations());
    if (const Way* own = whole.own_way(&Way::fits_kernel_gradient, plain_sums != 0))
      return own->kernel_gradient(whole.shapes(), team, floats(x), floats(dy), floats(dkernel));
    struct Part {
      Convolution shapes;
      Made plan;
      int64_t first;
      size_t place;
    };
    std::vector<Part> parts;
    size_t size = 0;
    each_range(whole.x[0], team.size(), [&](int64_t first, int64_t last) {
      const Convolution shapes = whole.samples(first, last);
      parts.push_back({shapes, of_kernel(shapes), first, size});
      size += (parts.back().plan->output(0).get_size() + 63) / 64 * 64;
    });
    std::byte* sums = scratch(size);
    team.run(static_cast<int64_t>(parts.size()), [&](int64_t i) {
      const Part& part = parts[static_cast<size_t>(i)];
      part.plan->run({at(x, part.first * count_of(whole.x)), at(dy, part.first * count_of(whole.y))},
                     {sums + part.place});
    });
    for (const Part& part : parts) {
      const bool add = part.first > 0;
      const auto plan = Plans::shared().get(part.shapes.key(add ? 8 : 7), [&] {
        return reorder(part.plan->output(0), whole.kernel_given(), add);
      });
      plan->run({sums + part.place}, {dkernel->untyped_data()});
    }
  });
}

}  // namespace

}  // namespace lamina

#define LAMINA_WINDOW_ATTRIBUTES      \
  .Attr<lamina::Integers>("strides")  \
  .Attr<lamina::Integers>("padding")  \
  .Attr<lamina::Integers>("dilation") \
  .Attr<int64_t>("groups")            \
  .Attr<int64_t>("plain_sums")

LAMINA_HANDLER(lamina_convolve, lamina::convolve,
                              LAMINA_BIND
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .RemainingArgs()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES.Attr<int64_t>("activation"));

LAMINA_HANDLER(lamina_convolve_input_gradient, lamina::input_gradient,
                              LAMINA_BIND
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES);

LAMINA_HANDLER(lamina_convolve_kernel_gradient, lamina::kernel_gradient,
                              LAMINA_BIND
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES);
