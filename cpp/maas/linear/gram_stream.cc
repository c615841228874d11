#include "maas/linear/gram_stream.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

template <class T>
RegressionRows<T> row_range(const RegressionRows<T>& rows, size_t begin, size_t end) {
  RegressionRows<T> part{rows.x.row_range(begin, end), rows.y.row_range(begin, end), {}};
  if (rows.weights) {
    part.weights = {rows.weights.data + static_cast<ptrdiff_t>(begin) * rows.weights.stride, end - begin,
                    rows.weights.stride};
  }
  return part;
}

template <class T>
void append_matrix(const MatrixView<T>& m, const char* what, std::vector<T>& to) {
  T verdict = 0;  // x * 0 is 0 for every finite x
  for (size_t i = 0; i < m.rows; ++i) {
    for (size_t j = 0; j < m.cols; ++j) {
      to.push_back(m(i, j));
      verdict += to.back() * T{0};
    }
  }
  if (verdict != T{0}) throw NotFinite(what);
}

}  // namespace

template <class T>
GramStream<T>::GramStream(size_t features, size_t targets)
    : features_(features),
      targets_(targets),
      leaf_rows_(gram_leaf_rows(features + targets + 1)),
      sums_(features + targets + 1) {}

template <class T>
GramStream<T>::GramStream(size_t features, size_t targets, const Parts& parts)
    : GramStream(features, targets) {
  const size_t rows = parts.weights.size(), size = columns() * columns();
  bool whole = parts.x.size() == rows * features && parts.y.size() == rows * targets && rows < leaf_rows_ &&
               (parts.shift.empty() || parts.shift.size() == features + targets);
  std::vector<AlignedBuffer<double>> sums;
  for (const auto& part : parts.sums) {
    whole = whole && part.size() == size;
    sums.emplace_back(part.size());
    std::copy(part.begin(), part.end(), sums.back().data());
  }
  if (!whole) throw_invalid("GramStream", "expected the parts of a stream of these features and targets");
  sums_ = ProductSums::from_parts(columns(), parts.leaves, std::move(sums));
  shift_ = parts.shift;
  x_ = parts.x;
  y_ = parts.y;
  weights_ = parts.weights;
  weighted_ = parts.weighted;
}

template <class T>
typename GramStream<T>::Parts GramStream<T>::parts() const {
  Parts out{sums_.leaves(), {}, shift_, x_, y_, weights_, weighted_};
  for (const AlignedBuffer<double>* part : sums_.parts()) {
    out.sums.emplace_back(part->data(), part->data() + part->size());
  }
  return out;
}

template <class T>
RegressionRows<T> GramStream<T>::pending() const {
  const size_t n = weights_.size();
  RegressionRows<T> rows{{x_.data(), n, features_, static_cast<ptrdiff_t>(features_), 1},
                         {y_.data(), n, targets_, static_cast<ptrdiff_t>(targets_), 1},
                         {}};
  if (weighted_) rows.weights = {weights_.data(), n, 1};
  return rows;
}

template <class T>
void GramStream<T>::append(const RegressionRows<T>& rows, size_t begin, size_t end) {
  const RegressionRows<T> part = row_range(rows, begin, end);
  append_matrix(part.x, "Input X", x_);
  append_matrix(part.y, "Input y", y_);
  for (size_t i = 0; i < part.x.rows; ++i) {
    weights_.push_back(part.weights ? part.weights[i] : 1.0);
    if (!std::isfinite(weights_.back())) throw NotFinite("sample_weight");
  }
}

template <class T>
void GramStream<T>::add(const RegressionRows<T>& rows) {
  if (rows.x.cols != features_ || rows.y.cols != targets_) {
    throw_invalid("partial_fit", "expected rows of the same features and targets as before");
  }
  const size_t n = rows.x.rows, before = weights_.size();
  if (before + n < leaf_rows_) {
    try {
      append(rows, 0, n);
    } catch (...) {
      x_.resize(before * features_);
      y_.resize(before * targets_);
      weights_.resize(before);
      throw;
    }
    weighted_ = weighted_ || rows.weights;
    return;
  }
  GramStream next(features_, targets_);  // takes the place of this one when nothing threw
  next.sums_ = sums_.clone();
  next.shift_ = shift_;
  next.weighted_ = weighted_ || rows.weights;
  size_t done = 0;
  if (before > 0) {
    next.x_ = x_;
    next.y_ = y_;
    next.weights_ = weights_;
    done = leaf_rows_ - before;
    next.append(rows, 0, done);
  }
  if (next.shift_.empty()) next.shift_ = first_rows_shift<double>(before > 0 ? next.pending() : rows);
  if (before > 0) {
    next.sums_.add(RowPanels<T, double>(next.pending(), next.shift_), 0, leaf_rows_);
    next.x_.clear();
    next.y_.clear();
    next.weights_.clear();
  }
  const size_t whole = (n - done) / leaf_rows_ * leaf_rows_;
  next.sums_.add(RowPanels<T, double>(rows, next.shift_), done, done + whole);
  next.append(rows, done + whole, n);
  *this = std::move(next);
}

template <class T>
GramState GramStream<T>::state() const {
  const RegressionRows<T> rest = pending();
  if (rest.x.rows == 0 && shift_.empty()) throw_invalid("partial_fit", "expected at least one row");
  const std::vector<double> shift = shift_.empty() ? first_rows_shift<double>(rest) : shift_;
  ProductSums sums = sums_.clone();
  sums.add(RowPanels<T, double>(rest, shift), 0, rest.x.rows);
  GramState state = centred_state(features_, shift, std::move(sums).take().data());
  if (!(state.weight > 0)) throw_invalid("fit", "expected sample weights with a positive sum");
  return state;
}

template class GramStream<float>;
template class GramStream<double>;

}  // namespace maas
