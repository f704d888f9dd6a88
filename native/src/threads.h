// How many threads a call uses.
#pragma once

#include <mutex>

namespace lamina {

int thread_count();
void set_thread_count(int count);

// The threads of one call. Within its life OpenMP's teams on this thread have `size()` members: one where the work
// is so little that waking others takes longer, else `thread_count()`, and then no other call's team runs beside them:
// two teams on the same processors hinder each other more than they help.
class Team {
 public:
  explicit Team(double operations);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

 private:
  int size_;
  int before_;
  std::unique_lock<std::mutex> alone_;
};

}  // namespace lamina
