#include "maas/program/steps/last_axes.h"

namespace maas {

LastAxes::LastAxes(const Operand& operand, const std::vector<bool>& chosen) {
  const Shape shape = operand.row_shape();
  const auto strides = contiguous_strides(shape);
  const size_t item = item_size(operand.dtype());
  row_bytes_ = operand.elements() * item;
  std::vector<size_t> order;
  for (const bool last : {false, true}) {
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (chosen[axis] != last) continue;
      order.push_back(axis);
      (last ? inner_ : outer_) *= static_cast<size_t>(shape[axis]);
    }
  }
  std::vector<CopyAxis> there, back;
  auto to = static_cast<ptrdiff_t>(row_bytes_);
  size_t before = 0;
  for (const size_t axis : order) {
    const auto count = static_cast<size_t>(shape[axis]);
    const ptrdiff_t from = strides[axis] * static_cast<ptrdiff_t>(item);
    to = count == 0 ? 0 : to / static_cast<ptrdiff_t>(count);
    there.push_back({count, from, to});
    back.push_back({count, to, from});
    if (count == 1) continue;
    in_place_ = in_place_ && axis >= before;
    before = axis;
  }
  const auto row = static_cast<ptrdiff_t>(row_bytes_);
  there_ = CopyPlan(item, there, row, row);
  back_ = CopyPlan(item, back, row, row);
}

}  // namespace maas
