// How the outputs of one large product are cut into tasks for the thread pool. It changes no bit.
#pragma once

#include <algorithm>
#include <cstddef>

#include "maas/kernels/gemm_task.h"

namespace maas {

// Multiply-adds up to which one thread is enough, and those of a task: about 36 and 18 µs of float32.
inline constexpr size_t kSerialProduct = size_t{1} << 21;
inline constexpr size_t kProductTask = size_t{1} << 20;

struct ProductGrid {
  size_t task_rows, task_cols, row_tasks, col_tasks;

  size_t tasks() const { return row_tasks * col_tasks; }
  template <class T>
  GemmTask<T> part(const GemmTask<T>& whole, size_t task) const {
    const size_t row = task % row_tasks * task_rows, col = task / row_tasks * task_cols;
    return whole.part(row, std::min(task_rows, whole.rows - row), col, std::min(task_cols, whole.cols - col));
  }
};

inline size_t divide_round_up(size_t a, size_t b) { return (a + b - 1) / b; }

struct ProductCut {
  size_t most_rows = static_cast<size_t>(-1);  // of a task: what it keeps in the second-level cache
  size_t row_unit = kTileRows;                 // tasks begin on multiples of it; itself one of kTileRows
  bool rows_only = false;                      // else columns first, so that B is read once
};

template <class T>
ProductGrid cut_product(size_t rows, size_t cols, size_t depth, ProductCut how = {}) {
  const size_t work = rows * cols * depth;
  if (work <= kSerialProduct) return {rows, cols, 1, 1};
  const size_t wanted = std::clamp<size_t>(work / kProductTask, 2, 16);
  const size_t slivers = divide_round_up(cols, kSliver<T>);
  const size_t task_slivers = how.rows_only ? slivers : divide_round_up(slivers, std::min(slivers, wanted));
  const size_t col_tasks = divide_round_up(slivers, task_slivers);
  const size_t units = divide_round_up(rows, how.row_unit);
  const size_t row_groups =
      std::min(units, std::max(divide_round_up(wanted, col_tasks), divide_round_up(rows, how.most_rows)));
  const size_t task_rows = divide_round_up(units, row_groups) * how.row_unit;
  return {task_rows, task_slivers * kSliver<T>, divide_round_up(rows, task_rows), col_tasks};
}
template <class T>
ProductGrid cut_product(const GemmTask<T>& whole, ProductCut how = {}) {
  return cut_product<T>(whole.rows, whole.cols, whole.depth, how);
}

}  // namespace maas
