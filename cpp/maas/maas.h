// Models inside C++ programs: the one header to include. Link maas::maas (docs/embedding.md).
//
// A Program is a model ready to run, shared by threads; a Scratch is what one thread needs to run it. Errors
// of loading are maas::Error; a run throws nothing, allocates nothing and returns a RunResult.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "maas/base/error.h"
#include "maas/base/export.h"
#include "maas/graph/graph.h"
#include "maas/onnx/reader.h"
#include "maas/program/compile.h"
#include "maas/program/program.h"

namespace maas {

struct LoadOptions {
  // What the Program puts out, in this order: values of the graph by name, or what a Python model's method of
  // that name gives: "predict", "predict_proba", "decision_function". Empty: the file's outputs. What none of
  // them needs is not computed.
  std::vector<std::string> outputs;
  ReadLimits limits = {};
};

// Reads an ONNX file and compiles it. External data are read from the file's own folder. Throws NotFound,
// PermissionDenied, FormatError or Unsupported; NotFound too for an output that the model does not have.
MAAS_API Program load_model(const std::string& path, const LoadOptions& options = {});

// The same from memory, which is not needed afterwards; no external data.
MAAS_API Program load_model(const void* bytes, size_t size, const LoadOptions& options = {});

// The name of the value that a method of a Python model gives ("predict", "predict_proba",
// "decision_function"); "" where the model does not offer it. `graph` as read_onnx returns it.
MAAS_API std::string role_value(const Graph& graph, const std::string& method);

}  // namespace maas
