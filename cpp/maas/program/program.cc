#include "maas/program/program.h"

#include <algorithm>

#include "maas/base/float_env.h"
#include "maas/program/load.h"
#include "maas/program/step.h"

namespace maas {

namespace {

const std::byte* bytes_at(const void* data) { return static_cast<const std::byte*>(data); }

}  // namespace

Program::Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Scratch::Scratch(const Program& program) : bytes_(program.scratch_bytes_), slots_(program.slots_) {
  for (const Program::FixedSlot& fixed : program.fixed_slots_) {
    // Steps read constants only; a slot's type is the same for all.
    slots_[fixed.slot] =
        fixed.constant != nullptr ? const_cast<void*>(fixed.constant) : bytes_.data() + fixed.offset;
  }
  reserve(program, program.block_rows_);
}

void Scratch::make_text_room(const Program& program, size_t rows) {
  texts_ = AlignedBuffer<std::byte>(rows * program.text_row_bytes_);
  text_rows_ = rows;
}

// Every row keeps its texts for the whole run where there is room, else only for the block.
std::byte* Program::text_work(const Instruction& instruction, size_t begin, size_t rows,
                              Scratch& scratch) const noexcept {
  const size_t first = begin + rows <= scratch.text_rows_ ? begin : 0;
  return scratch.texts_.data() + scratch.text_rows_ * instruction.text_row_offset +
         first * instruction.text_row_bytes;
}

bool Program::reads_in_place(const InputPlan& plan, const InputArray& array, size_t rows) const noexcept {
  const auto address = reinterpret_cast<uintptr_t>(array.data);
  return array.dtype == plan.dtype && address % std::min(plan.item_bytes, alignof(void*)) == 0 &&
         (plan.elements <= 1 || array.item_stride == static_cast<ptrdiff_t>(plan.item_bytes)) &&
         (!plan.batched || rows <= 1 || array.row_stride == static_cast<ptrdiff_t>(plan.row_bytes));
}

size_t Program::rows_at_once(const InputArray* inputs, size_t rows) const noexcept {
  if (!one_step_ || rows <= block_rows_) return block_rows_;
  for (size_t i = 0; i < input_plans_.size(); ++i) {
    if (input_plans_[i].used && !reads_in_place(input_plans_[i], inputs[i], rows)) return block_rows_;
  }
  return rows;
}

// Points the slots of inputs and outputs to rows [row, row + rows).
void Program::bind(const InputArray* inputs, size_t row, size_t rows, void* const* outputs,
                   Scratch& scratch) const noexcept {
  void** slots = scratch.slots_.data();
  for (size_t i = 0; i < input_plans_.size(); ++i) {
    const InputPlan& plan = input_plans_[i];
    if (!plan.used) continue;
    if (reads_in_place(plan, inputs[i], rows)) {
      const ptrdiff_t offset = plan.batched ? static_cast<ptrdiff_t>(row) * inputs[i].row_stride : 0;
      slots[plan.slot] = const_cast<std::byte*>(bytes_at(inputs[i].data) + offset);
    } else {
      void* copy = scratch.bytes_.data() + plan.offset;
      load_rows(inputs[i], plan.batched ? row : 0, plan.batched ? rows : 1, plan.elements, plan.dtype, copy);
      slots[plan.slot] = copy;
    }
  }
  for (size_t i = 0; i < output_plans_.size(); ++i) {
    slots[output_plans_[i].slot] = static_cast<std::byte*>(outputs[i]) + row * output_plans_[i].row_bytes;
  }
}

RunResult Program::run_range(const InputArray* inputs, size_t begin, size_t end, void* const* outputs,
                             Scratch& scratch) const noexcept {
  const size_t at_once = rows_at_once(inputs, end - begin);
  Block block{scratch.slots_.data(), 0, nullptr};
  do {  // once without rows too: for the values that know nothing of rows
    block.rows = std::min(at_once, end - begin);
    bind(inputs, begin, block.rows, outputs, scratch);
    for (const Instruction& instruction : instructions_) {
      if (block.rows == 0 && instruction.batched) continue;
      block.work = instruction.text_row_bytes == 0 ? scratch.bytes_.data() + instruction.work_offset
                                                   : text_work(instruction, begin, block.rows, scratch);
      const RunStatus status = instruction.step->run(block);
      if (status != RunStatus::kOk) [[unlikely]] {
        return {status, static_cast<size_t>(&instruction - instructions_.data())};
      }
    }
    begin += block.rows;
  } while (begin < end);
  return {};
}

RunResult Program::run(const InputArray* inputs, size_t rows, void* const* outputs,
                       Scratch& scratch) const noexcept {
  const FloatEnv default_word;
  return run_range(inputs, 0, batched_ ? rows : 1, outputs, scratch);
}

}  // namespace maas
