// Rows named by an index as a panel (kernels/panel.h): what the rows of one fold are when folds are shuffled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "maas/base/view.h"

namespace maas {

// Rows of a matrix by their numbers, in any order. Not owned.
struct RowIndex {
  const uint32_t* rows = nullptr;
  size_t count = 0;

  explicit operator bool() const { return rows != nullptr; }
  RowIndex range(size_t begin, size_t end) const { return {rows + begin, end - begin}; }
};

// As pack_panel, of rows index[0, n). The values are the same whatever the layout; only the order in which
// they are visited follows it: eight rows at a time where rows are contiguous (one 64-byte line of each
// column), else a column at a time.
template <class T, class P>
bool gather_panel(const MatrixView<T>& x, const uint32_t* index, size_t n, const P* shift, P* dst,
                  size_t ld) {
  constexpr size_t kAhead = 16;  // rows asked for before they are read: no prefetcher follows an index
  const bool by_rows = std::abs(x.col_stride) <= std::abs(x.row_stride);
  const size_t block = by_rows ? 8 : n;
  T verdict = 0;  // x * 0 is 0 for every finite x
  for (size_t begin = 0; begin < n; begin += block) {
    const size_t end = std::min(n, begin + block);
    if (by_rows) {
      for (size_t i = begin + kAhead; i < std::min(n, end + kAhead); ++i) {
        for (size_t j = 0; j < x.cols; j += 64 / sizeof(T)) __builtin_prefetch(x.at(index[i], j));
      }
    }
    for (size_t j = 0; j < x.cols; ++j) {
      P* column = dst + j * ld;
      const P offset = shift[j];
      for (size_t i = begin; i < end; ++i) {
        const T value = x(index[i], j);
        verdict += value * T{0};
        column[i] = static_cast<P>(value) - offset;
      }
    }
  }
  for (size_t j = 0; j < x.cols; ++j) std::fill(dst + j * ld + n, dst + (j + 1) * ld, P{0});
  return verdict == T{0};
}

}  // namespace maas
