#include "maas/program/steps/activation.h"

#include <limits>
#include <string_view>

namespace maas {

namespace {

struct Entry {
  std::string_view op;
  MapOp map;
  const char* p = nullptr;  // attribute, if any
  float p_default = 0;
  const char* q = nullptr;
  float q_default = 0;
};

constexpr Entry kEntries[] = {
    {"Abs", MapOp::kAbs},
    {"Ceil", MapOp::kCeil},
    {"Celu", MapOp::kCelu, "alpha", 1},
    {"Elu", MapOp::kElu, "alpha", 1},
    {"Erf", MapOp::kErf},
    {"Exp", MapOp::kExp},
    {"Floor", MapOp::kFloor},
    {"Gelu", MapOp::kGelu},
    {"HardSigmoid", MapOp::kHardSigmoid, "alpha", 0.2F, "beta", 0.5F},
    {"HardSwish", MapOp::kHardSwish},
    {"LeakyRelu", MapOp::kLeakyRelu, "alpha", 0.01F},
    {"Log", MapOp::kLog},
    {"Mish", MapOp::kMish},
    {"Neg", MapOp::kNeg},
    {"Reciprocal", MapOp::kReciprocal},
    {"Relu", MapOp::kRelu},
    {"Round", MapOp::kRound},
    {"Selu", MapOp::kSelu, "alpha", 1.67326319217681884765625F, "gamma", 1.05070102214813232421875F},
    {"Sigmoid", MapOp::kSigmoid},
    {"Sign", MapOp::kSign},
    {"Softplus", MapOp::kSoftplus},
    {"Softsign", MapOp::kSoftsign},
    {"Sqrt", MapOp::kSqrt},
    {"Tanh", MapOp::kTanh},
    {"ThresholdedRelu", MapOp::kThresholdedRelu, "alpha", 1},
};

// A limit of Clip: its value where known, `otherwise` where absent.
template <class T>
std::optional<T> limit(const NodeView& view, size_t input, T otherwise) {
  if (!view.has_input(input)) return otherwise;
  const Tensor* constant = view.constant(input);
  if (constant == nullptr || constant->size() != 1) return std::nullopt;
  return constant->values<T>()[0];
}

}  // namespace

template <class T>
std::optional<ValueMap<T>> find_value_map(const NodeView& view) {
  const Node& node = view.node();
  if (!node.domain.empty() || !view.has_input(0) || view.input(0).dtype != dtype_of<T>) return std::nullopt;
  if (node.op == "Clip") {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    const auto low = limit<T>(view, 1, -kInfinity), high = limit<T>(view, 2, kInfinity);
    if (!low || !high) return std::nullopt;
    return ValueMap<T>{MapOp::kClip, *low, *high};
  }
  if (node.op == "Gelu" && view.get_string("approximate", "none") == "tanh") {
    return ValueMap<T>{MapOp::kGeluTanh};
  }
  for (const Entry& entry : kEntries) {
    if (node.op != entry.op) continue;
    const float p = entry.p == nullptr ? 0 : view.get_float(entry.p, entry.p_default);
    const float q = entry.q == nullptr ? 0 : view.get_float(entry.q, entry.q_default);
    return ValueMap<T>{entry.map, static_cast<T>(p), static_cast<T>(q)};
  }
  return std::nullopt;
}

template std::optional<ValueMap<float>> find_value_map(const NodeView& view);
template std::optional<ValueMap<double>> find_value_map(const NodeView& view);

}  // namespace maas
