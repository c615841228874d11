#include "maas/linear/fold_gram.h"

#include <limits>
#include <string>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Multiply-adds of a fold below which folds, rather than rows, are shared among the threads.
constexpr double kSmallFold = 1e8;

// Row numbers sorted by fold, the order within a fold kept; fold -1 counts as the last.
struct FoldRows {
  std::vector<uint32_t> rows;
  std::vector<size_t> begin;  // of each fold in rows, and the end

  RowIndex of(size_t fold) const {
    return RowIndex{rows.data(), rows.size()}.range(begin[fold], begin[fold + 1]);
  }
};

FoldRows sort_by_fold(const int32_t* fold_of_row, size_t n, size_t folds) {
  if (n > std::numeric_limits<uint32_t>::max()) throw_invalid("folds", "expected fewer than 2**32 rows");
  FoldRows out{std::vector<uint32_t>(n), std::vector<size_t>(folds + 2, 0)};
  const auto slot = [&](size_t i) {
    return fold_of_row[i] < 0 ? folds : static_cast<size_t>(fold_of_row[i]);
  };
  for (size_t i = 0; i < n; ++i) {
    if (fold_of_row[i] < -1 || fold_of_row[i] >= static_cast<int64_t>(folds)) {
      throw_invalid("folds", "expected fold numbers from -1 to " + std::to_string(folds) +
                                 " (excluded), got " + std::to_string(fold_of_row[i]));
    }
    ++out.begin[slot(i) + 1];
  }
  for (size_t k = 0; k <= folds; ++k) out.begin[k + 1] += out.begin[k];
  std::vector<size_t> next(out.begin);
  for (size_t i = 0; i < n; ++i) out.rows[next[slot(i)]++] = static_cast<uint32_t>(i);
  return out;
}

template <class T>
GramState state_of(const RegressionRows<T>& rows, RowIndex index) {
  const size_t n = index.count;
  if (n == 0 || index.rows[n - 1] - index.rows[0] + 1 != n) return gram_state(rows, index);
  const size_t first = index.rows[0];
  RegressionRows<T> part{rows.x.row_range(first, first + n), rows.y.row_range(first, first + n), {}};
  if (rows.weights) {
    part.weights = {rows.weights.data + static_cast<ptrdiff_t>(first) * rows.weights.stride, n,
                    rows.weights.stride};
  }
  return gram_state(part, RowIndex{});
}

}  // namespace

template <class T>
std::vector<GramState> fold_gram_states(const RegressionRows<T>& rows, const int32_t* fold_of_row,
                                        size_t folds) {
  const FoldRows sorted = sort_by_fold(fold_of_row, rows.x.rows, folds);
  std::vector<GramState> states(folds + 1);
  const auto run = [&](size_t fold) { states[fold] = state_of(rows, sorted.of(fold)); };
  const auto columns = static_cast<double>(rows.x.cols + rows.y.cols + 1);
  const auto small = [&](size_t fold) {
    return columns * columns * static_cast<double>(sorted.of(fold).count) < kSmallFold;
  };
  // Small folds side by side; a large one by all threads.
  parallel_for(folds + 1, [&](size_t fold, int) {
    if (small(fold)) run(fold);
  });
  for (size_t fold = 0; fold <= folds; ++fold) {
    if (!small(fold)) run(fold);
  }
  return states;
}

template std::vector<GramState> fold_gram_states(const RegressionRows<float>&, const int32_t*, size_t);
template std::vector<GramState> fold_gram_states(const RegressionRows<double>&, const int32_t*, size_t);

std::vector<GramState> training_states(const std::vector<GramState>& states) {
  const size_t folds = states.size() - 1;
  std::vector<GramState> out(folds);
  GramState before = states[folds];
  for (size_t k = 0; k < folds; ++k) {
    out[k] = before;
    before.merge(states[k]);
  }
  GramState after = states[folds];
  after.weight = 0;
  for (size_t k = folds; k-- > 0;) {
    out[k].merge(after);
    GramState more = states[k];
    more.merge(after);
    after = std::move(more);
  }
  return out;
}

}  // namespace maas
