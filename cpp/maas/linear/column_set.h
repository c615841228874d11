// Some columns of a matrix, each as its nonzeros with their rows: what coordinate descent over columns reads.
// Owned copies; they grow with the nonzeros of the columns taken, whatever the matrix has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"

namespace maas {

template <class T>
class ColumnSet {
 public:
  struct Column {
    const T* values;
    const int32_t* rows;  // ascending
    size_t count;
  };

  size_t size() const { return starts_.size() - 1; }
  size_t nonzeros() const { return values_.size(); }
  Column operator[](size_t slot) const {
    const size_t begin = starts_[slot];
    return {values_.data() + begin, rows_.data() + begin, starts_[slot + 1] - begin};
  }

  // Adds columns of x at the end, in the order given: two passes over x on the pool.
  void append(const CsrView<T>& x, const std::vector<int32_t>& columns);
  // The same for a dense matrix; its zeros are left out.
  void append(const MatrixView<T>& x, const std::vector<int32_t>& columns);
  // Adds a column of ones.
  void append_ones(size_t rows);

 private:
  template <class VisitPart>
  void append_parts(size_t parts, size_t count, const VisitPart& visit_part);

  std::vector<size_t> starts_ = {0};
  std::vector<int32_t> rows_;
  std::vector<T> values_;
};

extern template class ColumnSet<float>;
extern template class ColumnSet<double>;

}  // namespace maas
