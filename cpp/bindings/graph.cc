// Graphs from plain Python values, and what they hold back as such.
#include <pybind11/stl.h>

#include <cmath>
#include <memory>
#include <optional>
#include <tuple>

#include "checked_graph.h"
#include "maas/base/error.h"
#include "module.h"
#include "tensor_array.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

using Dims = std::vector<std::optional<int64_t>>;  // nothing: the batch

bool is_text(py::handle value) { return py::isinstance<py::str>(value) || py::isinstance<py::bytes>(value); }

std::vector<std::string> to_names(py::handle names) {
  std::vector<std::string> out;
  for (const py::handle name : py::reinterpret_borrow<py::sequence>(names)) out.push_back(to_text(name));
  return out;
}

int64_t to_int(py::handle value) {
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!index) throw py::error_already_set();
  return index.cast<int64_t>();
}

// ONNX keeps attribute floats in float32.
float to_float(py::handle value, const std::string& what) {
  const double wide = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred()) throw py::error_already_set();
  const auto narrow = static_cast<float>(wide);
  if (std::isinf(narrow) && !std::isinf(wide)) {
    throw_invalid("graph", what + " must fit in float32, got " + std::to_string(wide));
  }
  return narrow;
}

Attribute to_list(const py::sequence& items, const std::string& what) {
  size_t texts = 0, ints = 0;
  for (const py::handle item : items) {
    texts += is_text(item);
    ints += PyIndex_Check(item.ptr()) != 0;
  }
  if (texts == items.size() && texts > 0) return to_names(items);
  if (ints == items.size()) {  // an empty list too
    std::vector<int64_t> out;
    for (const py::handle item : items) out.push_back(to_int(item));
    return out;
  }
  std::vector<float> out;
  for (const py::handle item : items) out.push_back(to_float(item, what));
  return out;
}

Attribute to_attribute(py::handle value, const std::string& what) {
  if (is_text(value)) return to_text(value);
  if (py::isinstance<py::array>(value)) return to_tensor(py::reinterpret_borrow<py::array>(value), what);
  if (PyIndex_Check(value.ptr())) return to_int(value);
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    return to_list(py::reinterpret_borrow<py::sequence>(value), what);
  }
  return to_float(value, what);
}

Node to_node(const py::tuple& parts) {
  if (parts.size() != 6) {
    throw_invalid("graph", "expected nodes of (op, domain, name, inputs, outputs, attributes)");
  }
  Node node{to_text(parts[0]),  to_text(parts[1]),  to_text(parts[2]),
            to_names(parts[3]), to_names(parts[4]), {}};
  for (const auto& [key, value] : parts[5].cast<py::dict>()) {
    const std::string name = to_text(key);
    node.attributes.emplace(name, to_attribute(value, "attribute '" + name + "' of " + node_text(node)));
  }
  return node;
}

Value to_value(const std::tuple<py::str, std::string, Dims>& input) {
  const auto& [name, dtype, dims] = input;
  Shape shape;
  for (const auto& dim : dims) {
    if (dim && *dim < 0) throw_invalid("graph", "expected dimensions of 0 or more, or None for the batch");
    shape.push_back(dim.value_or(kBatch));
  }
  return {to_text(name), {to_dtype(dtype), std::move(shape)}};
}

std::shared_ptr<CheckedGraph> make_graph(const py::str& name,
                                         const std::vector<std::tuple<py::str, std::string, Dims>>& inputs,
                                         const py::sequence& outputs, const std::vector<py::tuple>& nodes,
                                         const py::dict& initializers, const py::dict& metadata) {
  Graph graph;
  graph.name = to_text(name);
  for (const auto& input : inputs) graph.inputs.push_back(to_value(input));
  for (std::string& output : to_names(outputs)) graph.outputs.push_back({std::move(output), {}});
  for (const py::tuple& node : nodes) graph.nodes.push_back(to_node(node));
  for (const auto& [key, value] : initializers) {
    std::string text = to_text(key);
    Tensor tensor = to_tensor(value.cast<py::array>(), "initializer '" + text + "'");
    graph.initializers.emplace(std::move(text), std::move(tensor));
  }
  for (const auto& [key, value] : metadata) graph.metadata.emplace(to_text(key), to_text(value));
  return std::make_shared<CheckedGraph>(std::move(graph));
}

