// Copies between strided arrays: what slicing, transposing, repeating, joining and splitting come to.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/graph/shape.h"

namespace maas {

// One axis of a copy; strides in bytes, of any sign, 0 where a value repeats.
struct CopyAxis {
  size_t count = 0;
  ptrdiff_t from = 0, to = 0;
};

// Immutable. The axes of one row, outermost first, are joined where they can be, and the innermost becomes a
// run of bytes where it is contiguous on both sides.
class CopyPlan {
 public:
  CopyPlan() = default;
  // row_from and row_to: from one row to the next; from_offset and to_offset: of the first item. Throws
  // Unsupported where more than kMostAxes axes remain.
  CopyPlan(size_t item_bytes, const std::vector<CopyAxis>& axes, ptrdiff_t row_from, ptrdiff_t row_to,
           ptrdiff_t from_offset = 0, ptrdiff_t to_offset = 0);

  void run(const void* from, void* to, size_t rows) const noexcept;

 private:
  static constexpr size_t kMostAxes = 16;
  // Copies a.count runs of `bytes`.
  using CopyRuns = void (*)(const std::byte* from, std::byte* to, CopyAxis a, size_t bytes);
  static CopyRuns runs_of(size_t bytes);
  void copy_row(const std::byte* from, std::byte* to) const noexcept;

  CopyRuns copy_runs_ = nullptr;
  size_t run_bytes_ = 0;  // 0: nothing to copy
  size_t axes_count_ = 0;
  CopyAxis axes_[kMostAxes];
  ptrdiff_t row_from_ = 0, row_to_ = 0, from_offset_ = 0, to_offset_ = 0;
};

// Row-major strides in items of a shape without a batch.
std::vector<ptrdiff_t> contiguous_strides(const Shape& shape);

// A copy of `from` to every place that broadcasting takes it to in `to`; both without a batch.
CopyPlan expand_plan(size_t item_bytes, const Shape& from, const Shape& to, ptrdiff_t row_from,
                     ptrdiff_t row_to);

}  // namespace maas
