// Runs one node as a step, without a graph around it: for tests of a step's arithmetic and errors.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "maas/program/step.h"

namespace maas::test {

// One input: `values` with the rows in front. Not batched: the same for all rows; constant: also known
// before.
struct StepInput {
  Tensor values;
  enum Kind : uint8_t { kBatched, kFixed, kConstant } kind = kBatched;

  ValueType type() const {
    ValueType type{values.dtype(), values.shape()};
    if (kind == kBatched) type.shape[0] = maas::kBatch;
    return type;
  }
};

template <class T>
Tensor tensor(Shape shape, std::vector<T> values) {
  if constexpr (std::is_same_v<T, std::string>) {
    return Tensor::of_strings(std::move(shape), std::move(values));
  } else {
    return Tensor::of(std::move(shape), values.data());
  }
}

using Attributes = std::map<std::string, Attribute>;

// A node of ai.onnx.ml.
inline Node ml_node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
                    Attributes attributes = {}) {
  return {std::move(op), kMlDomain, "n", std::move(inputs), std::move(outputs), std::move(attributes)};
}

// What a step made of a node gives.
class StepRunner {
 public:
  // `outputs`: types with kBatch in front where batched. `most_rows`: of a block.
  StepRunner(Node node, std::vector<StepInput> inputs, std::vector<ValueType> outputs, size_t most_rows = 64)
      : node_(std::move(node)), inputs_(std::move(inputs)), types_(std::move(outputs)) {
    for (const StepInput& input : inputs_) input_types_.push_back(input.type());
    std::vector<const ValueType*> types;
    std::vector<const Tensor*> constants;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      types.push_back(&input_types_[i]);
      constants.push_back(inputs_[i].kind == StepInput::kConstant ? &inputs_[i].values : nullptr);
    }
    const NodeView view(node_, types, constants);
    StepSpec spec{view, {}, {}, most_rows};
    for (size_t i = 0; i < inputs_.size(); ++i)
      spec.inputs.push_back({true, i, input_types_[i], constants[i]});
    for (size_t i = 0; i < types_.size(); ++i) {
      spec.outputs.push_back({true, inputs_.size() + i, types_[i], nullptr});
    }
    const StepMaker make = find_step_maker(node_.domain, node_.op);
    if (make == nullptr) throw_invalid("test", "no step for " + node_.op);
    step_ = make(spec);
    work_ = AlignedBuffer<std::byte>(spec.work_bytes);
  }

  // Runs `rows` rows from row `first` on.
  RunStatus run(size_t first, size_t rows) {
    std::vector<void*> slots;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const size_t row_bytes = row_bytes_of(input_types_[i]);
      const char* data = static_cast<const char*>(inputs_[i].values.data());
      slots.push_back(
          const_cast<char*>(inputs_[i].kind == StepInput::kBatched ? data + first * row_bytes : data));
    }
    buffers_.clear();
    for (const ValueType& type : types_) {
      buffers_.emplace_back(row_bytes_of(type) * (is_batched(type.shape) ? rows : 1));
      slots.push_back(buffers_.back().data());
    }
    return step_->run({slots.data(), rows, work_.data()});
  }

  template <class T>
  std::vector<T> output(size_t i) const {
    EXPECT_EQ(types_[i].dtype, dtype_of<T>);
    const T* data = reinterpret_cast<const T*>(buffers_[i].data());
    return {data, data + buffers_[i].size() / sizeof(T)};
  }
  std::string describe() const { return step_->describe(); }

 private:
  static size_t row_bytes_of(const ValueType& type) { return elements(type.shape) * item_size(type.dtype); }

  Node node_;
  std::vector<StepInput> inputs_;
  std::vector<ValueType> input_types_, types_;
  std::unique_ptr<Step> step_;
  AlignedBuffer<std::byte> work_;
  std::vector<AlignedBuffer<char>> buffers_;
};

// The first output of a node with one batched input and one output whose rows have `row_shape`.
template <class Out>
std::vector<Out> run_node(const std::string& op, Attributes attributes, Tensor input, Shape row_shape,
                          RunStatus expected = RunStatus::kOk) {
  const auto rows = static_cast<size_t>(input.shape()[0]);
  const Node node = ml_node(op, {"x"}, {"y"}, std::move(attributes));
  row_shape.insert(row_shape.begin(), kBatch);
  StepRunner runner(node, {{input}}, {{dtype_of<Out>, row_shape}});
  EXPECT_EQ(runner.run(0, rows), expected);
  auto all = runner.output<Out>(0);
  for (size_t i = 0; i < rows; ++i) {  // a row alone gives the same
    if (runner.run(i, 1) != RunStatus::kOk) continue;
    const auto alone = runner.output<Out>(0);
    const size_t width = alone.size();
    for (size_t j = 0; j < width; ++j) {
      if constexpr (std::is_same_v<Out, std::string_view>) {
        EXPECT_EQ(alone[j], all[i * width + j]);
      } else {
        EXPECT_EQ(std::memcmp(&alone[j], &all[i * width + j], sizeof(Out)), 0) << "row " << i << " alone";
      }
    }
  }
  return all;
}

}  // namespace maas::test
