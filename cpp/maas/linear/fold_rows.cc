#include "maas/linear/fold_rows.h"

#include <cmath>
#include <cstring>
#include <string>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/panel.h"

namespace maas {
namespace {

// Rows of a panel: it stays in the first-level cache where that leaves rows enough for the sums' chains.
template <class T>
size_t stacked_panel_rows(size_t columns) {
  constexpr size_t kFirstLevel = 24 << 10;
  constexpr size_t kLeast = 1024 / sizeof(T);
  return std::clamp<size_t>(kFirstLevel / (columns * sizeof(T)) / 64 * 64, kLeast, 512);
}

size_t stacked_shards(size_t rows, size_t work) {
  return std::clamp<size_t>(rows * work / (size_t{1} << 16), 1, 64);
}

template <class T>
MatrixView<T> as_column(VectorView<T> v) {
  return {v.data, v.size, 1, v.stride, 1};
}

}  // namespace

template <class T>
FoldRows<T>::FoldRows(const WeightedRows<T>& rows, bool intercept, const std::vector<double>& shift,
                      const int32_t* fold_of_row, size_t folds, size_t work)
    : rows_(rows),
      folds_(folds),
      intercept_(intercept),
      shift_(shift.begin(), shift.end()),
      columns_(rows.x.cols + (intercept ? 1 : 0)),
      block_rows_(stacked_panel_rows<T>(columns_)),
      shards_(make_shards(rows.x.rows, block_rows_, stacked_shards(rows.x.rows, work))),
      starts_(shards_.count() * (folds + 2), 0),
      group_weights_(folds + 1, 0.0) {
  if (shards_.shard_rows > UINT32_MAX) throw_invalid("fold_rows", "expected fewer than 2^37 rows");
  for (size_t i = 0; i < rows.x.rows; ++i) {
    const int32_t fold = folds == 0 ? -1 : fold_of_row[i];
    if (fold < -1 || fold >= static_cast<int64_t>(folds)) {
      throw_invalid("fold_rows", "expected fold numbers from -1 to " + std::to_string(folds) + " less one");
    }
    const size_t group = fold < 0 ? folds : static_cast<size_t>(fold);
    group_weights_[group] += rows.weight ? static_cast<double>(rows.weight[i]) : 1.0;
  }
  if (!std::isfinite(total_weight())) throw NotFinite("sample_weight");
  group_rows(fold_of_row);
}

template <class T>
double FoldRows<T>::total_weight() const {
  double sum = 0;
  for (const double w : group_weights_) sum += w;
  return sum;
}

// A stable counting sort within each shard.
template <class T>
void FoldRows<T>::group_rows(const int32_t* fold_of_row) {
  const size_t stride = folds_ + 2;
  if (folds_ == 0) {
    for (size_t s = 0; s < shards_.count(); ++s) {
      starts_[s * stride + 1] = static_cast<uint32_t>(shards_.end(s) - shards_.begin(s));
    }
    return;
  }
  order_.resize(shards_.rows);
  parallel_for(shards_.count(), [&](size_t s, int) {
    const size_t begin = shards_.begin(s), end = shards_.end(s);
    uint32_t* starts = starts_.data() + s * stride;
    const auto group_of = [&](size_t i) {
      return fold_of_row[i] < 0 ? folds_ : static_cast<size_t>(fold_of_row[i]);
    };
    for (size_t i = begin; i < end; ++i) ++starts[group_of(i) + 1];
    for (size_t g = 1; g < stride; ++g) starts[g] += starts[g - 1];
    std::vector<uint32_t> next(starts, starts + stride);
    for (size_t i = begin; i < end; ++i) {
      order_[begin + next[group_of(i)]++] = static_cast<uint32_t>(i - begin);
    }
  });
}

template <class T>
void FoldRows<T>::load(size_t shard, size_t at, size_t count, FoldPanel<T>& p) const {
  if (p.x.size() == 0) {
    p.x = AlignedBuffer<T>(columns_ * block_rows_);
    p.y = AlignedBuffer<T>(block_rows_);
    p.weight = AlignedBuffer<T>(block_rows_);
  }
  p.rows = count;
  p.ld = panel_ld(count);
  const size_t begin = shards_.begin(shard);
  p.index = order_.empty() ? nullptr : order_.data() + begin + at;
  p.first = p.index == nullptr ? begin + at : begin;
  if (p.index != nullptr && p.index[count - 1] - p.index[0] + 1 == count) {
    p.first = begin + p.index[0];
    p.index = nullptr;
  }
  if (p.index != nullptr) return load_gathered(p);
  const T* shift = shift_.empty() ? nullptr : shift_.data();
  if (!pack_panel(rows_.x, p.first, count, shift, p.x.data(), p.ld)) throw NotFinite("X");
  if (!pack_panel(as_column(rows_.y), p.first, count, nullptr, p.y.data(), p.ld)) throw NotFinite("y");
  finish_panel(
      !rows_.weight || pack_panel(as_column(rows_.weight), p.first, count, nullptr, p.weight.data(), p.ld),
      p);
}

// Scattered rows are copied side by side first.
template <class T>
void FoldRows<T>::load_gathered(FoldPanel<T>& p) const {
  const MatrixView<T>& x = rows_.x;
  if (p.gathered.size() == 0) p.gathered = AlignedBuffer<T>((x.cols + 2) * block_rows_);
  T* const rows = p.gathered.data();
  T* const y = rows + x.cols * p.rows;
  T* const weight = y + p.rows;
  for (size_t i = 0; i < p.rows; ++i) {
    const size_t row = p.first + p.index[i];
    if (x.col_stride == 1) {
      std::memcpy(rows + i * x.cols, x.at(row, 0), x.cols * sizeof(T));
    } else {
      for (size_t j = 0; j < x.cols; ++j) rows[i * x.cols + j] = x(row, j);
    }
    y[i] = rows_.y[row];
    if (rows_.weight) weight[i] = rows_.weight[row];
  }
  const T* shift = shift_.empty() ? nullptr : shift_.data();
  const MatrixView<T> view{rows, p.rows, x.cols, static_cast<ptrdiff_t>(x.cols), 1};
  const auto column = [&](const T* v) { return MatrixView<T>{v, p.rows, 1, 1, 1}; };
  if (!pack_panel(view, 0, p.rows, shift, p.x.data(), p.ld)) throw NotFinite("X");
  if (!pack_panel(column(y), 0, p.rows, nullptr, p.y.data(), p.ld)) throw NotFinite("y");
  finish_panel(!rows_.weight || pack_panel(column(weight), 0, p.rows, nullptr, p.weight.data(), p.ld), p);
}

// The column of ones, and weights where rows have none of their own.
template <class T>
void FoldRows<T>::finish_panel(bool finite_weights, FoldPanel<T>& p) const {
  if (!finite_weights) throw NotFinite("sample_weight");
  const auto fill = [&](T* column) {
    std::fill(column, column + p.rows, T(1));
    std::fill(column + p.rows, column + p.ld, T(0));
  };
  if (intercept_) fill(p.x.data() + rows_.x.cols * p.ld);
  p.weights = p.weight.data();
  if (rows_.weight) return;
  if (p.rows == p.ld) {
    p.weights = nullptr;
  } else {
    fill(p.weight.data());
  }
}

template class FoldRows<float>;
template class FoldRows<double>;

}  // namespace maas
