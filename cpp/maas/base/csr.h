// Compressed sparse rows (scipy.sparse's CSR) as a view, and the owned transpose that column-wise solvers
// read. Positions not named are zero. Columns are unique within a row; rows of a transpose are sorted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace maas {

template <class T>
struct CsrView {
  const T* values = nullptr;         // nonzeros, row by row; contiguous and aligned to their size
  const int32_t* columns = nullptr;  // the column of each value
  const int64_t* starts = nullptr;   // rows + 1 offsets: row i is [starts[i], starts[i + 1])
  size_t rows = 0;
  size_t cols = 0;

  size_t nonzeros() const { return rows == 0 ? 0 : static_cast<size_t>(starts[rows] - starts[0]); }
  // Rows [begin, end), sharing memory: offsets stay those of the whole.
  CsrView row_range(size_t begin, size_t end) const {
    return {values, columns, starts + begin, end - begin, cols};
  }
};

template <class T>
struct CsrMatrix {
  std::vector<T> values;
  std::vector<int32_t> columns;
  std::vector<int64_t> starts;
  size_t rows = 0;
  size_t cols = 0;

  CsrView<T> view() const { return {values.data(), columns.data(), starts.data(), rows, cols}; }
};

// The same numbers by columns (CSC): row j of the result is column j of `m`, rows ascending. One counting
// pass and one copying pass; memory grows with the nonzeros and the columns.
template <class T>
CsrMatrix<T> transpose(const CsrView<T>& m);

extern template CsrMatrix<float> transpose(const CsrView<float>&);
extern template CsrMatrix<double> transpose(const CsrView<double>&);

}  // namespace maas
