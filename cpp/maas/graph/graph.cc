#include "maas/graph/graph.h"

#include <algorithm>
#include <unordered_set>

#include "maas/graph/known_value.h"
#include "maas/graph/merged_rows.h"
#include "maas/graph/op.h"
#include "maas/graph/rules.h"

namespace maas {

namespace {

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kFormatError, where, what);
}

std::string domain_text(const std::string& domain) {
  return domain.empty()        ? "ai.onnx, opset " + std::to_string(kOpset)
         : domain == kMlDomain ? domain + ", opset " + std::to_string(kMlOpset)
                               : domain;
}

void check_type(const std::string& where, const ValueType& type) {
  const Shape& shape = type.shape;
  if (shape.size() > kMostDimensions) {
    fail(where, "expected at most " + std::to_string(kMostDimensions) + " dimensions, got " +
                    std::to_string(shape.size()));
  }
  for (size_t axis = is_batched(shape) ? 1 : 0; axis < shape.size(); ++axis) {
    if (shape[axis] >= 0 && shape[axis] <= kMostElements) continue;
    fail(where, "expected dimensions of 0 to 2^31, of which only the first may be the batch, got " +
                    shape_text(shape));
  }
  if (product(shape, is_batched(shape) ? 1 : 0, shape.size()) > kMostElements) {
    fail(where, "expected at most 2^31 elements, got shape " + shape_text(shape));
  }
}

void check_arity(const Node& node, const Op& op) {
  const auto count = [](size_t least, size_t most, const char* what) {
    const std::string text = most == kAnyNumber ? "at least " + std::to_string(least)
                             : least == most    ? std::to_string(least)
                                                : std::to_string(least) + " to " + std::to_string(most);
    return "expected " + text + " " + what + (text == "1" || text == "at least 1" ? "" : "s");
  };
  size_t inputs = node.inputs.size();
  while (inputs > 0 && node.inputs[inputs - 1].empty()) --inputs;
  if (inputs < op.least_inputs || inputs > op.most_inputs) {
    fail(node_text(node),
         count(op.least_inputs, op.most_inputs, "input") + ", got " + std::to_string(inputs));
  }
  const size_t needed = op.most_inputs == kAnyNumber ? inputs : op.least_inputs;
  for (size_t i = 0; i < needed; ++i) {
    if (node.inputs[i].empty()) fail(node_text(node), "expected input " + std::to_string(i) + ", got none");
  }
  if (node.outputs.empty() || node.outputs.size() > op.most_outputs) {
    fail(node_text(node),
         count(1, op.most_outputs, "output") + ", got " + std::to_string(node.outputs.size()));
  }
}

void check_attributes(const Node& node, const Op& op) {
  for (const auto& [name, value] : node.attributes) {
    const auto known =
        std::find_if(op.attributes.begin(), op.attributes.end(),
                     [&key = name](const OpAttribute& attribute) { return attribute.name == key; });
    if (known == op.attributes.end()) fail(node_text(node), "has no attribute '" + name + "'");
    if (attribute_fits(value, known->type)) continue;
    fail(node_text(node), "expected attribute '" + name + "' to be " + attribute_type_text(known->type) +
                              ", got " + attribute_type_text(static_cast<AttributeType>(value.index())));
  }
}

// The inputs that say which shape comes out may be the number of rows; what else reads it would compute with
// it.
bool reads_as_shape(const Node& node, size_t input) {
  return (node.op == "Reshape" && input == 1) || (node.op == "Expand" && input == 1) ||
         (node.op == "ConstantOfShape" && input == 0);
}

class Checker {
 public:
  explicit Checker(Graph& graph) : graph_(graph) {}

  Checked run() {
    drop_defaulted_inputs();
    for (const auto& [name, tensor] : graph_.initializers) {
      const std::string where = "initializer '" + name + "'";
      define(where, name, {tensor.dtype(), tensor.shape()});
      if (mentions_batch(tensor)) {
        const int64_t reserved = tensor.dtype() == DType::kInt64 ? kBatchValue : int64_t{kBatchValue32};
        fail(where, "holds " + std::to_string(reserved) + ", which is reserved");
      }
    }
    for (const Value& input : graph_.inputs) define("input '" + input.name + "'", input.name, input.type);
    MergedRows merged(graph_);
    for (Node& node : graph_.nodes) {
      merged.keep_apart(node, checked_);
      check_node(node);
    }
    check_outputs();
    return std::move(checked_);
  }

 private:
  // Old files list every initializer among the inputs.
  void drop_defaulted_inputs() {
    std::erase_if(graph_.inputs, [&](const Value& input) {
      const auto found = graph_.initializers.find(input.name);
      if (found == graph_.initializers.end()) return false;
      if (found->second.dtype() == input.type.dtype) return true;
      fail("input '" + input.name + "'", std::string("expected its initializer of type ") +
                                             dtype_name(input.type.dtype) + ", got " +
                                             dtype_name(found->second.dtype()));
    });
  }

  void define(const std::string& where, const std::string& name, const ValueType& type) {
    if (name.empty()) fail(where, "expected a name");
    check_type(where, type);
    if (!checked_.types.emplace(name, type).second) {
      fail(where, "expected each name once, '" + name + "' is defined before");
    }
  }

