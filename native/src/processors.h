// One function, compiled for several kinds of x86-64; the kind that fits is chosen when the library is loaded.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LAMINA_EVERY_PROCESSOR  // the choice would be made before a sanitizer has started
#else
#define LAMINA_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

namespace lamina {

// A function in the instructions of x86-64-v4, to be called where `has_avx512()`.
#define LAMINA_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

// With it come 32 registers of 16 floats, in which `product_of` holds its sums.
inline bool has_avx512() {
  static const bool has = __builtin_cpu_supports("x86-64-v4");
  return has;
}

}  // namespace lamina
