// Graphs put together at random, most of them broken: check_graph accepts them or throws one of its two
// errors, and what it accepts keeps its limits.
#include <random>

#include "graph_cases.h"

namespace maas {
namespace {

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {}

  Graph make() {
    Graph graph;
    for (size_t i = 0; i < 3; ++i) {
      names_.push_back(numbered('x', i));
      graph.inputs.push_back({names_.back(), {dtype(), shape()}});
    }
    for (size_t i = 0; i < 4; ++i) {
      names_.push_back(numbered('c', i));
      graph.initializers.emplace(names_.back(), tensor());
    }
    for (size_t i = 0; i < 12; ++i) graph.nodes.push_back(node(i));
    graph.outputs = {{names_.back(), {}}};
    return graph;
  }

 private:
  size_t below(size_t count) { return random_() % count; }

  DType dtype() { return below(3) > 0 ? F32 : static_cast<DType>(below(6)); }

  int64_t dimension() {
    constexpr int64_t odd[] = {0, -1, -2, INT64_MAX, INT64_MIN, kBatchValue, kMostElements, 1 << 20};
    return below(12) > 0 ? static_cast<int64_t>(1 + below(4)) : odd[below(8)];
  }

  Shape shape() {
    Shape result(below(4));
    for (int64_t& d : result) d = dimension();
    if (!result.empty() && below(2) == 0) result[0] = kBatch;
    return result;
  }

  Tensor tensor() {
    Ints values(below(4));
    for (int64_t& value : values) value = dimension();
    return values.size() == 1 && below(2) == 0 ? scalar(values[0]) : ints(values);
  }

  Attribute attribute(AttributeType type) {
    switch (type) {
      case AttributeType::kInt: return below(4) > 0 ? static_cast<int64_t>(below(4)) - 1 : dimension();
      case AttributeType::kFloat: return 0.5f;
      case AttributeType::kString: return std::string(below(2) > 0 ? "NONE" : "tanh");
      case AttributeType::kInts: return Ints(below(3), dimension());
      case AttributeType::kFloats: return Floats(below(5), 1.0f);
      case AttributeType::kStrings: return Strings(below(3), "a");
      case AttributeType::kTensor: return tensor();
    }
    return int64_t{0};
  }

  Node node(size_t index) {
    const auto ops = all_ops();
    const Op& op = *ops[below(ops.size())];
    Node made{op.name, op.domain, "", {}, {}, {}};
    const size_t most = std::min<size_t>(op.most_inputs, 5);
    const size_t count = below(20) == 0 ? below(6) : op.least_inputs + below(most - op.least_inputs + 1);
    for (size_t i = 0; i < count; ++i)
      made.inputs.push_back(below(30) == 0 ? "" : names_[below(names_.size())]);
    for (size_t i = 0; i < 1 + (op.most_outputs > 1 ? below(3) : 0); ++i) {
      made.outputs.push_back(numbered(static_cast<char>('d' + i), index));
      names_.push_back(made.outputs.back());
    }
    for (const OpAttribute& known : op.attributes) {
      if (below(2) == 0) made.attributes.emplace(known.name, attribute(known.type));
    }
    return made;
  }

  std::mt19937 random_;
  std::vector<std::string> names_;
};

TEST(RandomGraphs, AreAcceptedOrRefusedInWords) {
  size_t accepted = 0, nodes = 0;
  for (unsigned seed = 0; seed < 4'000; ++seed) {
    Graph whole = RandomGraph(seed).make();
    // The longest part that is accepted, so that later nodes meet the values of earlier ones.
    Graph graph = whole;
    graph.nodes.clear();
    graph.outputs = {{"c0", {}}};
    for (const Node& node : whole.nodes) {
      graph.nodes.push_back(node);
      const std::string text = verdict(graph);
      ASSERT_NE(text.substr(0, 7), "another") << text;
      if (text[0] == 'F' || text[0] == 'U') graph.nodes.pop_back();
    }
    if (verdict(graph)[0] == 'F') continue;
    const Checked checked = check_graph(graph);
    ++accepted;
    nodes += graph.nodes.size();
    for (const auto& [name, type] : checked.types) {
      ASSERT_LE(type.shape.size(), kMostDimensions);
      ASSERT_LE(checked_elements(type.shape).value(), kMostElements) << name << shape_text(type.shape);
    }
    for (const auto& [name, value] : checked.known) {
      ASSERT_EQ(checked.types.at(name).shape, value.shape()) << name;
      ASSERT_EQ(checked.types.at(name).dtype, value.dtype()) << name;
    }
  }
  EXPECT_GT(accepted, 1'000u);
  EXPECT_GT(nodes, 2'000u);
}

}  // namespace
}  // namespace maas
