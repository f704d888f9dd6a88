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

std::byte* scratch(size_t size) {
  thread_local std::unique_ptr<void, Free> memory;
  thread_local size_t held = 0;
  if (size > held) {
    held = 0;
    memory.reset();  // before the new one, so that both are never held together
    memory.reset(std::aligned_alloc(alignment, round_up(size)));
    if (!memory) throw std::bad_alloc();
    held = round_up(size);
  }
  return static_cast<std::byte*>(memory.get());
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
    : primitive_(primitive), scratchpad_(scratchpad) {
  for (const Operand& operand : inputs) inputs_.push_back(slot(operand, false));
  for (const Operand& operand : outputs) outputs_.push_back(slot(operand, true));
  scratchpad_offset_ = reserve(scratchpad_);
}

size_t Plan::reserve(const Desc& desc) {
  const size_t offset = scratch_size_;
  scratch_size_ += round_up(desc.get_size());
  return offset;
}

Plan::Slot Plan::slot(const Operand& operand, bool output) {
  Slot slot{operand, {}, 0, 0, {}};
  if (operand.given != operand.wanted) {
    const Desc& from = output ? operand.wanted : operand.given;
    const Desc& to = output ? operand.given : operand.wanted;
    const dnnl::reorder::primitive_desc how(engine(), from, engine(), to, attributes());
    slot.reorder = dnnl::reorder(how);
    slot.offset = reserve(operand.wanted);
    slot.scratchpad = how.scratchpad_desc();
    slot.scratchpad_offset = reserve(slot.scratchpad);
  }
  return slot;
}

void Plan::run(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const {
  std::byte* base = scratch(scratch_size_);
  const auto at = [](const Desc& desc, void* data) { return dnnl::memory(desc, engine(), data); };
  const auto reorder = [&](const Slot& slot, const dnnl::memory& from, const dnnl::memory& to) {
    slot.reorder.execute(stream(), {{DNNL_ARG_FROM, from},
                                    {DNNL_ARG_TO, to},
                                    {DNNL_ARG_SCRATCHPAD, at(slot.scratchpad, base + slot.scratchpad_offset)}});
  };

  std::unordered_map<int, dnnl::memory> arguments;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Slot& slot = inputs_[i];
    dnnl::memory given = at(slot.operand.given, const_cast<void*>(inputs[i]));
    if (slot.reorder) {
      const dnnl::memory wanted = at(slot.operand.wanted, base + slot.offset);
      reorder(slot, given, wanted);
      given = wanted;
    }
    arguments.emplace(slot.operand.id, given);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Slot& slot = outputs_[i];
    arguments.emplace(slot.operand.id, slot.reorder ? at(slot.operand.wanted, base + slot.offset)
                                                    : at(slot.operand.given, outputs[i]));
  }
  arguments.emplace(DNNL_ARG_SCRATCHPAD, at(scratchpad_, base + scratchpad_offset_));
  primitive_.execute(stream(), arguments);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Slot& slot = outputs_[i];
    if (slot.reorder) reorder(slot, arguments.at(slot.operand.id), at(slot.operand.given, outputs[i]));
  }
  stream().wait();
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

}  // namespace lamina
