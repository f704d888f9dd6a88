#include "primitives.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace lamina {

namespace {

constexpr size_t alignment = 64;

size_t round_up(size_t size) { return (size + alignment - 1) / alignment * alignment; }

struct Free {
  void operator()(void* pointer) const { std::free(pointer); }
};

dnnl::stream& stream() {
  thread_local dnnl::stream stream(engine());
  return stream;
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::byte* scratch(size_t size, Memory which) {
  struct Held {
    std::unique_ptr<void, Free> memory;
    size_t size = 0;
  };
  thread_local Held all[2];
  Held& held = all[static_cast<size_t>(which)];
  if (size > held.size) {
    held = {};  // before the new one, so that both are never held together
    held.memory.reset(std::aligned_alloc(alignment, round_up(size)));
    if (!held.memory) throw std::bad_alloc();
    held.size = round_up(size);
  }
  return static_cast<std::byte*>(held.memory.get());
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void append(Key& key, const Dims& dims) {
  key.insert(key.end(), dims.begin(), dims.end());
  key.push_back(static_cast<int64_t>(dims.size()));
}

Plan::Plan(const dnnl::primitive& primitive, const Desc& scratchpad, std::vector<Operand> inputs,
           std::vector<Operand> outputs)
    : primitive_(primitive), scratchpad_(scratchpad), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

void Plan::run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const {
  std::unordered_map<int, dnnl::memory> arguments;
  const auto add = [&](const Operand& operand, void* data) {
    arguments.emplace(operand.id, dnnl::memory(operand.layout, engine(), data));
  };
  for (size_t i = 0; i < inputs_.size(); ++i) add(inputs_[i], const_cast<void*>(inputs[i]));
  for (size_t i = 0; i < outputs_.size(); ++i) add(outputs_[i], outputs[i]);
  add({DNNL_ARG_SCRATCHPAD, scratchpad_}, scratch(scratchpad_.get_size(), Memory::primitive));
  primitive_.execute(stream(), arguments);
  stream().wait();
}

Plan reorder(const Desc& from, const Desc& to, bool add) {
  dnnl::primitive_attr attributes = lamina::attributes();
  if (add) {
    dnnl::post_ops sum;
    sum.append_sum();
    attributes.set_post_ops(sum);
  }
  const dnnl::reorder::primitive_desc how(engine(), from, engine(), to, attributes);
  return Plan(dnnl::reorder(how), how.scratchpad_desc(), {{DNNL_ARG_FROM, from}}, {{DNNL_ARG_TO, to}});
}

Plans& Plans::shared() {
  static Plans plans;
  return plans;
}

size_t Plans::Hash::operator()(const Key& key) const {
  uint64_t hash = 1469598103934665603u;  // FNV-1a, a number at a time
  for (const int64_t number : key) hash = (hash ^ static_cast<uint64_t>(number)) * 1099511628211u;
  return hash;
}

std::shared_ptr<const Plan> Plans::get(Key key, const std::function<Plan()>& make) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto place = places_.find(key);
    if (place != places_.end()) {
      entries_.splice(entries_.begin(), entries_, place->second);
      return place->second->second;
    }
  }
  // Made without the lock, as it can take milliseconds; two threads may make the same plan, and one is kept.
  auto plan = std::make_shared<const Plan>(make());
  const std::lock_guard<std::mutex> lock(mutex_);
  ++made_;
  const auto place = places_.find(key);
  if (place != places_.end()) return place->second->second;
  entries_.emplace_front(std::move(key), plan);
  places_.emplace(entries_.front().first, entries_.begin());
  if (entries_.size() > capacity_) {
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return plan;
}

size_t Plans::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

int64_t Plans::made() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return made_;
}

}  // namespace lamina
