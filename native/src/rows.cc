// Rows of an array, copied one after the other.
#include <algorithm>
#include <cstring>

#include "calls.h"

namespace lamina {

namespace {

// Numbers that are too large or too small stand for the last row and the first.
ffi::Error take_rows(ffi::ThreadPool, ffi::AnyBuffer x, ffi::Buffer<ffi::DataType::S32> rows,
                     ffi::Result<ffi::AnyBuffer> y) {
  return guarded([&] {
    const int64_t count = x.dimensions()[0];
    const size_t size = x.size_bytes() / static_cast<size_t>(count);
    const auto* from = static_cast<const std::byte*>(x.untyped_data());
    auto* to = static_cast<std::byte*>(y->untyped_data());
    for (size_t i = 0; i < rows.element_count(); ++i) {
      const int64_t row = std::clamp<int64_t>(rows.typed_data()[i], 0, count - 1);
      std::memcpy(to + i * size, from + static_cast<size_t>(row) * size, size);
    }
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_take_rows, lamina::take_rows,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .Arg<xla::ffi::Buffer<xla::ffi::DataType::S32>>()
                   .Ret<xla::ffi::AnyBuffer>());
