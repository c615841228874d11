// A model as the server has it: compiled, with the words that describe it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/program/program.h"
#include "maas/serve/live_profile.h"
#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::serve {

// A request's tensors in the order of the program's inputs.
struct Binding {
  std::vector<InputArray> inputs;
  size_t rows = 0;
  bool exact = false;  // each of its input's own type: rows of several requests may lie one after the other
};

// Immutable; shared by all threads.
class ServedModel {
 public:
  // Reads and compiles an ONNX file's bytes. Throws FormatError or Unsupported.
  ServedModel(std::string name, std::string version, std::string_view onnx);

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  // No other model of this process has it, ever.
  uint64_t number() const { return number_; }
  const Program& program() const { return program_; }

  // Before it is served. What its rows look like is then counted.
  void watch(std::unique_ptr<LiveProfile> live) { live_ = std::move(live); }
  // nullptr where nothing is counted. Threads share it.
  LiveProfile* live_profile() const { return live_.get(); }

  // Fits a request's tensors to the inputs, by name. They may be of narrower types (FP32 for FP64), never of
  // wider ones; the first dimension of batched inputs is the number of rows, the same for all. Elements are
  // then those of the program's types, in `request.room` where they travelled as others.
  wire::Status bind(wire::Request& request, Binding& binding) const;

  // The request of bytes without any JSON: they are the rows of the only input.
  wire::Status take_raw(std::string_view bytes, wire::Request& request) const;

  // Which of the program's outputs a request wants, in its order.
  wire::Status choose(const wire::Request& request, std::vector<size_t>& outputs) const;

  // Rows `first` to `first + rows` of output i of a run, which lies at `data`; all of it where it has no
  // rows.
  void output(size_t i, size_t first, size_t rows, const void* data, wire::Tensor& tensor) const;

  // "inputs":[...],"outputs":[...] and the engine's own "parameters":{...} of the Open Inference Protocol's
  // metadata.
  const std::string& described() const { return described_; }

 private:
  ServedModel(std::string name, std::string version, Graph graph);
  wire::Status bind_one(const Value& input, wire::Tensor& tensor, wire::ValueRoom& room,
                        Binding& binding) const;

  std::string name_, version_, parameters_;
  Program program_;
  const uint64_t number_;
  std::vector<wire::Tensor> outputs_;  // as they travel, of one row
  std::unique_ptr<LiveProfile> live_;
  std::string described_;
};

// The type as which values of a model travel.
wire::DataType wire_type(DType dtype);

}  // namespace maas::serve
