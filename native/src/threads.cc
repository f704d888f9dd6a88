#include "threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>

namespace lamina {

namespace {

// Those that this process may run on, which is how XLA sizes its own pool.
cpu_set_t usable_processors() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (sched_getaffinity(0, sizeof processors, &processors) != 0) CPU_SET(0, &processors);
  return processors;
}

int usable_count() {
  const cpu_set_t processors = usable_processors();
  return std::max(1, CPU_COUNT(&processors));
}

// About 30 microseconds of one core.
constexpr double few_operations = 3e6;

// Moves the thread it is on away from a processor. Linux wakes a thread on the processor of who wakes it where others
// seem taken, as idle ones of a virtual machine do: the two would take turns.
class Elsewhere {
 public:
  explicit Elsewhere(int busy) : moved_(sched_getcpu() == busy) {
    if (!moved_) return;
    before_ = usable_processors();
    cpu_set_t others = before_;
    CPU_CLR(static_cast<size_t>(busy), &others);
    if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
  }
  ~Elsewhere() {
    if (moved_) sched_setaffinity(0, sizeof before_, &before_);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  bool moved_;
  cpu_set_t before_;
};

// What the process asked for; 0 where calls follow the pool that they come from.
std::atomic<int> asked{0};

// The size of the pool that the last call came from.
std::atomic<int>& pool_size() {
  static std::atomic<int> size(usable_count());
  return size;
}

// Parts that threads take until there are none left. The pool may come to it late: when all is done there is nothing
// to take, so nobody waits for a thread that has not started.
class Work {
 public:
  Work(int64_t parts, const std::function<void(int64_t)>& body) : parts_(parts), body_(body) {}

  bool has_parts() const { return next_ < parts_; }

  void take_parts() {
    for (int64_t part; (part = next_++) < parts_;) {
      try {
        body_(part);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        thrown_ = std::current_exception();
      }
      if (++done_ == parts_) {
        const std::lock_guard<std::mutex> lock(mutex_);
        all_done_.notify_all();
      }
    }
  }

  void wait() {
    for (int i = 0; i < spins && done_ < parts_; ++i) __builtin_ia32_pause();
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return done_ == parts_; });
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  static constexpr int spins = 1000;  // about 20 microseconds

  const int64_t parts_;
  const std::function<void(int64_t)>& body_;  // lives until `wait` has returned, and is not called later
  std::atomic<int64_t> next_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
  std::exception_ptr thrown_;
};

}  // namespace

Alone::Alone() : before_(omp_get_max_threads()) {
  if (before_ != 1) omp_set_num_threads(1);
}

Alone::~Alone() {
  if (before_ != 1) omp_set_num_threads(before_);
}

int thread_count() { return asked > 0 ? asked.load() : pool_size().load(); }

void set_thread_count(int threads) { asked = std::max(0, threads); }

Team::Team(xla::ffi::ThreadPool& pool, double operations) : pool_(pool), size_(1) {
  if (operations < few_operations) return;
  const auto threads = static_cast<int>(pool.num_threads());  // 0 where XLA does not tell
  if (threads > 0) pool_size() = threads;
  size_ = thread_count();
}

void Team::run(int64_t parts, const std::function<void(int64_t)>& body) const {
  if (size_ == 1 || parts == 1) {
    for (int64_t part = 0; part < parts; ++part) body(part);
    return;
  }
  const auto work = std::make_shared<Work>(parts, body);
  const int processor = sched_getcpu();
  for (int64_t others = std::min<int64_t>(size_, parts) - 1; others > 0; --others)
    pool_.Schedule([work, processor] {
      if (!work->has_parts()) return;
      const Elsewhere elsewhere(processor);
      const Alone alone;
      work->take_parts();
    });
  work->take_parts();
  work->wait();
}

void Team::run_ranges(int64_t count, const std::function<void(int64_t, int64_t)>& body) const {
  const int64_t parts = std::min<int64_t>(size_, count);
  run(parts, [&](int64_t part) { body(count * part / parts, count * (part + 1) / parts); });
}

}  // namespace lamina
