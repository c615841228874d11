#include "maas/linear/column_set.h"

#include <algorithm>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

constexpr size_t kParts = 8;  // of the rows, each with counts of its own

}  // namespace

// visit_part(part, visit) calls visit(slot, row, value) for what a part of the rows adds to each new column,
// rows ascending: once to count, once to write.
template <class T>
template <class VisitPart>
void ColumnSet<T>::append_parts(size_t parts, size_t count, const VisitPart& visit_part) {
  std::vector<size_t> next(parts * count, 0);
  parallel_for(parts, [&](size_t part, int) {
    size_t* const own = next.data() + part * count;
    visit_part(part, [own](size_t slot, size_t, T) { ++own[slot]; });
  });
  // Where each part writes each column: in the order of columns, then parts.
  size_t end = starts_.back();
  for (size_t slot = 0; slot < count; ++slot) {
    for (size_t part = 0; part < parts; ++part) {
      const size_t own = next[part * count + slot];
      next[part * count + slot] = end;
      end += own;
    }
    starts_.push_back(end);
  }
  rows_.resize(end);
  values_.resize(end);
  parallel_for(parts, [&](size_t part, int) {
    size_t* const own = next.data() + part * count;
    visit_part(part, [&, own](size_t slot, size_t row, T value) {
      rows_[own[slot]] = static_cast<int32_t>(row);
      values_[own[slot]] = value;
      ++own[slot];
    });
  });
}

template <class T>
void ColumnSet<T>::append(const CsrView<T>& x, const std::vector<int32_t>& columns) {
  std::vector<int32_t> slot_of(x.cols, -1);
  for (size_t s = 0; s < columns.size(); ++s) {
    slot_of[static_cast<size_t>(columns[s])] = static_cast<int32_t>(s);
  }
  const Shards parts = make_shards(x.rows, 1, kParts);
  append_parts(parts.count(), columns.size(), [&](size_t part, const auto& visit) {
    for (size_t i = parts.begin(part); i < parts.end(part); ++i) {
      for (int64_t k = x.starts[i]; k < x.starts[i + 1]; ++k) {
        const int32_t slot = slot_of[static_cast<size_t>(x.columns[k])];
        if (slot >= 0) visit(static_cast<size_t>(slot), i, x.values[k]);
      }
    }
  });
}

template <class T>
void ColumnSet<T>::append(const MatrixView<T>& x, const std::vector<int32_t>& columns) {
  const Shards parts = make_shards(x.rows, 1, kParts);
  const bool by_rows = x.col_stride == 1;  // read memory in order
  append_parts(parts.count(), columns.size(), [&](size_t part, const auto& visit) {
    const size_t begin = parts.begin(part), end = parts.end(part), count = columns.size();
    const auto visit_one = [&](size_t slot, size_t i) {
      const T value = x(i, static_cast<size_t>(columns[slot]));
      if (value != 0) visit(slot, i, value);
    };
    for (size_t outer = by_rows ? begin : 0; outer < (by_rows ? end : count); ++outer) {
      for (size_t inner = by_rows ? 0 : begin; inner < (by_rows ? count : end); ++inner) {
        visit_one(by_rows ? inner : outer, by_rows ? outer : inner);
      }
    }
  });
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
