// Convolutions of 1 to 3 spatial axes, channels last, and their two gradients.
#include "activations.h"
#include "calls.h"

namespace lamina {

namespace {

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

  Key key(int64_t kind, const Team& team) const {
    Key key{kind, static_cast<int64_t>(type), team.size(), groups};
    for (const Dims& dims : {x, kernel, y, strides, dilation, low, high}) append(key, dims);
    return key;
  }

  double operations() const {
    double product = 2.0 * static_cast<double>(y[0]);
    for (const int64_t size : kernel) product *= static_cast<double>(size);
    for (size_t axis = 2; axis < y.size(); ++axis) product *= static_cast<double>(y[axis]);
    return product;
  }

  size_t rank() const { return strides.size(); }

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

ffi::Error convolve(ffi::AnyBuffer x, ffi::AnyBuffer kernel, ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> y,
                    Integers strides, Integers padding, Integers dilation, int64_t groups, int64_t activation) {
  return guarded([&] {
    const Convolution shapes(x, kernel, *y, strides, padding, dilation, groups);
    const Team team(shapes.operations());
    const bool has_bias = rest.size() == 1;
    Key key = shapes.key(has_bias ? 1 : 0, team);
    key.push_back(activation);
    const auto plan = Plans::shared().get(std::move(key), [&] {
      const Desc bias = has_bias ? Desc({shapes.y[1]}, shapes.type, dnnl::memory::format_tag::x) : Desc();
      dnnl::primitive_attr attributes = lamina::attributes();
      attributes.set_post_ops(activations(activation));
      const auto how = shapes.forward(bias, attributes, dnnl::prop_kind::forward_inference);
      std::vector<Operand> inputs{{DNNL_ARG_SRC, shapes.channels_last(shapes.x), how.src_desc()},
                                  {DNNL_ARG_WEIGHTS, shapes.kernel_given(), how.weights_desc()}};
      if (has_bias) inputs.push_back({DNNL_ARG_BIAS, bias, bias});
      return Plan(dnnl::convolution_forward(how), how.scratchpad_desc(), inputs,
                  {{DNNL_ARG_DST, shapes.channels_last(shapes.y), how.dst_desc()}});
    });
    std::vector<const void*> inputs{x.untyped_data(), kernel.untyped_data()};
    if (has_bias) inputs.push_back(rest.get<ffi::AnyBuffer>(0).value().untyped_data());
    plan->run(inputs, {y->untyped_data()});
  });
}

ffi::Error input_gradient(ffi::AnyBuffer dy, ffi::AnyBuffer kernel, ffi::Result<ffi::AnyBuffer> dx, Integers strides,
                          Integers padding, Integers dilation, int64_t groups) {
  return guarded([&] {
    const Convolution shapes(*dx, kernel, dy, strides, padding, dilation, groups);
    const Team team(shapes.operations());
    const auto plan = Plans::shared().get(shapes.key(2, team), [&] {
      const auto forward = shapes.forward(Desc(), attributes(), dnnl::prop_kind::forward_training);
      const dnnl::convolution_backward_data::primitive_desc how(
          engine(), dnnl::algorithm::convolution_direct, shapes.channels_last(shapes.x), shapes.kernel_wanted(),
          shapes.channels_last(shapes.y), shapes.strides, shapes.dilation, shapes.low, shapes.high, forward,
          attributes());
      return Plan(dnnl::convolution_backward_data(how), how.scratchpad_desc(),
                  {{DNNL_ARG_DIFF_DST, shapes.channels_last(shapes.y), how.diff_dst_desc()},
                   {DNNL_ARG_WEIGHTS, shapes.kernel_given(), how.weights_desc()}},
                  {{DNNL_ARG_DIFF_SRC, shapes.channels_last(shapes.x), how.diff_src_desc()}});
    });
    plan->run({dy.untyped_data(), kernel.untyped_data()}, {dx->untyped_data()});
  });
}

ffi::Error kernel_gradient(ffi::AnyBuffer x, ffi::AnyBuffer dy, ffi::Result<ffi::AnyBuffer> dkernel, Integers strides,
                           Integers padding, Integers dilation, int64_t groups) {
  return guarded([&] {
    const Convolution shapes(x, *dkernel, dy, strides, padding, dilation, groups);
    const Team team(shapes.operations());
    const auto plan = Plans::shared().get(shapes.key(3, team), [&] {
      const auto forward = shapes.forward(Desc(), attributes(), dnnl::prop_kind::forward_training);
      const dnnl::convolution_backward_weights::primitive_desc how(
          engine(), dnnl::algorithm::convolution_direct, shapes.channels_last(shapes.x), shapes.kernel_wanted(),
          shapes.channels_last(shapes.y), shapes.strides, shapes.dilation, shapes.low, shapes.high, forward,
          attributes());
      return Plan(dnnl::convolution_backward_weights(how), how.scratchpad_desc(),
                  {{DNNL_ARG_SRC, shapes.channels_last(shapes.x), how.src_desc()},
                   {DNNL_ARG_DIFF_DST, shapes.channels_last(shapes.y), how.diff_dst_desc()}},
                  {{DNNL_ARG_DIFF_WEIGHTS, shapes.kernel_given(), how.diff_weights_desc()}});
    });
    plan->run({x.untyped_data(), dy.untyped_data()}, {dkernel->untyped_data()});
  });
}

}  // namespace

}  // namespace lamina

#define LAMINA_WINDOW_ATTRIBUTES      \
  .Attr<lamina::Integers>("strides")  \
  .Attr<lamina::Integers>("padding")  \
  .Attr<lamina::Integers>("dilation") \
  .Attr<int64_t>("groups")

LAMINA_HANDLER(lamina_convolve, lamina::convolve,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .RemainingArgs()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES.Attr<int64_t>("activation"));

LAMINA_HANDLER(lamina_convolve_input_gradient, lamina::input_gradient,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES);

LAMINA_HANDLER(lamina_convolve_kernel_gradient, lamina::kernel_gradient,
                              xla::ffi::Ffi::Bind()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Ret<xla::ffi::AnyBuffer>() LAMINA_WINDOW_ATTRIBUTES);
