// Programs that put out any values of a graph, fused or step by step, and what the engine knows of operators:
// for tests and tools. Models run through the type of model_type.cc.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "checked_graph.h"
#include "engine_call.h"
#include "maas/base/error.h"
#include "maas/graph/op.h"
#include "maas/program/compile.h"
#include "maas/program/step.h"
#include "module.h"
#include "tensor_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

// The rows that the arrays of a run have together; they stay alive as long as this.
class Inputs {
 public:
  Inputs(const Program& program, const py::dict& arrays) {
    for (const Value& value : program.inputs()) {
      const py::str name = to_str(value.name);
      if (!arrays.contains(name)) throw_invalid("Program", "expected an input '" + value.name + "'");
      add(value, to_tensor(arrays[name].cast<py::array>(), "input '" + value.name + "'"));
    }
  }

  const InputArray* data() const { return arrays_.data(); }
  size_t rows() const { return rows_; }

 private:
  void add(const Value& value, Tensor tensor) {
    const Shape &wanted = value.type.shape, &given = tensor.shape();
    const bool batched = is_batched(wanted);
    const bool fits = given.size() == wanted.size() &&
                      std::equal(given.begin() + batched, given.end(), wanted.begin() + batched);
    if (!fits || !widens(tensor.dtype(), value.type.dtype)) {
      throw_invalid("Program", "expected input '" + value.name + "' of " + dtype_name(value.type.dtype) +
                                   " " + shape_text(wanted) + ", got " + dtype_name(tensor.dtype()) + " " +
                                   shape_text(given));
    }
    const auto item = static_cast<ptrdiff_t>(item_size(tensor.dtype()));
    const auto row = static_cast<ptrdiff_t>(elements(wanted)) * item;
    if (batched) take_rows(static_cast<size_t>(given[0]), value.name);
    arrays_.push_back({tensor.data(), tensor.dtype(), row, item});
    kept_.push_back(std::move(tensor));
  }

  void take_rows(size_t rows, const std::string& name) {
    if (has_rows_ && rows != rows_) {
      throw_invalid("Program", "expected inputs of as many rows each, got " + std::to_string(rows_) +
                                   " and, of '" + name + "', " + std::to_string(rows));
    }
    rows_ = rows;
    has_rows_ = true;
  }

  std::vector<InputArray> arrays_;
  std::vector<Tensor> kept_;
  size_t rows_ = 1;
  bool has_rows_ = false;
};

// One output of a run: a numpy array, or views that become one of str objects.
struct Output {
  Output(const Value& value, size_t rows) : text(value.type.dtype == DType::kString) {
    for (const int64_t dim : value.type.shape) {
      shape.push_back(dim == kBatch ? static_cast<py::ssize_t>(rows) : static_cast<py::ssize_t>(dim));
    }
    if (text) {
      views.resize(elements(value.type.shape) * (is_batched(value.type.shape) ? rows : 1));
    } else {
      array = py::array(numpy_dtype(value.type.dtype), shape);
    }
  }

  void* data() { return text ? static_cast<void*>(views.data()) : array.mutable_data(); }

  py::array finish() const {
    if (!text) return array;
    py::list items;
    for (const std::string_view view : views) items.append(to_str(view));
    py::array flat(py::dtype("O"), std::vector<py::ssize_t>{static_cast<py::ssize_t>(views.size())});
    flat[py::ellipsis()] = items;
    return flat.reshape(shape);
  }

  bool text;
  std::vector<py::ssize_t> shape;
  std::vector<std::string_view> views;
  py::array array;
};

py::dict run(const Program& program, const py::dict& arrays, size_t threads) {
  const Inputs inputs(program, arrays);
  std::vector<Output> outputs;
  for (const Value& value : program.outputs()) outputs.emplace_back(value, inputs.rows());
  std::vector<void*> places;
  for (Output& output : outputs) places.push_back(output.data());
  std::vector<Scratch> scratches;
  for (size_t i = 0; i < std::max<size_t>(1, threads); ++i) scratches.emplace_back(program);
  scratches[0].reserve(program, inputs.rows());
  RunResult result;
  {
    const EngineCall call;
    result = threads == 0 ? program.run(inputs.data(), inputs.rows(), places.data(), scratches[0])
                          : program.run_rows(inputs.data(), inputs.rows(), places.data(), scratches);
  }
  if (!result) throw_invalid("Program", program.message(result));
  py::dict named;
  for (size_t i = 0; i < outputs.size(); ++i) named[to_str(program.outputs()[i].name)] = outputs[i].finish();
  return named;
}

py::list operators() {
  py::list all;
  for (const Op* op : all_ops()) {
    all.append(py::make_tuple(op->domain, op->name, find_step_maker(op->domain, op->name) != nullptr));
  }
  return all;
}

}  // namespace

void register_program(py::module_& m) {
  py::class_<Program>(m, "Program")
      .def(py::init([](const CheckedGraph& checked, const std::vector<std::string>& outputs, bool fuse) {
        return compile(checked.graph, {.outputs = outputs, .fuse = fuse});
      }))
      .def("run", &run)  // threads: 0 for Program::run, else run_rows
      .def("describe", [](const Program& program) { return to_str(program.describe()); })
      .def_property_readonly("block_rows", &Program::block_rows)
      .def_property_readonly("scratch_bytes", &Program::scratch_bytes);
  m.def("operators", &operators);
}

}  // namespace maas::bindings
