// How many threads a call uses.
#pragma once

namespace lamina {

int thread_count();
void set_thread_count(int count);

// Within its life, OpenMP's teams on this thread have `thread_count()` members; after it, what they had before.
class Team {
 public:
  Team();
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

 private:
  int size_;
  int before_;
};

}  // namespace lamina
