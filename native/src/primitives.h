// oneDNN primitives: how one is made for a call's shapes, kept, and run on XLA's buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "dnnl.hpp"

namespace lamina {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Type = dnnl::memory::data_type;
using Key = std::vector<int64_t>;

const dnnl::engine& engine();

// One argument of a primitive: where it stands (`id`), how XLA lays it out, how the primitive wants it.
struct Operand {
  int id;
  Desc given;
  Desc wanted;
};

// A primitive with the reorders between XLA's layouts and its own. Runs on any thread, on many at once.
class Plan {
 public:
  Plan(const dnnl::primitive& primitive, const Desc& scratchpad, std::vector<Operand> inputs,
       std::vector<Operand> outputs);

  // `inputs` and `outputs` hold one pointer an operand, in the order of construction.
  void run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const;

 private:
  struct Slot {
    Operand operand;
    dnnl::reorder reorder;     // empty where both layouts are one
    size_t offset;             // of the reordered copy within the thread's scratch memory
    size_t scratchpad_offset;  // of what the reorder itself needs
    Desc scratchpad;
  };

  Slot slot(const Operand& operand, bool output);
  size_t reserve(const Desc& desc);

  dnnl::primitive primitive_;
  Desc scratchpad_;
  std::vector<Slot> inputs_, outputs_;
  size_t scratch_size_ = 0;
  size_t scratchpad_offset_ = 0;
};

// The plans used last, at most `capacity` of them. All calls of this library share one.
class Plans {
 public:
  static Plans& shared();

  // The plan of that key, made by `make` where there is none yet.
  std::shared_ptr<const Plan> get(Key key, const std::function<Plan()>& make);

  size_t size() const;
  size_t capacity() const { return capacity_; }

 private:
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  using Entry = std::pair<Key, std::shared_ptr<const Plan>>;

  mutable std::mutex mutex_;
  const size_t capacity_ = 256;
  std::list<Entry> entries_;  // the one used last comes first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> places_;
};

// Attributes of every primitive: the caller brings its scratch memory, as plans run on many threads at once.
dnnl::primitive_attr attributes();

// Memory of this thread, kept between calls, of at least `size` bytes.
std::byte* scratch(size_t size);

// The lengths, then their number, so that two lists in a row cannot be taken for another two.
void append(Key& key, const Dims& dims);

}  // namespace lamina
