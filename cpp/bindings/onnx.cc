// ONNX bytes and files to graphs and back.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checked_graph.h"
#include "engine_call.h"
#include "maas/onnx/op_versions.h"
#include "maas/onnx/reader.h"
#include "maas/onnx/writer.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

using GraphPtr = std::shared_ptr<CheckedGraph>;

GraphPtr from_bytes(const py::bytes& bytes) {
  const std::string_view view(bytes);
  const EngineCall call;
  return std::make_shared<CheckedGraph>(read_onnx(view));
}

GraphPtr from_file(const std::string& path) {
  const EngineCall call;
  return std::make_shared<CheckedGraph>(read_onnx_file(path));
}

py::bytes to_bytes(const CheckedGraph& checked) {
  std::string bytes;
  {
    const EngineCall call;
    bytes = write_onnx(checked.graph);
  }
  return py::bytes(bytes);
}

// The version of an operator that files of an opset mean; None if the reader does not know it.
std::optional<int64_t> operator_version(const std::string& domain, const std::string& op, int64_t opset) {
  const OpVersion version = find_version(domain, op, opset);
  return version.kind == OpVersion::kKnown ? std::optional(version.since) : std::nullopt;
}

}  // namespace

void register_onnx(py::module_& m) {
  m.def("read_onnx", &from_bytes);
  m.def("read_onnx_file", &from_file);
  m.def("write_onnx", &to_bytes);
  m.def("operator_version", &operator_version);
  m.attr("NEWEST_OPSETS") = py::make_tuple(kNewestOpset, kNewestMlOpset);
}

}  // namespace maas::bindings
