#include "maas/onnx/node_reader.h"

#include "maas/onnx/fields.h"
#include "maas/onnx/message.h"
#include "maas/onnx/tensor_reader.h"

namespace maas {

namespace {

namespace f = onnx_field;

// Numbers and texts of any type; `type` says which of them counts.
struct AttributeParts {
  std::string name;
  int32_t type = 0;
  int64_t integer = 0;
  float number = 0;
  std::string string;
  std::string_view tensor;
  std::vector<int64_t> integers;
  std::vector<float> numbers;
  std::vector<std::string> strings;
  bool refers = false;
};

AttributeParts read_parts(std::string_view bytes, const std::string& node, ReadContext& context) {
  AttributeParts parts;
  Message message(bytes, "AttributeProto");
  while (message.next()) {
    switch (message.field()) {
      case f::attribute::kName: parts.name = context.name(message.get_bytes(), "an attribute's name"); break;
      case f::attribute::kFloat: parts.number = message.get_float(); break;
      case f::attribute::kInt: parts.integer = message.get_int64(); break;
      case f::attribute::kString: parts.string = context.text(message.get_bytes(), node); break;
      case f::attribute::kTensor: parts.tensor = message.get_bytes(); break;
      case f::attribute::kFloats:
        message.numbers<float>([&](float number) {
          context.allow(1, sizeof(float));
          parts.numbers.push_back(number);
        });
        break;
      case f::attribute::kInts:
        message.numbers<int64_t>([&](int64_t number) {
          context.allow(1, sizeof(int64_t));
          parts.integers.push_back(number);
        });
        break;
      case f::attribute::kStrings: parts.strings.push_back(context.text(message.get_bytes(), node)); break;
      case f::attribute::kType: parts.type = message.get_int32(); break;
      case f::attribute::kRefName: parts.refers = !message.get_bytes().empty(); break;
      default: message.skip();
    }
  }
  return parts;
}

Attribute attribute_of(AttributeParts&& parts, const std::string& where, ReadContext& context) {
  switch (static_cast<f::AttributeType>(parts.type)) {
    case f::AttributeType::kFloat: return parts.number;
    case f::AttributeType::kInt: return parts.integer;
    case f::AttributeType::kString: return std::move(parts.string);
    case f::AttributeType::kTensor: return read_tensor(parts.tensor, where, context).tensor;
    case f::AttributeType::kFloats: return std::move(parts.numbers);
    case f::AttributeType::kInts: return std::move(parts.integers);
    case f::AttributeType::kStrings: return std::move(parts.strings);
    case f::AttributeType::kGraph:
    case f::AttributeType::kGraphs: throw_unsupported(where, "holds a subgraph; control flow is not run");
    default: break;
  }
  if (parts.type <= 0 || parts.type > 14) throw_format(where, "has no type that ONNX defines");
  throw_unsupported(where, "holds neither numbers, strings nor a tensor");
}

void read_attribute(std::string_view bytes, Node& node, ReadContext& context) {
  AttributeParts parts = read_parts(bytes, node_text(node), context);
  if (parts.name.empty()) throw_format(node_text(node), "has an attribute without a name");
  const std::string where = node_text(node) + " attribute '" + parts.name + "'";
  if (parts.refers) throw_format(where, "refers to an attribute of a function, and the node is in none");
  context.allow(1, sizeof(Attribute) + 64);
  auto [at, is_new] = node.attributes.try_emplace(parts.name);
  if (!is_new) throw_format(where, "is given twice");
  at->second = attribute_of(std::move(parts), where, context);
}

void read_tensor_type(std::string_view bytes, Declared& declared, const ReadContext& context) {
  declared.kind = Declared::kTensor;
  Message message(bytes, "TypeProto.Tensor");
  while (message.next()) {
    if (message.field() == f::tensor_type::kElemType) {
      declared.data_type = message.get_int32();
    } else if (message.field() == f::tensor_type::kShape) {
      declared.has_shape = true;
      Message shape(message.get_bytes(), "TensorShapeProto");
      while (shape.next()) {
        if (shape.field() != f::shape::kDim) {
          shape.skip();
          continue;
        }
        if (declared.shape.size() == context.limits().rank) {
          throw_unsupported("onnx",
                            "a value has more than " + std::to_string(declared.shape.size()) + " dimensions");
        }
        int64_t size = Declared::kUnknown;
        Message dim(shape.get_bytes(), "TensorShapeProto.Dimension");
        while (dim.next()) {
          if (dim.field() == f::dimension::kValue) {
            size = std::max(dim.get_int64(), Declared::kUnknown);  // some exporters write -1
          } else {
            dim.skip();
          }
        }
        declared.shape.push_back(size);
      }
    } else {
      message.skip();
    }
  }
}

Declared read_type(std::string_view bytes, const ReadContext& context) {
  Declared declared;
  Message message(bytes, "TypeProto");
  while (message.next()) {
    switch (message.field()) {
      case f::type::kTensor: read_tensor_type(message.get_bytes(), declared, context); break;
      case f::type::kSequence:
      case f::type::kMap:
      case f::type::kOpaque:
      case f::type::kSparseTensor:
      case f::type::kOptional:
        declared.kind = Declared::kOther;  // never looked into, so never deep
        message.skip();
        break;
      default: message.skip();
    }
  }
  return declared;
}

}  // namespace

Node read_node(std::string_view bytes, ReadContext& context) {
  Node node;
  std::vector<std::string_view> attributes;
  context.allow(1, sizeof(Node));
  Message message(bytes, "NodeProto");
  while (message.next()) {
    switch (message.field()) {
      case f::node::kInput: node.inputs.push_back(context.name(message.get_bytes(), "a value's name")); break;
      case f::node::kOutput:
        node.outputs.push_back(context.name(message.get_bytes(), "a value's name"));
        break;
      case f::node::kName: node.name = context.name(message.get_bytes(), "a node's name"); break;
      case f::node::kOpType: node.op = context.name(message.get_bytes(), "an operator's name"); break;
      case f::node::kDomain: node.domain = context.name(message.get_bytes(), "a domain"); break;
      case f::node::kAttribute:
        context.allow(1, sizeof(std::string_view));
        attributes.push_back(message.get_bytes());
        break;
      default: message.skip();
    }
  }
  if (node.domain == "ai.onnx") node.domain.clear();
  if (node.op.empty()) throw_format(node_text(node), "a node has no operator");
  for (const std::string_view attribute : attributes) read_attribute(attribute, node, context);
  return node;
}

DeclaredValue read_value(std::string_view bytes, ReadContext& context) {
  DeclaredValue value;
  context.allow(1, sizeof(DeclaredValue));
  Message message(bytes, "ValueInfoProto");
  while (message.next()) {
    switch (message.field()) {
      case f::value::kName: value.name = context.name(message.get_bytes(), "a value's name"); break;
      case f::value::kType: value.declared = read_type(message.get_bytes(), context); break;
      default: message.skip();
    }
  }
  return value;
}

}  // namespace maas
