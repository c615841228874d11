// Nodes of any version that the reader knows, rewritten as those of kOpset and kMlOpset.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "maas/graph/graph.h"

namespace maas {

// What a file says about its operators.
struct FileOperators {
  std::map<std::string, int64_t> opsets;                    // by domain, "" for ai.onnx
  std::set<std::pair<std::string, std::string>> functions;  // its own: domain and name
};

// The version that the file means of the node's operator. Throws FormatError or Unsupported naming node,
// operator, domain and opset.
int64_t operator_version(const Node& node, const FileOperators& operators);

// Rewrites one graph in two steps, because some operators of old need the types of what they read: first
// every node to one of the new version that gives the same type, then, with the types of all, those few to
// what they mean. Used once. What rules add is named by a prefix that no name of the graph has.
class Upgrade {
 public:
  // The second step of a node. type: of its first input. The last node gives the node's outputs.
  using Later = std::function<std::vector<Node>(Node node, const ValueType& type)>;

  Upgrade(Graph& graph, const FileOperators& operators);

  // Throws as operator_version, and for what a version cannot have.
  void first_step();
  bool has_second_step() const { return !later_.empty() || !zip_maps_.empty(); }
  void second_step(const std::unordered_map<std::string, ValueType>& types);

  // For the rules (upgrade_rules.h).
  std::string new_name() { return prefix_ + std::to_string(next_name_++); }
  std::string add_constant(Tensor tensor);
  void define(const Node& node, Tensor constant);  // as the node's output
  const Tensor* constant(const std::string& name) const;
  const ValueType* input_type(const std::string& name) const;  // of an input of the graph or a constant
  bool is_read(const std::string& name);                       // by a node not yet upgraded, or as an output
  void later(const Node& node, Later second_step);
  void drop_zip_map(Node& node, size_t labels);
  std::map<std::string, std::string>& metadata() { return graph_.metadata; }

 private:
  struct ZipMap {
    std::string node, from, to;
    size_t labels;
  };
  void choose_prefix();
  void upgrade(Node node);
  void rename_zipped();

  Graph& graph_;
  const FileOperators& operators_;
  std::vector<Node> old_;
  size_t at_ = 0;  // of old_
  std::string prefix_;
  size_t next_name_ = 0;
  std::unordered_set<std::string> read_;  // filled when first asked for
  std::unordered_map<std::string, ValueType> input_types_;
  std::unordered_map<std::string, Later> later_;  // by first output
  std::vector<ZipMap> zip_maps_;
};

}  // namespace maas
