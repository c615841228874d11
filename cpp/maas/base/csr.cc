#include "maas/base/csr.h"

namespace maas {

template <class T>
CsrMatrix<T> transpose(const CsrView<T>& m) {
  CsrMatrix<T> out;
  out.rows = m.cols;
  out.cols = m.rows;
  out.values.resize(m.nonzeros());
  out.columns.resize(m.nonzeros());
  out.starts.assign(m.cols + 1, 0);
  if (m.rows == 0) return out;
  for (int64_t k = m.starts[0]; k < m.starts[m.rows]; ++k)
    ++out.starts[static_cast<size_t>(m.columns[k]) + 1];
  for (size_t j = 0; j < m.cols; ++j) out.starts[j + 1] += out.starts[j];
  std::vector<int64_t> next(out.starts.begin(), out.starts.end() - 1);
  for (size_t i = 0; i < m.rows; ++i) {
    for (int64_t k = m.starts[i]; k < m.starts[i + 1]; ++k) {
      const auto at = static_cast<size_t>(next[static_cast<size_t>(m.columns[k])]++);
      out.values[at] = m.values[k];
      out.columns[at] = static_cast<int32_t>(i);
    }
  }
  return out;
}

template CsrMatrix<float> transpose(const CsrView<float>&);
template CsrMatrix<double> transpose(const CsrView<double>&);

}  // namespace maas
