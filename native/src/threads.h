// The threads of a call.
#pragma once

#include <cstdint>
#include <functional>

#include "xla/ffi/api/ffi.h"

namespace lamina {

// The parts that a call of much work is cut into: as many as the pool of XLA that it comes from has threads, unless the
// process asked for another count. 0 asks for the pool's.
int thread_count();
void set_thread_count(int count);

// `take(first, last)` for each of `parts` ranges, of about one length and none empty, that make up `count` things.
template <typename Take>
void each_range(int64_t count, int64_t parts, Take&& take) {
  parts = count < parts ? count : parts;
  for (int64_t part = 0; part < parts; ++part) take(count * part / parts, count * (part + 1) / parts);
}

// Within its life oneDNN makes and runs primitives for the thread it is on alone.
class Alone {
 public:
  Alone();
  ~Alone();
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  int before_;
};

// The thread that makes a call, and others of XLA's own pool. oneDNN starts none: a team of OpenMP's beside XLA's pool
// would have two threads wait, and spin, for each processor.
class Team {
 public:
  // One thread where `operations` are so few that waking others takes longer, else `thread_count()`.
  Team(xla::ffi::ThreadPool& pool, double operations);

  int size() const { return size_; }

  // `body(part)` for each part, whichever thread is free; returns when all are done. What a body throws is thrown here.
  void run(int64_t parts, const std::function<void(int64_t)>& body) const;

  // `body(first, last)` for as many ranges of `count` things as there are threads.
  void run_ranges(int64_t count, const std::function<void(int64_t, int64_t)>& body) const;

 private:
  const Alone alone_;
  xla::ffi::ThreadPool& pool_;
  int size_;
};

}  // namespace lamina
