// Walks the operands of an element-by-element operation that ONNX's broadcasting brings to one shape.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "maas/program/step.h"

namespace maas {

// How an operand is met along the innermost axis: item by item, or one item for the whole run.
enum class Along : uint8_t { kItems, kOne };

// Immutable. Axes that every operand steps through as one are joined when the plan is made, the rows of the
// block with them where that can be, so most operations are one call of the loop.
template <size_t kInputs>
class BroadcastPlan {
 public:
  BroadcastPlan() = default;
  BroadcastPlan(const Operand& out, const std::array<const Operand*, kInputs>& inputs);

  Along along(size_t input) const { return along_[input]; }
  // Whether every operand goes along item by item.
  bool all_items() const {
    bool all = true;
    for (const Along along : along_) all = all && along == Along::kItems;
    return all;
  }

  // Calls loop(from, to, outer, inner, steps): `outer` stretches of `inner` results each, lying one after the
  // other from `to` on; from[k] + i * steps[k] is where operand k's i-th stretch begins.
  template <class Loop>
  void run(const std::array<const std::byte*, kInputs>& from, std::byte* to, size_t rows,
           Loop&& loop) const noexcept {
    if (empty_) return;
    const size_t outermost = axes_[0].count * (batched_ ? rows : 1);
    if (count_ == 1) return loop(from, to, size_t{1}, outermost, axes_[0].steps);
    if (count_ == 2) return loop(from, to, outermost, axes_[1].count, axes_[0].steps);
    walk(from, to, outermost, loop);
  }

 private:
  static constexpr size_t kMostAxes = 17;
  struct Axis {
    size_t count = 1;  // of the first: in one row
    std::array<ptrdiff_t, kInputs> steps{};
  };

  template <class Loop>
  void walk(std::array<const std::byte*, kInputs> from, std::byte* to, size_t outermost,
            Loop&& loop) const noexcept {
    const Axis& stretches = axes_[count_ - 2];
    const size_t inner = axes_[count_ - 1].count;
    size_t index[kMostAxes] = {};
    for (;;) {
      loop(from, to, stretches.count, inner, stretches.steps);
      to += stretches.count * inner * item_;
      size_t axis = count_ - 2;
      for (;; --axis) {
        if (axis == 0) return;
        const Axis& a = axes_[axis - 1];
        const size_t count = axis == 1 ? outermost : a.count;
        for (size_t k = 0; k < kInputs; ++k) from[k] += a.steps[k];
        if (++index[axis - 1] < count) break;
        index[axis - 1] = 0;
        for (size_t k = 0; k < kInputs; ++k) from[k] -= a.steps[k] * static_cast<ptrdiff_t>(count);
      }
    }
  }

  bool empty_ = false;
  bool batched_ = false;
  size_t item_ = 0;   // bytes of a result
  size_t count_ = 0;  // of axes, at least 1; the first runs over rows too
  std::array<Axis, kMostAxes> axes_{};
  std::array<Along, kInputs> along_{};
};

}  // namespace maas
