// One step of a Program: a node (or several fused into one) made ready to run on blocks of rows.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/graph/op.h"
#include "maas/program/run_status.h"

namespace maas {

// The rows a step works on. Slot s of a batched value holds rows × elements items, one row after the other;
// of another value, its items once. Bool is one byte, a string a std::string_view.
struct Block {
  void* const* slots;
  size_t rows;      // 1 … StepSpec::block_rows
  std::byte* work;  // this step's own, on 64 bytes

  template <class T>
  const T* in(size_t slot) const {
    return static_cast<const T*>(slots[slot]);
  }
  template <class T>
  T* out(size_t slot) const {
    return static_cast<T*>(slots[slot]);
  }
};

// Immutable after construction: threads share it, each with its own Block.
class Step {
 public:
  virtual ~Step() = default;
  // No allocation, no lock. Writes every element of its outputs, also where it returns an error.
  virtual RunStatus run(const Block& block) const noexcept = 0;
  // One line: the operators, the shapes, what is fused. "Gemm 10 -> 64 + bias, Relu".
  virtual std::string describe() const = 0;
};

// One input or output of a node being made into a step.
struct Operand {
  bool present = false;
  size_t slot = 0;
  ValueType type;
  const Tensor* constant = nullptr;  // known before any run; outlives the step

  DType dtype() const { return type.dtype; }
  bool batched() const { return is_batched(type.shape); }
  size_t elements() const { return maas::elements(type.shape); }  // a row's, or all
  // The shape of one row: without the batch.
  Shape row_shape() const { return batched() ? Shape(type.shape.begin() + 1, type.shape.end()) : type.shape; }
};

struct StepSpec {
  const NodeView& view;  // attributes and constants; lives while the step is made, not longer
  std::vector<Operand> inputs, outputs;
  size_t block_rows;      // most rows of a block
  size_t work_bytes = 0;  // set by the maker: what Block::work must hold
  // Set by the maker where outputs are texts that lie in Block::work, the same share of it for each row: it
  // then is theirs until the next run.
  bool work_is_text = false;

  // Rows that a value has in a block of `rows`.
  static size_t count(const Operand& operand, size_t rows) { return operand.batched() ? rows : 1; }
};

using StepMaker = std::unique_ptr<Step> (*)(StepSpec& spec);

// Makers by operator. Each family adds its own in program/steps/<family>.cc; null where there is none.
struct StepEntry {
  const char* op;
  const char* domain;
  StepMaker make;
};
StepMaker find_step_maker(std::string_view domain, std::string_view op);

}  // namespace maas