  const ValueType* type_of(const Node& node, const std::string& name) {
    if (name.empty()) return nullptr;
    const auto found = checked_.types.find(name);
    if (found == checked_.types.end()) fail_undefined(node, name);
    return &found->second;
  }

  const Tensor* constant_of(const std::string& name) const {
    const auto known = checked_.known.find(name);
    if (known != checked_.known.end()) return &known->second;
    const auto initializer = graph_.initializers.find(name);
    return initializer == graph_.initializers.end() ? nullptr : &initializer->second;
  }

  void check_node(const Node& node) {
    const Op* op = find_op(node.domain, node.op);
    if (op == nullptr) {
      throw Error(ErrorCode::kUnsupported, node_text(node),
                  node.op + " (domain " + domain_text(node.domain) + ") is not among the engine's operators");
    }
    check_arity(node, *op);
    check_attributes(node, *op);
    std::vector<const ValueType*> types;
    std::vector<const Tensor*> constants;
    bool of_batch = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      types.push_back(type_of(node, node.inputs[i]));
      constants.push_back(constant_of(node.inputs[i]));
      of_batch = of_batch || (rows_known_.count(node.inputs[i]) > 0 && !reads_as_shape(node, i));
    }
    const NodeView view(node, std::move(types), std::move(constants));
    const OutputTypes outputs = op->infer(view);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) define(node_text(node), node.outputs[i], outputs[i]);
    }
    remember_known(view, outputs[0], of_batch);
  }

  void remember_known(const NodeView& view, const ValueType& type, bool of_batch) {
    const std::string& name = view.node().outputs[0];
    auto value = known_value(view, type);
    if (!value) {
      if (of_batch) view.unsupported("would compute with the number of rows of the batch");
      return;
    }
    if (name.empty()) return;
    if (mentions_batch(*value)) rows_known_.insert(name);
    checked_.known.emplace(name, *std::move(value));
  }

  void check_outputs() {
    if (graph_.outputs.empty()) fail("graph", "expected at least one output");
    std::unordered_set<std::string_view> seen;
    for (Value& output : graph_.outputs) {
      const std::string where = "output '" + output.name + "'";
      const auto found = checked_.types.find(output.name);
      if (found == checked_.types.end()) fail(where, "no node, input or initializer of this name");
      if (!seen.insert(output.name).second) fail(where, "expected each output once");
      if (rows_known_.count(output.name) > 0) {
        throw Error(ErrorCode::kUnsupported, where, "the number of rows of the batch cannot be an output");
      }
      output.type = found->second;
    }
  }

  // `node` reads what nothing before it defines: nothing at all, a later node, or a cycle.
  [[noreturn]] void fail_undefined(const Node& node, const std::string& name) const;

  Graph& graph_;
  Checked checked_;
  std::unordered_set<std::string> rows_known_;  // names in checked_.known that mention the batch
};

// Whether no order of the nodes puts each after those it reads from.
bool has_cycle(const std::vector<Node>& nodes) {
  std::unordered_map<std::string_view, size_t> makers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].outputs) makers.emplace(output, i);
  }
  std::vector<size_t> waits(nodes.size(), 0);
  std::vector<std::vector<size_t>> readers(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& input : nodes[i].inputs) {
      const auto maker = makers.find(input);
      if (input.empty() || maker == makers.end()) continue;
      readers[maker->second].push_back(i);
      ++waits[i];
    }
  }
  std::vector<size_t> ready;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waits[i] == 0) ready.push_back(i);
  }
  size_t done = 0;
  for (; !ready.empty(); ++done) {
    const size_t node = ready.back();
    ready.pop_back();
    for (const size_t reader : readers[node]) {
      if (--waits[reader] == 0) ready.push_back(reader);
    }
  }
  return done < nodes.size();
}

void Checker::fail_undefined(const Node& node, const std::string& name) const {
  for (const Node& maker : graph_.nodes) {
    if (std::find(maker.outputs.begin(), maker.outputs.end(), name) == maker.outputs.end()) continue;
    fail(node_text(node), has_cycle(graph_.nodes) ? "reads '" + name + "', and the nodes form a cycle"
                                                  : "expected nodes in order: '" + name +
                                                        "' is made later, by " + node_text(maker));
  }
  fail(node_text(node), "reads '" + name + "', which no node, input or initializer defines");
}

}  // namespace

std::string node_text(const Node& node) {
  const auto cut = [](const std::string& text) {  // a hostile name, between two letters of UTF-8
    size_t size = std::min<size_t>(text.size(), 200);
    while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
    return text.substr(0, size);
  };
  std::string name = node.name;
  for (const std::string& output : node.outputs) {
    if (name.empty()) name = output;
  }
  const std::string op = node.domain.empty() ? node.op : node.domain + "." + node.op;
  return cut(op) + " '" + cut(name) + "'";
}

bool mentions_batch(const Tensor& known) {
  if (known.dtype() != DType::kInt64 && known.dtype() != DType::kInt32) return false;
  const auto has = [](auto values, auto value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  return known.dtype() == DType::kInt64 ? has(known.values<int64_t>(), kBatchValue)
                                        : has(known.values<int32_t>(), kBatchValue32);
}

Checked check_graph(Graph& graph) { return Checker(graph).run(); }

}  // namespace maas