py::tuple from_type(const ValueType& type) {
  py::list dims;
  for (const int64_t dim : type.shape) {
    dims.append(dim == kBatch ? py::object(py::none()) : py::object(py::int_(dim)));
  }
  return py::make_tuple(dtype_name(type.dtype), py::tuple(dims));
}

py::list from_values(const std::vector<Value>& values) {
  py::list out;
  for (const Value& value : values) {
    const py::tuple type = from_type(value.type);
    out.append(py::make_tuple(to_str(value.name), type[0], type[1]));
  }
  return out;
}

py::tuple from_names(const std::vector<std::string>& names) {
  py::list out;
  for (const std::string& name : names) out.append(to_str(name));
  return py::tuple(out);
}

struct FromAttribute {
  py::object operator()(int64_t value) const { return py::int_(value); }
  py::object operator()(float value) const { return py::float_(static_cast<double>(value)); }
  py::object operator()(const std::string& value) const { return to_str(value); }
  py::object operator()(const Tensor& value) const { return to_array(value); }
  template <class T>
  py::object operator()(const std::vector<T>& values) const {
    py::list out;
    for (const T& value : values) out.append((*this)(value));
    return out;
  }
};

py::dict from_attributes(const Node& node) {
  py::dict out;
  for (const auto& [name, value] : node.attributes) out[to_str(name)] = std::visit(FromAttribute{}, value);
  return out;
}

// A node of a graph that Python keeps alive by holding this.
struct NodeRef {
  std::shared_ptr<const CheckedGraph> graph;
  const Node* node;
};

py::list from_nodes(const std::shared_ptr<CheckedGraph>& checked) {
  py::list out;
  for (const Node& node : checked->graph.nodes) out.append(NodeRef{checked, &node});
  return out;
}

py::dict from_initializers(const CheckedGraph& checked) {
  py::dict out;
  for (const auto& [name, tensor] : checked.graph.initializers) out[to_str(name)] = to_array(tensor);
  return out;
}

py::dict from_metadata(const CheckedGraph& checked) {
  py::dict out;
  for (const auto& [key, value] : checked.graph.metadata) out[to_str(key)] = to_str(value);
  return out;
}

py::object type_of(const CheckedGraph& checked, const py::str& name) {
  const auto found = checked.types.find(to_text(name));
  return found == checked.types.end() ? py::object(py::none()) : py::object(from_type(found->second));
}

std::shared_ptr<CheckedGraph> with_metadata(const CheckedGraph& checked, const py::dict& metadata) {
  Graph graph = checked.graph;
  graph.metadata.clear();
  for (const auto& [key, value] : metadata) graph.metadata.emplace(to_text(key), to_text(value));
  return std::make_shared<CheckedGraph>(std::move(graph));
}

}  // namespace

void register_graph(py::module_& m) {
  py::class_<NodeRef>(m, "Node")
      .def_property_readonly("op", [](const NodeRef& n) { return to_str(n.node->op); })
      .def_property_readonly("domain", [](const NodeRef& n) { return to_str(n.node->domain); })
      .def_property_readonly("name", [](const NodeRef& n) { return to_str(n.node->name); })
      .def_property_readonly("inputs", [](const NodeRef& n) { return from_names(n.node->inputs); })
      .def_property_readonly("outputs", [](const NodeRef& n) { return from_names(n.node->outputs); })
      .def_property_readonly("attributes", [](const NodeRef& n) { return from_attributes(*n.node); })
      .def("__repr__", [](const NodeRef& n) { return to_str("<" + node_text(*n.node) + ">"); });
  py::class_<CheckedGraph, std::shared_ptr<CheckedGraph>>(m, "Graph")
      .def(py::init(&make_graph))
      .def_property_readonly("name", [](const CheckedGraph& g) { return to_str(g.graph.name); })
      .def_property_readonly("inputs", [](const CheckedGraph& g) { return from_values(g.graph.inputs); })
      .def_property_readonly("outputs", [](const CheckedGraph& g) { return from_values(g.graph.outputs); })
      .def_property_readonly("nodes", &from_nodes)
      .def_property_readonly("initializers", &from_initializers)
      .def_property_readonly("metadata", &from_metadata)
      .def("type_of", &type_of)
      .def("with_metadata", &with_metadata);
}

}  // namespace maas::bindings
