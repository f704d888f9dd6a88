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

// One argument of a primitive: where it stands (`id`), and its layout.
struct Operand {
  int id;
  Desc layout;
};

// A primitive for arguments of one shape. Runs on any thread, on many at once, and uses none but the one it runs on.
class Plan {
 public:
  Plan(const dnnl::primitive& primitive, const Desc& scratchpad, std::vector<Operand> inputs,
       std::vector<Operand> outputs);

  // `inputs` and `outputs` hold one pointer an operand, in the order of construction.
  void run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const;

  const Desc& input(size_t place) const { return inputs_[place].layout; }
  const Desc& output(size_t place) const { return outputs_[place].layout; }

 private:
  dnnl::primitive primitive_;
  Desc scratchpad_;
  std::vector<Operand> inputs_, outputs_;
};

// Copies from one layout to another; with `add` it adds to what is there.
Plan reorder(const Desc& from, const Desc& to, bool add = false);

// The plans used last, at most `capacity` of them. All calls of this library share one.
class Plans {
 public:
  static Plans& shared();

  // The plan of that key, made by `make` where there is none yet.
  std::shared_ptr<const Plan> get(Key key, const std::function<Plan()>& make);

  size_t size() const;
  int64_t made() const;  // since the start, also those that are gone
  size_t capacity() const { return capacity_; }

 private:
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  using Entry = std::pair<Key, std::shared_ptr<const Plan>>;

  mutable std::mutex mutex_;
  const size_t capacity_ = 256;
  int64_t made_ = 0;
  std::list<Entry> entries_;  // the one used last comes first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> places_;
};

// Attributes of every primitive: the caller brings its scratch memory, as plans run on many threads at once.
dnnl::primitive_attr attributes();

// Memory of this thread, kept between calls, of at least `size` bytes: one for what a primitive needs while it runs, one
// for what a call hands from one of its primitives to the next.
enum class Memory { primitive, call };
std::byte* scratch(size_t size, Memory which = Memory::call);

inline float* scratch_floats(int64_t count, Memory which = Memory::call) {
  return reinterpret_cast<float*>(scratch(static_cast<size_t>(count) * sizeof(float), which));
}

// The lengths, then their number, so that two lists in a row cannot be taken for another two.
void append(Key& key, const Dims& dims);

}  // namespace lamina
