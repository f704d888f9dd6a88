// What every call from XLA shares: reading its buffers, and turning exceptions into XLA's errors.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "export.h"
#include "primitives.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace lamina {

namespace ffi = xla::ffi;

using Integers = ffi::Span<const int64_t>;

inline Type type_of(const ffi::AnyBuffer& buffer) {
  switch (buffer.element_type()) {
    case ffi::DataType::F32: return Type::f32;
    case ffi::DataType::BF16: return Type::bf16;
    default: throw std::invalid_argument("lamina_native computes in float32 and bfloat16 only.");
  }
}

inline Dims dims_of(const ffi::AnyBuffer& buffer) {
  return Dims(buffer.dimensions().begin(), buffer.dimensions().end());
}

inline Dims list_of(Integers numbers) { return Dims(numbers.begin(), numbers.end()); }

// Where that element lies.
inline const std::byte* at(const ffi::AnyBuffer& buffer, int64_t element) {
  return static_cast<const std::byte*>(buffer.untyped_data()) +
         static_cast<size_t>(element) * ffi::ByteWidth(buffer.element_type());
}

inline std::byte* at(ffi::Result<ffi::AnyBuffer>& buffer, int64_t element) {
  return const_cast<std::byte*>(at(*buffer, element));
}

// What loops of our own compute on.
inline const float* floats(const ffi::AnyBuffer& buffer) {
  if (buffer.element_type() != ffi::DataType::F32) throw std::invalid_argument("This kernel computes in float32.");
  return static_cast<const float*>(buffer.untyped_data());
}

inline float* floats(ffi::Result<ffi::AnyBuffer>& buffer) { return const_cast<float*>(floats(*buffer)); }

// Runs `body`; what it throws becomes an error of the program that called, never the end of the process.
template <typename Body>
ffi::Error guarded(Body&& body) {
  try {
    body();
    return ffi::Error::Success();
  } catch (const std::invalid_argument& error) {
    return ffi::Error::InvalidArgument(error.what());
  } catch (const dnnl::error& error) {
    const auto code = error.status == dnnl_unimplemented ? ffi::ErrorCode::kUnimplemented : ffi::ErrorCode::kInternal;
    return ffi::Error(code, std::string("oneDNN: ") + error.what());
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kInternal, error.what());
  }
}

}  // namespace lamina

// A handler under a name that Python finds in the library, where all else is hidden.
#define LAMINA_HANDLER(name, function, binding)                                                            \
  LAMINA_EXPORT XLA_FFI_Error* name(XLA_FFI_CallFrame*);                                                   \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, function, binding)

// What every handler takes first.
#define LAMINA_BIND xla::ffi::Ffi::Bind().Ctx<xla::ffi::ThreadPool>()
