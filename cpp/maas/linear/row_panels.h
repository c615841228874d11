// Blocks of training rows as panels (kernels/panel.h): features, targets, a column of ones and the weights,
// cut out, shifted and checked for NaN and infinity on the way. Every pass of least squares reads rows
// through here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/error.h"
#include "maas/base/view.h"
#include "maas/kernels/gram.h"
#include "maas/kernels/panel.h"
#include "maas/linear/row_gather.h"

namespace maas {

// Rows of one fit. weights.data == nullptr: every row counts 1. Nothing is copied or owned.
template <class T>
struct RegressionRows {
  MatrixView<T> x;  // n × d
  MatrixView<T> y;  // n × t
  VectorView<double> weights;
  // In place of x, of which only the shape counts then: columns ascending within a row.
  CsrView<T> sparse = {};

  bool is_sparse() const { return sparse.starts != nullptr; }
};

// Calls fn(column, value) for the nonzeros of a row in columns [begin, end).
template <class T, class Fn>
void for_nonzeros(const CsrView<T>& x, size_t row, size_t begin, size_t end, const Fn& fn) {
  const int32_t* const last = x.columns + x.starts[row + 1];
  const int32_t* at = x.columns + x.starts[row];
  if (begin > 0) at = std::lower_bound(at, last, static_cast<int32_t>(begin));
  for (; at != last; ++at) {
    const auto column = static_cast<size_t>(*at);
    if (column >= begin && column < end) fn(column, x.values[at - x.columns]);
  }
}

// P is the type of the panel: that of the rows, or double.
template <class T, class P>
class RowPanels {
 public:
  // shift: d + t values subtracted from the columns. They are used as given, so exact when P holds them.
  // index: which rows, in which order; without it all of them.
  RowPanels(const RegressionRows<T>& rows, std::vector<P> shift, RowIndex index = {})
      : rows_(rows), shift_(std::move(shift)), index_(index) {}

  const RegressionRows<T>& rows() const { return rows_; }
  size_t size() const { return index_ ? index_.count : rows_.x.rows; }
  const std::vector<P>& shift() const { return shift_; }
  // Features, targets, and the column of ones, whose products with the others are sums.
  size_t columns() const { return rows_.x.cols + rows_.y.cols + 1; }

  // Packs columns [begin, end) of rows [first, first + n), zero from n to ld. Throws NotFinite.
  void pack(size_t begin, size_t end, size_t first, size_t n, P* dst, size_t ld) const {
    const size_t d = rows_.x.cols, last = columns() - 1;
    if (rows_.is_sparse()) {
      unpack_features(begin, std::min(end, d), first, n, dst, ld);
    } else {
      pack_part(rows_.x, "Input X", 0, begin, std::min(end, d), first, n, dst, ld);
    }
    const size_t y_begin = std::max(begin, d);
    pack_part(rows_.y, "Input y", d, y_begin, std::min(end, last), first, n, dst + (y_begin - begin) * ld,
              ld);
    if (end > last) {
      P* ones = dst + (last - begin) * ld;
      std::fill(ones, ones + n, P{1});
      std::fill(ones + n, ones + ld, P{0});
    }
  }

  // Where rows [first, first + n) of the features lie, if together: for asking for them early.
  NextRows location(size_t first, size_t n) const {
    const bool together =
        !index_ && !rows_.is_sparse() && rows_.x.row_stride == static_cast<ptrdiff_t>(rows_.x.cols);
    if (!together || n == 0) return {};
    return {rows_.x.at(first, 0), n * rows_.x.cols * sizeof(T)};
  }

  // The weights of the same rows in h, or nullptr where there are none. Throws NotFinite.
  const P* pack_weights(size_t first, size_t n, P* h, size_t ld) const {
    if (!rows_.weights) return nullptr;
    for (size_t i = 0; i < n; ++i) {
      h[i] = static_cast<P>(rows_.weights[index_ ? index_.rows[first + i] : first + i]);
      if (!std::isfinite(h[i])) throw NotFinite("sample_weight");
    }
    std::fill(h + n, h + ld, P{0});
    return h;
  }

 private:
  void unpack_features(size_t begin, size_t end, size_t first, size_t n, P* dst, size_t ld) const {
    for (size_t j = begin; j < end; ++j) {
      P* const column = dst + (j - begin) * ld;
      std::fill(column, column + n, -shift_[j] + P{0});
      std::fill(column + n, column + ld, P{0});
    }
    P verdict = 0;  // x * 0 is 0 for every finite x
    for (size_t i = 0; i < n; ++i) {
      const size_t row = index_ ? index_.rows[first + i] : first + i;
      for_nonzeros(rows_.sparse, row, begin, end, [&](size_t j, T x) {
        const auto value = static_cast<P>(x);
        verdict += value * P{0};
        dst[(j - begin) * ld + i] = value - shift_[j];
      });
    }
    if (verdict != P{0}) throw NotFinite("Input X");
  }
  void pack_part(MatrixView<T> m, const char* what, size_t offset, size_t begin, size_t end, size_t first,
                 size_t n, P* dst, size_t ld) const {
    if (begin >= end) return;
    const MatrixView<T> part{m.at(0, begin - offset), m.rows, end - begin, m.row_stride, m.col_stride};
    const P* shift = shift_.data() + begin;
    const bool finite = index_ ? gather_panel(part, index_.rows + first, n, shift, dst, ld)
                               : pack_panel(part, first, n, shift, dst, ld);
    if (!finite) throw NotFinite(what);
  }

  RegressionRows<T> rows_;
  std::vector<P> shift_;
  RowIndex index_;
};

// Means of the first 64 rows (fewer where there are fewer): known as soon as rows begin to arrive, whatever
// the chunks. How far they are from the means of all n rows costs little: those 64 rows are among the n, so
// the square of the distance is at most n / 64 times the variance, and only for rows made to reach that. NaN
// here is found again, and reported, by the pass.
inline constexpr size_t kShiftRows = 64;

template <class P, class T>
std::vector<P> first_rows_shift(const RegressionRows<T>& rows, RowIndex index = {}) {
  const size_t n = index ? index.count : rows.x.rows, d = rows.x.cols, t = rows.y.cols;
  const size_t count = std::min(n, kShiftRows);
  std::vector<double> sum(d + t, 0.0);
  for (size_t k = 0; k < count; ++k) {
    const size_t i = index ? index.rows[k] : k;
    if (rows.is_sparse()) {
      for_nonzeros(rows.sparse, i, 0, d, [&](size_t j, T x) { sum[j] += static_cast<double>(x); });
    } else {
      for (size_t j = 0; j < d; ++j) sum[j] += static_cast<double>(rows.x(i, j));
    }
    for (size_t j = 0; j < t; ++j) sum[d + j] += static_cast<double>(rows.y(i, j));
  }
  std::vector<P> shift(d + t);
  for (size_t j = 0; j < d + t; ++j) shift[j] = static_cast<P>(sum[j] / static_cast<double>(count));
  return shift;
}

}  // namespace maas
