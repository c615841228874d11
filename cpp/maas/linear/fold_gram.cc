#include "maas/linear/fold_gram.h"

#include <limits>
#include <optional>
#include <string>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Multiply-adds of a fold below which folds, rather than rows, are shared among the threads.
constexpr double kSmallFold = 1e8;

// The rows of every fold, that of number -1 as the last: a range where each fold is one run of neighbours,
// else row numbers sorted by fold, the order within a fold kept.
struct FoldRows {
  std::vector<size_t> begin;   // of each fold in `rows`, and the end; of the rows themselves where those lie
  std::vector<size_t> count;   // of each fold
  std::vector<uint32_t> rows;  // empty where folds are runs

  bool runs() const { return rows.empty(); }
};

size_t slot_of(int32_t fold, size_t folds) {
  if (fold < -1 || fold >= static_cast<int64_t>(folds)) {
    throw_invalid("folds", "expected fold numbers from -1 to " + std::to_string(folds) + " (excluded), got " +
                               std::to_string(fold));
  }
  return fold < 0 ? folds : static_cast<size_t>(fold);
}

// Of the run that begins at `first`: whole blocks without a branch a row while they last.
size_t run_end(const int32_t* fold_of_row, size_t first, size_t n) {
  constexpr size_t kBlock = 256;
  const int32_t fold = fold_of_row[first];
  size_t i = first;
  for (; i + kBlock <= n; i += kBlock) {
    int32_t other = 0;
    for (size_t k = 0; k < kBlock; ++k) other |= fold_of_row[i + k] ^ fold;
    if (other != 0) break;
  }
  while (i < n && fold_of_row[i] == fold) ++i;
  return i;
}

// Nothing when some fold is not one run.
std::optional<FoldRows> find_runs(const int32_t* fold_of_row, size_t n, size_t folds) {
  FoldRows out{std::vector<size_t>(folds + 1, 0), std::vector<size_t>(folds + 1, 0), {}};
  for (size_t i = 0; i < n;) {
    const size_t slot = slot_of(fold_of_row[i], folds), first = i;
    i = run_end(fold_of_row, first, n);
    if (out.count[slot] != 0) return std::nullopt;
    out.begin[slot] = first;
    out.count[slot] = i - first;
  }
  return out;
}

FoldRows sort_by_fold(const int32_t* fold_of_row, size_t n, size_t folds) {
  if (n > std::numeric_limits<uint32_t>::max()) throw_invalid("folds", "expected fewer than 2**32 rows");
  FoldRows out{std::vector<size_t>(folds + 1, 0), std::vector<size_t>(folds + 1, 0),
               std::vector<uint32_t>(n)};
  for (size_t i = 0; i < n; ++i) ++out.count[slot_of(fold_of_row[i], folds)];
  for (size_t k = 0; k < folds; ++k) out.begin[k + 1] = out.begin[k] + out.count[k];
  std::vector<size_t> next(out.begin);
  for (size_t i = 0; i < n; ++i) out.rows[next[slot_of(fold_of_row[i], folds)]++] = static_cast<uint32_t>(i);
  return out;
}

template <class T>
GramState state_of(const RegressionRows<T>& rows, const FoldRows& folds, size_t fold) {
  const size_t begin = folds.begin[fold], n = folds.count[fold];
  if (!folds.runs() && n > 0) return gram_state(rows, RowIndex{&folds.rows[begin], n});
  RegressionRows<T> part{rows.x.row_range(begin, begin + n), rows.y.row_range(begin, begin + n), {}};
  if (rows.weights) {
    part.weights = {rows.weights.data + static_cast<ptrdiff_t>(begin) * rows.weights.stride, n,
                    rows.weights.stride};
  }
  return gram_state(part, RowIndex{});
}

}  // namespace

template <class T>
std::vector<GramState> fold_gram_states(const RegressionRows<T>& rows, const int32_t* fold_of_row,
                                        size_t folds) {
  const auto runs = find_runs(fold_of_row, rows.x.rows, folds);
  const FoldRows sorted = runs ? *runs : sort_by_fold(fold_of_row, rows.x.rows, folds);
  std::vector<GramState> states(folds + 1);
  const auto run = [&](size_t fold) { states[fold] = state_of(rows, sorted, fold); };
  const auto columns = static_cast<double>(rows.x.cols + rows.y.cols + 1);
  const auto small = [&](size_t fold) {
    return columns * columns * static_cast<double>(sorted.count[fold]) < kSmallFold;
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
