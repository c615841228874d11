#include "maas/metrics/row_scores.h"

#include <algorithm>
#include <limits>

#include "maas/base/error.h"
#include "maas/base/view.h"
#include "maas/metrics/row_sums.h"

namespace maas {
namespace {

constexpr size_t kInlineRows = size_t{1} << 13;
constexpr size_t kBlockScores = 4096;  // scores of the rows handled at once, in first-level cache

struct ScoreFlags {
  double finite = 0;  // sum of score * 0: NaN once a score is NaN or infinite
  void join(const ScoreFlags& other) { finite += other.finite; }
};

// The codes of a block of rows, all below the number of classes.
const int64_t* read_codes(const ArrayView& labels, size_t begin, size_t n, size_t classes, int64_t* buffer) {
  const int64_t* codes = read_labels(labels, begin, n, buffer);
  if (!codes) throw_invalid("row scores", "expected integer labels");
  for (size_t i = 0; i < n; ++i) {
    if (static_cast<uint64_t>(load_unaligned(codes + i)) >= classes) {
      throw_invalid("row scores", "expected labels below the number of columns");
    }
  }
  return codes;
}

// Calls fn(codes, rows begin, n, out) for pieces of [begin, begin + n) whose scores fit the cache.
template <class Fn>
void for_pieces(const ArrayView& labels, const ArrayMatrix& scores, size_t classes, size_t begin, size_t n,
                double* out, Fn&& fn) {
  int64_t label_block[kBlockRows];
  const int64_t* codes = read_codes(labels, begin, n, classes, label_block);
  const size_t rows = std::clamp<size_t>(kBlockScores / scores.columns, 16, kBlockRows);
  for (size_t i = 0; i < n; i += rows) fn(codes + i, begin + i, std::min(rows, n - i), out + i);
}

void true_scores(const int64_t* codes, const ArrayMatrix& scores, size_t begin, size_t n, double* out) {
  double buffer[1];
  for (size_t i = 0; i < n; ++i) {
    const auto code = static_cast<size_t>(load_unaligned(codes + i));
    out[i] = load_unaligned(read_doubles(scores.column(code), begin + i, 1, buffer));
  }
}

void hinge_rows(const int64_t* codes, const ArrayMatrix& scores, size_t begin, size_t n, double* out,
                ScoreFlags* flags) {
  double truth[kBlockRows], best[kBlockRows], block[kBlockRows];
  true_scores(codes, scores, begin, n, truth);
  std::fill_n(best, n, -std::numeric_limits<double>::infinity());
  double finite = 0;
  for (size_t j = 0; j < scores.columns; ++j) {
    const double* column = read_doubles(scores.column(j), begin, n, block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(column + i);
      const bool other = load_unaligned(codes + i) != static_cast<int64_t>(j);
      finite += value * 0;
      best[i] = other && value > best[i] ? value : best[i];
    }
  }
  flags->finite += finite;
  for (size_t i = 0; i < n; ++i) out[i] = std::max(0.0, 1 - (truth[i] - best[i]));
}

void hinge_binary(const int64_t* codes, const ArrayMatrix& scores, size_t begin, size_t n, double* out,
                  ScoreFlags* flags) {
  double block[kBlockRows];
  const double* decision = read_doubles(scores.first_column, begin, n, block);
  double finite = 0;
  for (size_t i = 0; i < n; ++i) {
    const double value = load_unaligned(decision + i);
    finite += value * 0;
    const double sign = load_unaligned(codes + i) == 1 ? 1.0 : -1.0;
    out[i] = std::max(0.0, 1 - sign * value);
  }
  flags->finite += finite;
}

void top_k_rows(const int64_t* codes, const ArrayMatrix& scores, size_t k, size_t begin, size_t n,
                double* out, ScoreFlags* flags) {
  double truth[kBlockRows], block[kBlockRows];
  int64_t ahead[kBlockRows] = {};  // classes that come before the true one
  true_scores(codes, scores, begin, n, truth);
  double finite = 0;
  for (size_t j = 0; j < scores.columns; ++j) {
    const double* column = read_doubles(scores.column(j), begin, n, block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(column + i);
      const bool later = static_cast<int64_t>(j) > load_unaligned(codes + i);
      finite += value * 0;
      ahead[i] += (value > truth[i]) | ((value == truth[i]) & later);
    }
  }
  flags->finite += finite;
  for (size_t i = 0; i < n; ++i) out[i] = ahead[i] < static_cast<int64_t>(k) ? 1.0 : 0.0;
}

RowScoreSums as_sums(const RowSum<ScoreFlags>& sums) {
  return {sums.weight, sums.value, sums.flags.finite == 0};
}

}  // namespace

RowScoreSums hinge_loss_sums(const ArrayView& labels, const ArrayMatrix& scores, const ArrayView& weight) {
  const bool binary = scores.columns == 1;
  return as_sums(sum_rows<ScoreFlags>(
      scores.rows(), weight, kInlineRows, [&](size_t begin, size_t n, double* out, ScoreFlags* flags) {
        const size_t classes = binary ? 2 : scores.columns;
        for_pieces(labels, scores, classes, begin, n, out,
                   [&](const int64_t* codes, size_t at, size_t m, double* to) {
                     binary ? hinge_binary(codes, scores, at, m, to, flags)
                            : hinge_rows(codes, scores, at, m, to, flags);
                   });
      }));
}

RowScoreSums top_k_sums(const ArrayView& labels, const ArrayMatrix& scores, size_t k,
                        const ArrayView& weight) {
  return as_sums(sum_rows<ScoreFlags>(
      scores.rows(), weight, kInlineRows, [&](size_t begin, size_t n, double* out, ScoreFlags* flags) {
        for_pieces(labels, scores, scores.columns, begin, n, out,
                   [&](const int64_t* codes, size_t at, size_t m, double* to) {
                     top_k_rows(codes, scores, k, at, m, to, flags);
                   });
      }));
}

}  // namespace maas
