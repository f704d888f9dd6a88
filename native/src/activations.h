// Activations that run over a result while it is still in the cache.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "dnnl.hpp"

namespace lamina {

// The numbers are those of `ACTIVATIONS` in python/lamina_native/library.py: a place in that list, 0 for none.
inline dnnl::post_ops activations(int64_t number) {
  using Algorithm = dnnl::algorithm;
  struct Entry {
    Algorithm algorithm;
    float alpha, beta;
  };
  static constexpr Entry entries[] = {
      {Algorithm::eltwise_relu, 0, 0},     {Algorithm::eltwise_tanh, 0, 0},
      {Algorithm::eltwise_logistic, 0, 0}, {Algorithm::eltwise_gelu_erf, 0, 0},
      {Algorithm::eltwise_gelu_tanh, 0, 0}, {Algorithm::eltwise_swish, 1, 0},
      {Algorithm::eltwise_elu, 1, 0},      {Algorithm::eltwise_clip_v2, 0, 6},
  };
  dnnl::post_ops operations;
  if (number == 0) return operations;
  if (number < 0 || number > static_cast<int64_t>(sizeof entries / sizeof entries[0]))
    throw std::invalid_argument("There is no activation of that number.");
  const Entry& entry = entries[number - 1];
  operations.append_eltwise(entry.algorithm, entry.alpha, entry.beta);
  return operations;
}

}  // namespace lamina
