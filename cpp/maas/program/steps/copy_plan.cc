#include "maas/program/steps/copy_plan.h"

#include <cstring>

#include "maas/base/error.h"

namespace maas {

namespace {

template <size_t kBytes>
void copy_fixed(const std::byte* from, std::byte* to, CopyAxis a, size_t) {
  for (size_t i = 0; i < a.count; ++i, from += a.from, to += a.to) std::memcpy(to, from, kBytes);
}

void copy_any(const std::byte* from, std::byte* to, CopyAxis a, size_t bytes) {
  for (size_t i = 0; i < a.count; ++i, from += a.from, to += a.to) std::memcpy(to, from, bytes);
}

// Drops axes of one item and joins neighbours that step through memory as one axis would.
std::vector<CopyAxis> joined(const std::vector<CopyAxis>& axes) {
  std::vector<CopyAxis> result;
  for (const CopyAxis& axis : axes) {
    if (axis.count == 1) continue;
    const auto count = static_cast<ptrdiff_t>(axis.count);
    if (!result.empty() && result.back().from == axis.from * count && result.back().to == axis.to * count) {
      result.back() = {result.back().count * axis.count, axis.from, axis.to};
    } else {
      result.push_back(axis);
    }
  }
  return result;
}

}  // namespace

std::vector<ptrdiff_t> contiguous_strides(const Shape& shape) {
  std::vector<ptrdiff_t> strides(shape.size());
  ptrdiff_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
  return strides;
}

CopyPlan::CopyRuns CopyPlan::runs_of(size_t bytes) {
  switch (bytes) {
    case 1: return copy_fixed<1>;
    case 4: return copy_fixed<4>;
    case 8: return copy_fixed<8>;
    case 12: return copy_fixed<12>;
    case 16: return copy_fixed<16>;
    default: return copy_any;
  }
}

CopyPlan::CopyPlan(size_t item_bytes, const std::vector<CopyAxis>& axes, ptrdiff_t row_from, ptrdiff_t row_to,
                   ptrdiff_t from_offset, ptrdiff_t to_offset)
    : run_bytes_(item_bytes),
      row_from_(row_from),
      row_to_(row_to),
      from_offset_(from_offset),
      to_offset_(to_offset) {
  for (const CopyAxis& axis : axes) {
    if (axis.count == 0) run_bytes_ = 0;
  }
  if (run_bytes_ == 0) return;
  std::vector<CopyAxis> kept = joined(axes);
  const auto item = static_cast<ptrdiff_t>(item_bytes);
  if (!kept.empty() && kept.back().from == item && kept.back().to == item) {
    run_bytes_ *= kept.back().count;
    kept.pop_back();
  }
  if (kept.size() > kMostAxes) {
    throw Error(ErrorCode::kUnsupported, "compile",
                "expected at most " + std::to_string(kMostAxes) + " axes to copy along, got " +
                    std::to_string(kept.size()));
  }
  axes_count_ = kept.size();
  for (size_t i = 0; i < axes_count_; ++i) axes_[i] = kept[i];
  copy_runs_ = runs_of(run_bytes_);
}

void CopyPlan::copy_row(const std::byte* from, std::byte* to) const noexcept {
  const CopyAxis& inner = axes_[axes_count_ - 1];
  const size_t outer = axes_count_ - 1;
  size_t index[kMostAxes] = {};
  for (;;) {
    copy_runs_(from, to, inner, run_bytes_);
    size_t axis = outer;
    for (;; --axis) {  // the odometer: the last axis that has not come round moves on
      if (axis == 0) return;
      const CopyAxis& a = axes_[axis - 1];
      from += a.from;
      to += a.to;
      if (++index[axis - 1] < a.count) break;
      index[axis - 1] = 0;
      from -= a.from * static_cast<ptrdiff_t>(a.count);
      to -= a.to * static_cast<ptrdiff_t>(a.count);
    }
  }
}

void CopyPlan::run(const void* from_items, void* to_items, size_t rows) const noexcept {
  if (run_bytes_ == 0) return;
  const std::byte* from = static_cast<const std::byte*>(from_items) + from_offset_;
  std::byte* to = static_cast<std::byte*>(to_items) + to_offset_;
  if (axes_count_ == 0) {
    const auto run = static_cast<ptrdiff_t>(run_bytes_);
    if (rows == 1 || (row_from_ == run && row_to_ == run)) {
      std::memcpy(to, from, run_bytes_ * rows);
      return;
    }
    copy_runs_(from, to, {rows, row_from_, row_to_}, run_bytes_);
    return;
  }
  for (size_t i = 0; i < rows; ++i, from += row_from_, to += row_to_) copy_row(from, to);
}

CopyPlan expand_plan(size_t item_bytes, const Shape& from, const Shape& to, ptrdiff_t row_from,
                     ptrdiff_t row_to) {
  const auto item = static_cast<ptrdiff_t>(item_bytes);
  const auto from_strides = contiguous_strides(from), to_strides = contiguous_strides(to);
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < to.size(); ++i) {
    // Axes are matched from behind; a row of the source may lack those in front, or have more of length 1.
    const bool there = i + from.size() >= to.size();
    const size_t j = i + from.size() - to.size();
    const ptrdiff_t step = there && from[j] != 1 ? from_strides[j] * item : 0;
    axes.push_back({static_cast<size_t>(to[i]), step, to_strides[i] * item});
  }
  return CopyPlan(item_bytes, axes, row_from, row_to);
}

}  // namespace maas
