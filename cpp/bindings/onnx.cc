// ONNX bytes and files to graphs and back.
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <string_view>

#include "checked_graph.h"
#include "engine_call.h"
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

}  // namespace

void register_onnx(py::module_& m) {
  m.def("read_onnx", &from_bytes);
  m.def("read_onnx_file", &from_file);
  m.def("write_onnx", &to_bytes);
}

}  // namespace maas::bindings
