// What Python calls by itself, outside of XLA.
#include "dnnl.hpp"
#include "export.h"
#include "primitives.h"
#include "threads.h"

LAMINA_EXPORT int lamina_threads() { return lamina::thread_count(); }

LAMINA_EXPORT void lamina_set_threads(int count) { lamina::set_thread_count(count); }

LAMINA_EXPORT int64_t lamina_plans() { return static_cast<int64_t>(lamina::Plans::shared().size()); }

LAMINA_EXPORT int64_t lamina_plans_made() { return lamina::Plans::shared().made(); }

LAMINA_EXPORT int64_t lamina_plans_capacity() { return static_cast<int64_t>(lamina::Plans::shared().capacity()); }

// What oneDNN and the loops here were made for: any x86-64 since 2009. Faster ones get their own instructions.
LAMINA_EXPORT int lamina_knows_processor() { return __builtin_cpu_supports("x86-64-v2") ? 1 : 0; }

// bfloat16 needs instructions that not every processor has; float32 runs everywhere.
LAMINA_EXPORT int lamina_has_bfloat16() {
  const int have = static_cast<int>(dnnl::get_effective_cpu_isa());
  const int need = static_cast<int>(dnnl::cpu_isa::avx512_core);
  return (have & need) == need;
}
