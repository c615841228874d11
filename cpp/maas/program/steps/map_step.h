// Steps that make each item of an output from the item of the input in the same place.
#pragma once

#include <memory>

#include "maas/kernels/elementwise.h"
#include "maas/program/steps/activation.h"
#include "maas/program/steps/node_step.h"

namespace maas {

// A function of kernels/elementwise.h, with its two parameters.
template <class T>
class MapStep final : public NodeStep {
 public:
  MapStep(const StepSpec& spec, const ValueMap<T>& map)
      : NodeStep(spec),
        map_(find_map<T>(map.op)),
        p_(map.p),
        q_(map.q),
        count_(spec.inputs[0]),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {}

  RunStatus run(const Block& block) const noexcept override {
    map_(count_(block.rows), block.in<T>(from_), nullptr, block.out<T>(to_), p_, q_);
    return RunStatus::kOk;
  }

 private:
  MapFn<T> map_;
  T p_, q_;
  ItemCount count_;
  size_t from_, to_;
};

// The step of a node that is a function of each floating-point value by itself (steps/activation.h); null
// where it is not.
std::unique_ptr<Step> make_map(StepSpec& spec);

// Any loop over the items; false where some item cannot be represented.
using ItemLoop = bool (*)(const void* from, void* to, size_t count);

class ItemStep final : public NodeStep {
 public:
  ItemStep(const StepSpec& spec, ItemLoop loop)
      : NodeStep(spec),
        loop_(loop),
        count_(spec.inputs[0]),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {}

  RunStatus run(const Block& block) const noexcept override {
    const bool ok = loop_(block.slots[from_], block.slots[to_], count_(block.rows));
    return ok ? RunStatus::kOk : RunStatus::kNotRepresentable;
  }

 private:
  ItemLoop loop_;
  ItemCount count_;
  size_t from_, to_;
};

// out[i] = Op::apply(in[i]).
template <class Op, class In, class Out = In>
bool item_loop(const void* from, void* to, size_t count) {
  const In* in = static_cast<const In*>(from);
  Out* out = static_cast<Out*>(to);
  MAAS_INDEPENDENT
  for (size_t i = 0; i < count; ++i) out[i] = Op::apply(in[i]);
  return true;
}

}  // namespace maas
