#include "maas/linear/column_set.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

constexpr size_t kParts = 8;  // of the rows, each with counts of its own

}  // namespace

template <class T>
void ColumnSet<T>::append(const CsrView<T>& x, const std::vector<int32_t>& columns) {
  const size_t count = columns.size();
  std::vector<int32_t> slot_of(x.cols, -1);
  for (size_t s = 0; s < count; ++s) slot_of[static_cast<size_t>(columns[s])] = static_cast<int32_t>(s);

  // Where each part of the rows writes each column: counted, then summed in the order of columns and parts.
  const Shards parts = make_shards(x.rows, 1, kParts);
  std::vector<size_t> next(parts.count() * count, 0);
  const auto each = [&](size_t part, const auto& visit) {
    size_t* own = next.data() + part * count;
    for (size_t i = parts.begin(part); i < parts.end(part); ++i) {
      for (int64_t k = x.starts[i]; k < x.starts[i + 1]; ++k) {
        const int32_t slot = slot_of[static_cast<size_t>(x.columns[k])];
        if (slot >= 0) visit(own[slot], i, k);
      }
    }
  };
  parallel_for(parts.count(),
               [&](size_t part, int) { each(part, [](size_t& at, size_t, int64_t) { ++at; }); });
  size_t end = starts_.back();
  for (size_t s = 0; s < count; ++s) {
    for (size_t part = 0; part < parts.count(); ++part) {
      const size_t own = next[part * count + s];
      next[part * count + s] = end;
      end += own;
    }
    starts_.push_back(end);
  }
  rows_.resize(end);
  values_.resize(end);
  parallel_for(parts.count(), [&](size_t part, int) {
    each(part, [&](size_t& at, size_t i, int64_t k) {
      rows_[at] = static_cast<int32_t>(i);
      values_[at] = x.values[k];
      ++at;
    });
  });
}

template <class T>
void ColumnSet<T>::append(const MatrixView<T>& x, const std::vector<int32_t>& columns) {
  for (const int32_t column : columns) {
    for (size_t i = 0; i < x.rows; ++i) {
      const T value = x(i, static_cast<size_t>(column));
      if (value == 0) continue;
      rows_.push_back(static_cast<int32_t>(i));
      values_.push_back(value);
    }
    starts_.push_back(values_.size());
  }
}

template <class T>
void ColumnSet<T>::append_ones(size_t rows) {
  for (size_t i = 0; i < rows; ++i) rows_.push_back(static_cast<int32_t>(i));
  values_.resize(values_.size() + rows, T(1));
  starts_.push_back(values_.size());
}

template class ColumnSet<float>;
template class ColumnSet<double>;

}  // namespace maas
