// Values with some axes brought behind all others, for kernels that go along contiguous runs.
#pragma once

#include <vector>

#include "maas/program/step.h"
#include "maas/program/steps/copy_plan.h"

namespace maas {

// A row (or a value without rows) seen as outer × inner, inner running over the chosen axes in their order.
// Nothing is copied where they are last already.
class LastAxes {
 public:
  LastAxes() = default;
  // `chosen` by axis of operand.row_shape().
  LastAxes(const Operand& operand, const std::vector<bool>& chosen);

  size_t outer() const { return outer_; }
  size_t inner() const { return inner_; }
  bool in_place() const { return in_place_; }
  // What the copy of a block of that many rows needs; 0 where there is none.
  size_t work_bytes(size_t rows) const { return in_place_ ? 0 : rows * row_bytes_; }

  // The values in order: themselves, or their copy in `work`.
  const void* bring(const void* values, size_t rows, void* work) const noexcept {
    if (in_place_) return values;
    there_.run(values, work, rows);
    return work;
  }
  // From that order back to the value's own.
  void put_back(const void* ordered, void* values, size_t rows) const noexcept {
    back_.run(ordered, values, rows);
  }

 private:
  size_t outer_ = 1, inner_ = 1, row_bytes_ = 0;
  bool in_place_ = true;
  CopyPlan there_, back_;
};

}  // namespace maas
