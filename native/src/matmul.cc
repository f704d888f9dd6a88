// Matrix products, either side transposed, with bias and activation.
#include "activations.h"
#include "calls.h"

namespace lamina {

namespace {

// A matrix of rows and columns, or its transpose as XLA keeps it.
Desc matrix(int64_t rows, int64_t columns, Type type, bool transposed) {
  return Desc({rows, columns}, type, transposed ? Dims{1, rows} : Dims{columns, 1});
}

ffi::Error multiply(ffi::AnyBuffer x, ffi::AnyBuffer w, ffi::RemainingArgs rest, ffi::Result<ffi::AnyBuffer> y,
                    int64_t transpose_x, int64_t transpose_w, int64_t activation) {
  return guarded([&] {
    const Type type = type_of(x);
    const int64_t rows = y->dimensions().front(), columns = y->dimensions().back();
    const int64_t inner = x.dimensions()[transpose_x ? 0 : 1];
    const bool has_bias = rest.size() == 1;
    const Team team(2.0 * static_cast<double>(rows * columns) * static_cast<double>(inner));
    const Key key{4,     static_cast<int64_t>(type), team.size(), rows, columns, inner, transpose_x, transpose_w,
                  has_bias, activation};
    const auto plan = Plans::shared().get(key, [&] {
      const Desc from = matrix(rows, inner, type, transpose_x != 0);
      const Desc weights = matrix(inner, columns, type, transpose_w != 0);
      const Desc to = matrix(rows, columns, type, false);
      const Desc bias = has_bias ? matrix(1, columns, type, false) : Desc();
      dnnl::primitive_attr attributes = lamina::attributes();
      attributes.set_post_ops(activations(activation));
      const dnnl::matmul::primitive_desc how(engine(), from, weights, bias, to, attributes);
      std::vector<Operand> inputs{{DNNL_ARG_SRC, from, from}, {DNNL_ARG_WEIGHTS, weights, weights}};
      if (has_bias) inputs.push_back({DNNL_ARG_BIAS, bias, bias});
      return Plan(dnnl::matmul(how), how.scratchpad_desc(), inputs, {{DNNL_ARG_DST, to, to}});
    });
    std::vector<const void*> inputs{x.untyped_data(), w.untyped_data()};
    if (has_bias) inputs.push_back(rest.get<ffi::AnyBuffer>(0).value().untyped_data());
    plan->run(inputs, {y->untyped_data()});
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_matmul, lamina::multiply,
               xla::ffi::Ffi::Bind()
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .Ret<xla::ffi::AnyBuffer>()
                   .Attr<int64_t>("transpose_x")
                   .Attr<int64_t>("transpose_w")
                   .Attr<int64_t>("activation"));
