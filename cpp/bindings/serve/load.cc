#include "load.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/serve/load_generator.h"

namespace py = pybind11;

namespace {

using maas::serve::LoadGenerator;
using maas::serve::LoadOptions;
using maas::serve::LoadResult;

LoadOptions read_load_options(const py::dict& given) {
  LoadOptions options;
  for (const auto& [key, value] : given) {
    const auto name = py::cast<std::string>(key);
    if (name == "host") {
      options.host = py::cast<std::string>(value);
    } else if (name == "port") {
      options.port = py::cast<int>(value);
    } else if (name == "raw") {
      options.raw = py::cast<bool>(value);
    } else if (name == "connections") {
      options.connections = py::cast<size_t>(value);
    } else if (name == "pipeline") {
      options.pipeline = py::cast<size_t>(value);
    } else if (name == "rate") {
      options.rate = py::cast<double>(value);
    } else if (name == "seconds") {
      options.seconds = py::cast<double>(value);
    } else if (name == "warm_up") {
      options.warm_up = py::cast<double>(value);
    } else if (name == "patience") {
      options.patience = py::cast<double>(value);
    } else {
      maas::throw_invalid("bench", "expected an option of the load generator, got '" + name + "'");
    }
  }
  return options;
}

py::dict run(LoadGenerator& generator) {
  LoadResult result;
  {
    const py::gil_scoped_release free;
    result = generator.run();
  }
  py::dict out;
  out["buckets"] = result.latency.buckets();
  out["statuses"] = result.statuses;
  out["lost"] = result.lost;
  out["asked"] = result.asked;
  out["seconds"] = result.seconds;
  return out;
}

}  // namespace

void maas::bindings::bind_load_generator(py::module_& module) {
  py::class_<LoadGenerator>(module, "LoadGenerator")
      .def(py::init([](const py::dict& options, std::string request) {
             LoadOptions read = read_load_options(options);
             read.request = std::move(request);
             return std::make_unique<LoadGenerator>(std::move(read));
           }),
           py::arg("options"), py::arg("request"), py::pos_only())
      .def("run", &run)
      .def("stop", &LoadGenerator::stop);
}
