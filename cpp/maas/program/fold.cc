#include <algorithm>
#include <cstring>
#include <span>

#include "maas/base/interrupt.h"
#include "maas/program/draft.h"
#include "maas/program/make_step.h"

namespace maas {

namespace {

// What folding may add to a model beyond as much as it holds already: a few bytes in a file must not become
// gigabytes.
constexpr size_t kMostFolded = size_t{64} << 20;

size_t bytes_of(const ValueType& type) { return elements(type.shape) * item_size(type.dtype); }

Tensor make_tensor(const ValueType& type, const std::byte* bytes) {
  if (type.dtype != DType::kString) {
    return Tensor::of_bytes(type.dtype, type.shape, {reinterpret_cast<const char*>(bytes), bytes_of(type)});
  }
  std::vector<std::string> strings(elements(type.shape));
  for (size_t i = 0; i < strings.size(); ++i) {
    std::string_view view;
    std::memcpy(&view, bytes + i * sizeof(view), sizeof(view));
    strings[i] = view;
  }
  return Tensor::of_strings(type.shape, std::move(strings));
}

class Folder {
 public:
  explicit Folder(Draft& draft) : draft_(draft), budget_(kMostFolded) {
    for (const auto& [name, tensor] : draft.constants) budget_ += tensor.size() * item_size(tensor.dtype());
  }

  void fold(const Node& node) {
    size_t bytes = 0;
    for (const std::string& name : node.outputs) {
      if (!name.empty()) bytes += bytes_of(draft_.types.at(name));
    }
    if (bytes > budget_) {
      view_node(draft_, node)
          .unsupported("a constant result of " + std::to_string(bytes) +
                       " bytes, more than the model allows");
    }
    budget_ -= bytes;
    evaluate(node);
    poll_interrupt();
  }

 private:
  void evaluate(const Node& node) {
    std::unordered_map<std::string, size_t> slots;
    std::vector<void*> pointers;
    std::vector<AlignedBuffer<std::byte>> results;
    for (const std::string& name : node.inputs) {
      if (!name.empty() && slots.emplace(name, pointers.size()).second) {
        pointers.push_back(const_cast<void*>(draft_.constant(name)->data()));
      }
    }
    for (const std::string& name : node.outputs) {
      if (name.empty()) continue;
      results.emplace_back(bytes_of(draft_.types.at(name)));
      slots.emplace(name, pointers.size());
      pointers.push_back(results.back().data());
    }
    const MadeStep made = make_step(draft_, node, slots, 1);
    AlignedBuffer<std::byte> work(made.work_bytes);
    const RunStatus status = made.step->run({pointers.data(), 1, work.data()});
    if (status != RunStatus::kOk) view_node(draft_, node).fail(status_text(status));
    size_t result = 0;
    for (const std::string& name : node.outputs) {
      if (name.empty()) continue;
      draft_.constants.emplace(name, make_tensor(draft_.types.at(name), results[result++].data()));
    }
  }

  Draft& draft_;
  size_t budget_;
};

// Whether a node's inputs are all there before a run, and its outputs do not count the rows of one.
bool is_constant(const Draft& draft, const Node& node) {
  const auto known = [&](const std::string& name) {
    const Tensor* constant = name.empty() ? nullptr : draft.constant(name);
    return name.empty() || (constant != nullptr && !mentions_batch(*constant));
  };
  const auto fixed = [&](const std::string& name) {
    return name.empty() || !is_batched(draft.types.at(name).shape);
  };
  return std::all_of(node.inputs.begin(), node.inputs.end(), known) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), fixed);
}

}  // namespace

void fold_constants(Draft& draft) {
  Folder folder(draft);
  std::vector<Node> kept;
  for (Node& node : draft.nodes) {
    if (is_constant(draft, node)) {
      folder.fold(node);
    } else {
      kept.push_back(std::move(node));
    }
  }
  draft.nodes = std::move(kept);
}

}  // namespace maas
