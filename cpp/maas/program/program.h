// A Graph made ready to run: the only forward pass for inference.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/export.h"
#include "maas/graph/graph.h"
#include "maas/program/run_status.h"

namespace maas {

class Step;

// One input of a run, any strides, in bytes. Item (i, j): row i, element j of the row in row-major order of
// its shape, at data + i * row_stride + j * item_stride. Values of an unbatched input are its one row.
// dtype may be narrower than the model's: float32 for float64, int32 for int64 or float64, bool for any
// number. Strings are std::string_view.
struct InputArray {
  const void* data = nullptr;
  DType dtype = DType::kFloat32;
  ptrdiff_t row_stride = 0;
  ptrdiff_t item_stride = 0;
};

// Whether a run takes values of `from` for a model's input of `to`.
MAAS_API bool widens(DType from, DType to);

// The workspace of one thread for one Program. Strings that a run puts out point into the Program, the
// Scratch or the inputs; they hold until the next run with this Scratch.
class MAAS_API Scratch {
 public:
  explicit Scratch(const class Program& program);
  // Before Program::run on so many rows where outputs may be texts: those made of numbers lie here, and
  // without room for all rows only those of the last block hold. Nothing to do for most Programs; run_rows
  // does it itself. May throw std::bad_alloc.
  void reserve(const class Program& program, size_t rows);

 private:
  friend class Program;
  void make_text_room(const class Program& program, size_t rows);

  AlignedBuffer<std::byte> bytes_, texts_;
  size_t text_rows_ = 0;
  std::vector<void*> slots_;
};

struct RunResult {
  RunStatus status = RunStatus::kOk;
  size_t step = 0;  // that found it; Program::step_name says which
  explicit operator bool() const { return status == RunStatus::kOk; }
};

// Immutable; threads share it, each with its own Scratch.
class MAAS_API Program {
 public:
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  // The graph's, whose keys graph.h lists: labels, feature names, what values mean.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // `inputs` as many as inputs(), in that order; `outputs` likewise: contiguous, rows × elements items each,
  // aligned for their type, not overlapping the inputs. A Program without batched inputs runs once, whatever
  // `rows` is. One thread; no allocation, lock or exception. A row's results depend on that
  // row alone. On an error the outputs hold nothing useful.
  RunResult run(const InputArray* inputs, size_t rows, void* const* outputs, Scratch& scratch) const noexcept;

  // The same bits over the thread pool; `scratches` holds at least one, and as many threads are used as it
  // holds.
  RunResult run_rows(const InputArray* inputs, size_t rows, void* const* outputs,
                     std::vector<Scratch>& scratches) const;

  size_t block_rows() const { return block_rows_; }
  size_t scratch_bytes() const { return scratch_bytes_; }
  // Tenths of a nanosecond that a row of a batch takes, very roughly: what decides whether threads are worth
  // it.
  size_t row_cost() const { return row_cost_; }
  // The error in words: "[OneHotEncoder 'c01out'] ...".
  std::string message(const RunResult& result) const;
  // One line a step: what was fused, shapes, bytes.
  std::string describe() const;

 private:
  friend class Scratch;
  friend class Compiler;
  Program();

  // An input's slot points into the caller's array where that is laid out as steps want it, else to a copy of
  // the block's rows in the scratch.
  struct InputPlan {
    size_t slot = 0;
    DType dtype = DType::kFloat32;
    bool used = false, batched = true;
    size_t elements = 0, item_bytes = 0, row_bytes = 0;  // of a row
    size_t offset = 0;                                   // of the copy in the scratch
  };
  struct OutputPlan {
    size_t slot = 0, row_bytes = 0;  // 0 bytes where unbatched
  };
  // A slot that is the same in every run with one Scratch.
  struct FixedSlot {
    size_t slot = 0;
    const void* constant = nullptr;
    size_t offset = 0;  // into the scratch, where there is no constant
  };
  struct Instruction {
    const Step* step = nullptr;
    size_t work_offset = 0;
    size_t text_row_bytes = 0;   // of a step whose work holds texts: its share of Scratch::texts_
    size_t text_row_offset = 0;  // what the steps before it take there
    bool batched = true;         // writes a batched value
  };

  bool reads_in_place(const InputPlan& plan, const InputArray& array, size_t rows) const noexcept;
  size_t rows_at_once(const InputArray* inputs, size_t rows) const noexcept;
  void bind(const InputArray* inputs, size_t row, size_t rows, void* const* outputs,
            Scratch& scratch) const noexcept;
  std::byte* text_work(const Instruction& instruction, size_t begin, size_t rows,
                       Scratch& scratch) const noexcept;
  RunResult run_range(const InputArray* inputs, size_t begin, size_t end, void* const* outputs,
                      Scratch& scratch) const noexcept;

  std::vector<Value> inputs_, outputs_;
  std::map<std::string, std::string> metadata_;
  std::vector<InputPlan> input_plans_;
  std::vector<OutputPlan> output_plans_;
  std::vector<FixedSlot> fixed_slots_;
  std::vector<Instruction> instructions_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::string> step_names_, step_notes_;
  std::unordered_map<std::string, Tensor> constants_;  // what slots and steps point to
  size_t text_row_bytes_ = 0;
  size_t slots_ = 0, block_rows_ = 1, scratch_bytes_ = 0, row_cost_ = 0;
  bool batched_ = false;  // some input has rows
  bool unbatched_outputs_ = false;
  bool one_step_ = false;  // and no scratch but what inputs may be copied to: any number of rows at once
};

inline void Scratch::reserve(const Program& program, size_t rows) {
  if (program.text_row_bytes_ != 0 && rows > text_rows_) make_text_room(program, rows);
}

}  // namespace maas
