// What the engine knows of each operator: how many inputs, which attributes, which types and shapes come out.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maas/base/error.h"
#include "maas/graph/graph.h"

namespace maas {

// The node under inspection, with the types of its inputs. All getters throw FormatError naming the node.
class NodeView {
 public:
  NodeView(const Node& node, std::vector<const ValueType*> types, std::vector<const Tensor*> constants)
      : node_(node), types_(std::move(types)), constants_(std::move(constants)) {}

  const Node& node() const { return node_; }
  size_t inputs() const { return node_.inputs.size(); }
  bool has_input(size_t i) const { return i < types_.size() && types_[i] != nullptr; }
  const ValueType& input(size_t i) const;  // of a present input
  // The value of an input that is known before any run, or null. Holds kBatchValue in place of the number of
  // rows where it was computed from Shape.
  const Tensor* constant(size_t i) const { return i < constants_.size() ? constants_[i] : nullptr; }
  // The int64 values of an input that must be known before any run; one value or 1-D.
  std::vector<int64_t> constant_ints(size_t i) const;
  // The same where kBatchValue may be among them.
  std::vector<int64_t> constant_shape(size_t i) const;

  bool has(const char* attribute) const { return node_.attributes.count(attribute) > 0; }
  int64_t get_int(const char* attribute, int64_t otherwise) const;
  float get_float(const char* attribute, float otherwise) const;
  std::string get_string(const char* attribute, std::string_view otherwise) const;
  // Empty where absent.
  std::vector<int64_t> get_ints(const char* attribute) const;
  std::vector<float> get_floats(const char* attribute) const;
  std::vector<std::string> get_strings(const char* attribute) const;
  const Tensor* get_tensor(const char* attribute) const;  // null where absent
  // `attribute` as an axis of a value of that rank: negative counts from behind.
  size_t get_axis(const char* attribute, int64_t otherwise, size_t rank) const;

  [[noreturn]] void fail(const std::string& what) const;         // FormatError
  [[noreturn]] void unsupported(const std::string& what) const;  // Unsupported

 private:
  const Node& node_;
  std::vector<const ValueType*> types_;  // null where absent
  std::vector<const Tensor*> constants_;
};

// The types of the outputs (as many as the operator has, also those the node leaves out).
using OutputTypes = std::vector<ValueType>;
using InferFn = OutputTypes (*)(const NodeView&);

inline constexpr size_t kAnyNumber = static_cast<size_t>(-1);

// In the order of Attribute's alternatives.
enum class AttributeType : uint8_t { kInt, kFloat, kString, kInts, kFloats, kStrings, kTensor };

const char* attribute_type_text(AttributeType type);  // "a list of ints"
// An empty list is one of any type.
bool attribute_fits(const Attribute& attribute, AttributeType type);

struct OpAttribute {
  const char* name;
  AttributeType type;
};

struct Op {
  const char* name;
  const char* domain;
  size_t least_inputs, most_inputs, most_outputs;
  std::vector<OpAttribute> attributes;  // all that may appear
  InferFn infer;
};

// Null where unknown. Families are listed in graph/ops_*.cc.
const Op* find_op(std::string_view domain, std::string_view name);
std::span<const Op* const> all_ops();

}  // namespace maas
