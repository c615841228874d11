#include <numeric>
#include <unordered_set>

#include "maas/onnx/read_context.h"
#include "maas/onnx/upgrade_rules.h"

namespace maas {

namespace {

// Text between quotes as JSON has it; other than ASCII stays UTF-8.
std::string json_text(const std::string& text) {
  std::string json = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7F) {
      constexpr const char* kHex = "0123456789abcdef";
      json += "\\u00";
      json += kHex[code >> 4];
      json += kHex[code & 15];
    } else {
      if (letter == '"' || letter == '\\') json += '\\';
      json += letter;
    }
  }
  return json + "\"";
}

template <class T, class Text>
std::string json_list(const std::vector<T>& items, Text text) {
  std::string json = "[";
  for (const T& item : items) json += (json.size() > 1 ? ", " : "") + text(item);
  return json + "]";
}

// Of an early LabelEncoder, which looks up texts or gives them: what its default says or, without one, the
// type that it reads.
bool reads_text(const Node& node, const Upgrade& graph) {
  const bool to_text = node.attributes.contains("default_string");
  const bool to_number = node.attributes.contains("default_int64");
  if (to_text != to_number) return to_number;
  const ValueType* type = node.inputs.empty() ? nullptr : graph.input_type(node.inputs[0]);
  if (type == nullptr) {
    throw_unsupported(node_text(node),
                      "of version 1 does not say by default_string or default_int64 which of "
                      "text and number it reads");
  }
  return type->dtype == DType::kString;
}

}  // namespace

// Version 1 looks classes up by index, or their index up.
bool index_to_label_encoder(Node& node, int64_t, Upgrade& graph) {
  using Strings = std::vector<std::string>;
  const bool from_text = reads_text(node, graph);
  Strings classes = take_attribute<Strings>(node, "classes_strings", {});
  const int64_t default_number = take_attribute<int64_t>(node, "default_int64", -1);
  std::string default_text = take_attribute<std::string>(node, "default_string", "_Unused");
  if (!node.attributes.empty()) {
    throw_format(node_text(node),
                 "attribute '" + node.attributes.begin()->first + "' is not one of version 1");
  }
  if (!from_text) {
    std::vector<int64_t> indices(classes.size());
    std::iota(indices.begin(), indices.end(), 0);
    node.attributes = {{"keys_int64s", std::move(indices)},
                       {"values_strings", std::move(classes)},
                       {"default_string", std::move(default_text)}};
    return true;
  }
  // Of a class given twice the first index counts; later versions take the last.
  std::vector<int64_t> indices;
  Strings keys;
  std::unordered_set<std::string> known;
  for (size_t i = 0; i < classes.size(); ++i) {
    if (!known.insert(classes[i]).second) continue;
    indices.push_back(static_cast<int64_t>(i));
    keys.push_back(std::move(classes[i]));
  }
  node.attributes = {{"keys_strings", std::move(keys)},
                     {"values_int64s", std::move(indices)},
                     {"default_int64", default_number}};
  return true;
}

bool drop_zip_map(Node& node, int64_t, Upgrade& graph) {
  const auto numbers = take_attribute<std::vector<int64_t>>(node, "classlabels_int64s", {});
  const auto texts = take_attribute<std::vector<std::string>>(node, "classlabels_strings", {});
  if (numbers.empty() == texts.empty()) {
    throw_format(node_text(node), "expected one of classlabels_int64s and classlabels_strings");
  }
  const std::string labels = texts.empty()
                                 ? json_list(numbers, [](int64_t number) { return std::to_string(number); })
                                 : json_list(texts, json_text);
  const auto [entry, is_new] = graph.metadata().emplace(metadata::kLabels, labels);
  if (!is_new && entry->second != labels) {
    throw_unsupported(node_text(node), "has labels beside others: the model gives two sets of them");
  }
  graph.drop_zip_map(node, numbers.size() + texts.size());
  return true;
}

}  // namespace maas
