// Label sets: matrices of indicators of shape (n, labels), where what is not zero means that the row has the
// label. How many labels are right, predicted and true, by label and by row.
#pragma once

#include <cstdint>
#include <vector>

#include "maas/metrics/array_view.h"

namespace maas {

// Which labels each row of a sparse matrix has: columns[starts[i]] to columns[starts[i + 1]], ascending.
struct SparseIndicator {
  const int32_t* columns = nullptr;
  const int64_t* starts = nullptr;
  size_t rows = 0;
  size_t labels = 0;
};

// One element a label or a row.
template <class Sum>
struct IndicatorSums {
  std::vector<Sum> right, predicted, truth;
};

// Rows of each label.
IndicatorSums<int64_t> count_indicators(const ArrayMatrix& truth, const ArrayMatrix& predicted);
IndicatorSums<int64_t> count_indicators(const SparseIndicator& truth, const SparseIndicator& predicted);

// Weight of each label, added in row order.
IndicatorSums<double> weigh_indicators(const ArrayMatrix& truth, const ArrayMatrix& predicted,
                                       const ArrayView& weight);
IndicatorSums<double> weigh_indicators(const SparseIndicator& truth, const SparseIndicator& predicted,
                                       const ArrayView& weight);

// Labels of row i, written to element i of each: room for as many elements as rows.
struct RowCounts {
  int64_t* right;
  int64_t* predicted;
  int64_t* truth;
};
void count_row_labels(const ArrayMatrix& truth, const ArrayMatrix& predicted, const RowCounts& out);
void count_row_labels(const SparseIndicator& truth, const SparseIndicator& predicted, const RowCounts& out);

}  // namespace maas
