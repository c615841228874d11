// Any bytes are read as a model or refused with FormatError or Unsupported. What was read is written as bytes
// that read back the same, compiles or is refused, and runs a row; fused and unfused to the same bits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/error.h"
#include "maas/onnx/reader.h"
#include "maas/onnx/writer.h"
#include "maas/program/compile.h"

namespace {

using maas::DType;
using maas::ErrorCode;

constexpr size_t kMostRunBytes = size_t{1} << 22;  // of scratch, inputs or outputs
constexpr size_t kMostCost = size_t{1} << 28;      // tenths of a nanosecond

void expect_refusal(const maas::Error& error) {
  if (error.code() != ErrorCode::kFormatError && error.code() != ErrorCode::kUnsupported) std::abort();
  if (std::strlen(error.what()) > 10'000) std::abort();
}

std::optional<maas::Graph> read(std::string_view bytes) {
  maas::ReadLimits limits;
  limits.bytes = size_t{64} << 20;
  limits.nodes = 10'000;
  try {
    return maas::read_onnx(bytes, limits);
  } catch (const maas::Error& error) {
    expect_refusal(error);
    return std::nullopt;
  }
}

std::optional<maas::Program> compile(const maas::Graph& graph, bool fuse) {
  try {
    return maas::compile(graph, {.outputs = {}, .fuse = fuse});
  } catch (const maas::Error& error) {
    expect_refusal(error);
    return std::nullopt;
  }
}

size_t bytes_of(const maas::Value& value) {
  return maas::elements(value.type.shape) * item_size(value.type.dtype);
}

// The bytes of the outputs for one row of zeros, or of empty texts; texts as they are. Nothing where the run
// finds an error, or would be large.
std::optional<std::string> run(const maas::Program& program) {
  size_t bytes = program.scratch_bytes();
  for (const maas::Value& value : program.inputs()) bytes += bytes_of(value);
  for (const maas::Value& value : program.outputs()) bytes += bytes_of(value);
  if (bytes > kMostRunBytes || program.row_cost() > kMostCost) return std::nullopt;

  static const std::vector<std::string_view> zeros(kMostRunBytes / sizeof(std::string_view));
  std::vector<maas::InputArray> inputs;
  for (const maas::Value& value : program.inputs()) {
    const auto item = static_cast<ptrdiff_t>(item_size(value.type.dtype));
    inputs.push_back({zeros.data(), value.type.dtype, 0, item});
  }
  std::vector<std::vector<std::string_view>> memory;  // aligned for every type
  std::vector<void*> outputs;
  for (const maas::Value& value : program.outputs()) {
    memory.emplace_back(bytes_of(value) / sizeof(std::string_view) + 1);
    outputs.push_back(memory.back().data());
  }
  maas::Scratch scratch(program);
  scratch.reserve(program, 1);
  const maas::RunResult result = program.run(inputs.data(), 1, outputs.data(), scratch);
  if (!result) {
    if (program.message(result).empty()) std::abort();
    return std::nullopt;
  }
  std::string found;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const maas::Value& value = program.outputs()[i];
    if (value.type.dtype != DType::kString) {
      found.append(static_cast<const char*>(outputs[i]), bytes_of(value));
      continue;
    }
    for (size_t j = 0; j < maas::elements(value.type.shape); ++j) found += std::string(memory[i][j]) + '\n';
  }
  return found;
}

void expect_round_trip(const maas::Graph& graph) {
  const std::string written = maas::write_onnx(graph);
  if (maas::write_onnx(maas::read_onnx(written)) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graph = read({reinterpret_cast<const char*>(data), size});
  if (!graph) return 0;
  expect_round_trip(*graph);
  const auto fused = compile(*graph, true);
  const auto plain = compile(*graph, false);
  if (fused.has_value() != plain.has_value()) std::abort();
  if (!fused) return 0;
  const auto one = run(*fused), other = run(*plain);
  if (one && other && *one != *other) std::abort();
  return 0;
}
