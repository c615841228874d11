#include "maas/graph/op.h"

#include "maas/graph/known_value.h"
#include "maas/graph/rules.h"

namespace maas {

namespace {

constexpr const char* kTypeNames[] = {"an int",           "a float",           "a string", "a list of ints",
                                      "a list of floats", "a list of strings", "a tensor"};

template <class T>
constexpr AttributeType type_of() {
  return static_cast<AttributeType>(Attribute(T()).index());
}

// Null where absent; an empty list of any type for an empty list of another.
template <class T>
const T* find_attribute(const NodeView& view, const char* name) {
  const auto& attributes = view.node().attributes;
  const auto found = attributes.find(name);
  if (found == attributes.end()) return nullptr;
  if (!attribute_fits(found->second, type_of<T>())) {
    view.fail(std::string("expected attribute '") + name + "' to be " + attribute_type_text(type_of<T>()) +
              ", got " + attribute_type_text(static_cast<AttributeType>(found->second.index())));
  }
  return std::get_if<T>(&found->second);
}

template <class T>
T attribute_or(const NodeView& view, const char* name, T otherwise) {
  const T* value = find_attribute<T>(view, name);
  return value == nullptr ? std::move(otherwise) : *value;
}

}  // namespace

const char* attribute_type_text(AttributeType type) { return kTypeNames[static_cast<size_t>(type)]; }

bool attribute_fits(const Attribute& attribute, AttributeType type) {
  if (attribute.index() == static_cast<size_t>(type)) return true;
  if (type < AttributeType::kInts || type > AttributeType::kStrings) return false;
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) return ints->empty();
  if (const auto* floats = std::get_if<std::vector<float>>(&attribute)) return floats->empty();
  if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute)) return strings->empty();
  return false;
}

const ValueType& NodeView::input(size_t i) const {
  if (!has_input(i)) fail("expected input " + std::to_string(i) + " to be present");
  return *types_[i];
}

std::vector<int64_t> NodeView::constant_shape(size_t i) const {
  const ValueType& type = input(i);
  if (!is_integer(type.dtype) || type.shape.size() > 1) {
    fail("expected input " + std::to_string(i) + " to be integers of at most one dimension, got " +
         dtype_name(type.dtype) + " " + shape_text(type.shape));
  }
  const Tensor* tensor = constant(i);
  if (tensor == nullptr) {
    unsupported("expected '" + node_.inputs[i] + "' to be known before a run: it decides about shapes");
  }
  return known_integers(*tensor);
}

std::vector<int64_t> NodeView::constant_ints(size_t i) const {
  auto values = constant_shape(i);
  for (const int64_t value : values) {
    if (value == kBatchValue) unsupported("would compute with the number of rows of the batch");
  }
  return values;
}

int64_t NodeView::get_int(const char* attribute, int64_t otherwise) const {
  return attribute_or<int64_t>(*this, attribute, otherwise);
}

float NodeView::get_float(const char* attribute, float otherwise) const {
  return attribute_or<float>(*this, attribute, otherwise);
}

std::string NodeView::get_string(const char* attribute, std::string_view otherwise) const {
  return attribute_or<std::string>(*this, attribute, std::string(otherwise));
}

std::vector<int64_t> NodeView::get_ints(const char* attribute) const {
  return attribute_or<std::vector<int64_t>>(*this, attribute, {});
}

std::vector<float> NodeView::get_floats(const char* attribute) const {
  return attribute_or<std::vector<float>>(*this, attribute, {});
}

std::vector<std::string> NodeView::get_strings(const char* attribute) const {
  return attribute_or<std::vector<std::string>>(*this, attribute, {});
}

const Tensor* NodeView::get_tensor(const char* attribute) const {
  return find_attribute<Tensor>(*this, attribute);
}

size_t NodeView::get_axis(const char* attribute, int64_t otherwise, size_t rank) const {
  return resolve_axis(*this, get_int(attribute, otherwise), rank);
}

void NodeView::fail(const std::string& what) const {
  throw Error(ErrorCode::kFormatError, node_text(node_), what);
}

void NodeView::unsupported(const std::string& what) const {
  throw Error(ErrorCode::kUnsupported, node_text(node_), what);
}

std::span<const Op* const> all_ops() {
  static const std::vector<const Op*> ops = [] {
    std::vector<const Op*> list;
    for (const auto family :
         {elementwise_ops(), matrix_ops(), reduce_ops(), layout_ops(), select_ops(), norm_ops(), ml_ops()}) {
      for (const Op& op : family) list.push_back(&op);
    }
    return list;
  }();
  return ops;
}

const Op* find_op(std::string_view domain, std::string_view name) {
  using Key = std::pair<std::string_view, std::string_view>;
  static const std::map<Key, const Op*> table = [] {
    std::map<Key, const Op*> entries;
    for (const Op* op : all_ops()) entries.emplace(Key(op->domain, op->name), op);
    return entries;
  }();
  const auto found = table.find({domain, name});
  return found == table.end() ? nullptr : found->second;
}

}  // namespace maas
