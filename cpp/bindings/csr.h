// A scipy CSR matrix as a view, from the tuple (values, columns, starts, number of columns) that Python
// makes.
#pragma once

#include <pybind11/numpy.h>

#include "array.h"
#include "maas/base/csr.h"

namespace maas::bindings {

// Holds the arrays that its view points into. The constructor checks sizes, offsets and columns, one pass
// over the structure, so that no fit can read outside them.
template <class T>
class CsrArgument {
 public:
  CsrArgument(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
              size_t column_count)
      : values_(values), columns_(columns), starts_(starts) {
    const VectorView<T> v = vector_view(values_);
    const VectorView<int32_t> c = vector_view(columns_);
    const VectorView<int64_t> s = vector_view(starts_);
    const bool contiguous =
        v.size == 0 || (v.stride == 1 && c.stride == 1);  // no elements: numpy says stride 0
    if (!contiguous || s.stride != 1 || s.size == 0 || v.size != c.size) {
      throw_invalid("csr", "expected contiguous values, columns and starts of matching sizes");
    }
    view_ = {v.data, c.data, s.data, s.size - 1, column_count};
    if (s[0] != 0 || s[s.size - 1] < 0 || static_cast<size_t>(s[s.size - 1]) != v.size) {
      throw_invalid("csr", "expected starts from 0 to the number of values");
    }
    for (size_t i = 0; i + 1 < s.size; ++i) {
      if (s[i] > s[i + 1]) throw_invalid("csr", "expected starts in ascending order");
    }
    for (size_t k = 0; k < c.size; ++k) {
      if (c[k] < 0 || static_cast<size_t>(c[k]) >= column_count) {
        throw_invalid("csr", "expected columns below " + std::to_string(column_count));
      }
    }
  }

  const CsrView<T>& view() const { return view_; }

 private:
  Array<T> values_;
  Array<int32_t> columns_;
  Array<int64_t> starts_;
  CsrView<T> view_;
};

}  // namespace maas::bindings
