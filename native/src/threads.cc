#include "threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>

namespace lamina {

namespace {

// As many as this process may run on, which is how XLA sizes its own pool.
int usable_processors() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  return sched_getaffinity(0, sizeof processors, &processors) == 0 ? std::max(1, CPU_COUNT(&processors)) : 1;
}

// About 5 microseconds of one core.
constexpr double few_operations = 1e6;

std::mutex& turn() {
  static std::mutex mutex;
  return mutex;
}

std::atomic<int>& count() {
  static std::atomic<int> count(usable_processors());
  return count;
}

}  // namespace

int thread_count() { return count().load(); }

void set_thread_count(int threads) { count().store(std::max(1, threads)); }

Team::Team(double operations)
    : size_(operations < few_operations ? 1 : thread_count()),
      before_(omp_get_max_threads()),
      alone_(turn(), std::defer_lock) {
  if (size_ > 1) alone_.lock();
  if (size_ != before_) omp_set_num_threads(size_);
}

Team::~Team() {
  if (size_ != before_) omp_set_num_threads(before_);
}

}  // namespace lamina
