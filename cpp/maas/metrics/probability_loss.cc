#include "maas/metrics/probability_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/error.h"
#include "maas/base/view.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/probability.h"
#include "maas/metrics/row_sums.h"

namespace maas {
namespace {

constexpr size_t kInlineRows = size_t{1} << 13;

// The column of each label, `columns` long for one that is no class; false when there is such a label.
bool find_columns(const int64_t* labels, size_t n, const std::vector<int64_t>& classes, size_t* columns) {
  const auto span = static_cast<uint64_t>(classes.back()) - static_cast<uint64_t>(classes.front());
  const bool adjacent = span == classes.size() - 1;
  bool known = true;
  for (size_t i = 0; i < n; ++i) {
    const int64_t label = load_unaligned(labels + i);
    const uint64_t offset = static_cast<uint64_t>(label) - static_cast<uint64_t>(classes.front());
    if (adjacent) {
      columns[i] = std::min<uint64_t>(offset, classes.size());
      known &= offset <= span;
    } else {
      const auto at = std::lower_bound(classes.begin(), classes.end(), label);
      const bool found = at != classes.end() && *at == label;
      columns[i] = found ? static_cast<size_t>(at - classes.begin()) : classes.size();
      known &= found;
    }
  }
  return known;
}

// What one pass over a block of rows finds. All layouts add in the order of the columns, so bits agree.
struct Picked {
  double* out;       // probability of the true class, or the sum of squares
  double* row_sums;  // zero at first
  bool outside = false;
};

// Rows that lie side by side.
template <bool squared, class T>
void pick_rows(const T* values, size_t n, size_t columns, const size_t* true_column, Picked* picked) {
  uint64_t outside = 0;
  for (size_t i = 0; i < n * columns; ++i) {
    const T value = load_unaligned(values + i);
    outside |= !(value >= T{0}) | !(value <= T{1});
  }
  picked->outside |= outside != 0;
  for (size_t i = 0; i < n; ++i, values += columns) {
    double sum = 0, squares = 0;
    for (size_t j = 0; j < columns; ++j) {
      const auto value = static_cast<double>(load_unaligned(values + j));
      sum += value;
      if constexpr (squared) {
        const double error = value - (true_column[i] == j ? 1.0 : 0.0);
        squares += error * error;
      }
    }
    picked->row_sums[i] = sum;
    const bool known = true_column[i] < columns;
    picked->out[i] = squared ? squares
                     : known ? static_cast<double>(load_unaligned(values + true_column[i]))
                             : 0.0;
  }
}

// Any other layout: column by column, so few rows at once that they stay in the first-level cache.
template <bool squared>
void pick_columns(const ProbabilityView& probabilities, size_t begin, size_t n, const size_t* true_column,
                  Picked* picked) {
  double block[kBlockRows];
  uint64_t outside = 0;
  for (size_t j = 0; j < probabilities.columns; ++j) {
    const double* p = read_doubles(probabilities.column(j), begin, n, block);
    for (size_t i = 0; i < n; ++i) {
      const double value = load_unaligned(p + i);
      picked->row_sums[i] += value;
      outside |= !(value >= 0) | !(value <= 1);
      if constexpr (squared) {
        const double error = value - (true_column[i] == j ? 1.0 : 0.0);
        picked->out[i] += error * error;
      } else {
        picked->out[i] = true_column[i] == j ? value : picked->out[i];
      }
    }
  }
  picked->outside |= outside != 0;
}

// The rows from `begin`, if they lie side by side.
template <class T>
const T* side_by_side(const ProbabilityView& p, NumberType type, size_t begin) {
  const ArrayView& first = p.first_column;
  const auto row_bytes = static_cast<ptrdiff_t>(p.columns * sizeof(T));
  if (first.type != type || p.column_stride != sizeof(T) || first.stride != row_bytes) return nullptr;
  return reinterpret_cast<const T*>(first.data + static_cast<ptrdiff_t>(begin) * row_bytes);
}

}  // namespace

double probability_epsilon(const ProbabilityView& probabilities) {
  return probabilities.first_column.type == NumberType::kF32 ? std::numeric_limits<float>::epsilon()
                                                             : std::numeric_limits<double>::epsilon();
}

ProbabilityRows::ProbabilityRows(const ArrayView& labels, const std::vector<int64_t>& classes,
                                 const ProbabilityView& probabilities)
    : labels_(labels),
      classes_(classes),
      probabilities_(probabilities),
      epsilon_(probability_epsilon(probabilities)) {
  if (classes.size() != std::max<size_t>(2, probabilities.columns)) {
    throw_invalid("probability_loss", "expected one column of probabilities a class");
  }
}

// The labels; nothing, and losses of 0, when one is no integer.
const int64_t* ProbabilityRows::read(size_t begin, size_t n, int64_t* buffer, double* out,
                                     ProbabilityFlags* flags) const {
  const int64_t* labels = read_labels(labels_, begin, n, buffer);
  if (labels != nullptr) return labels;
  flags->known_labels = false;
  std::fill_n(out, n, 0.0);
  return nullptr;
}

template <bool squared>
void ProbabilityRows::pick(const int64_t* labels, size_t begin, size_t n, double* out,
                           ProbabilityFlags* flags) const {
  size_t true_column[kBlockRows];
  double row_sums[kBlockRows];
  Picked picked{out, row_sums};
  std::fill_n(out, n, 0.0);
  std::fill_n(row_sums, n, 0.0);
  flags->known_labels &= find_columns(labels, n, classes_, true_column);
  const size_t columns = probabilities_.columns;
  if (const auto* rows = side_by_side<double>(probabilities_, NumberType::kF64, begin)) {
    pick_rows<squared>(rows, n, columns, true_column, &picked);
  } else if (const auto* singles = side_by_side<float>(probabilities_, NumberType::kF32, begin)) {
    pick_rows<squared>(singles, n, columns, true_column, &picked);
  } else {
    pick_columns<squared>(probabilities_, begin, n, true_column, &picked);
  }
  flags->in_range &= !picked.outside;
  const double tolerance = std::sqrt(epsilon_) + 1e-8;
  for (size_t i = 0; i < n; ++i) flags->sums_to_one &= std::abs(row_sums[i] - 1) <= tolerance;
}

void ProbabilityRows::logs(size_t begin, size_t n, double* out, ProbabilityFlags* flags) const {
  int64_t label_block[kBlockRows];
  const int64_t* labels = read(begin, n, label_block, out, flags);
  if (labels == nullptr) return;
  if (probabilities_.columns == 1) {
    double block[kBlockRows];
    const double* p = read_doubles(probabilities_.first_column, begin, n, block);
    const ProbabilityCheck check =
        true_class_probability(labels, classes_[0], classes_[1], p, epsilon_, n, out);
    flags->in_range &= check.in_range;
    flags->known_labels &= check.known_labels;
  } else {
    const size_t rows = std::clamp<size_t>(2048 / probabilities_.columns, 16, kBlockRows);
    for (size_t i = 0; i < n; i += rows) {
      pick<false>(labels + i, begin + i, std::min(rows, n - i), out + i, flags);
    }
    for (size_t i = 0; i < n; ++i) out[i] = std::min(std::max(out[i], epsilon_), 1 - epsilon_);
  }
  map_arrays(MapOp::kLog, n, out, nullptr, out);
}

void ProbabilityRows::squares(size_t begin, size_t n, double* out, ProbabilityFlags* flags) const {
  int64_t label_block[kBlockRows];
  const int64_t* labels = read(begin, n, label_block, out, flags);
  if (labels == nullptr) return;
  if (probabilities_.columns == 1) {
    double block[kBlockRows];
    const double* p = read_doubles(probabilities_.first_column, begin, n, block);
    const ProbabilityCheck check = true_class_probability(labels, classes_[0], classes_[1], p, 0, n, out);
    flags->in_range &= check.in_range;
    flags->known_labels &= check.known_labels;
    for (size_t i = 0; i < n; ++i) out[i] = 2 * ((1 - out[i]) * (1 - out[i]));
    return;
  }
  const size_t rows = std::clamp<size_t>(2048 / probabilities_.columns, 16, kBlockRows);
  for (size_t i = 0; i < n; i += rows) {
    pick<true>(labels + i, begin + i, std::min(rows, n - i), out + i, flags);
  }
}

ProbabilityLossSums probability_loss_sums(ProbabilityLoss kind, const ArrayView& labels,
                                          const std::vector<int64_t>& classes,
                                          const ProbabilityView& probabilities, const ArrayView& weight) {
  const ProbabilityRows rows(labels, classes, probabilities);
  const auto sums = sum_rows<ProbabilityFlags>(
      labels.size, weight, kInlineRows, [&](size_t begin, size_t n, double* out, ProbabilityFlags* flags) {
        if (kind == ProbabilityLoss::kSquared) return rows.squares(begin, n, out, flags);
        rows.logs(begin, n, out, flags);
      });
  return {sums.weight, kind == ProbabilityLoss::kLog ? -sums.value : sums.value, sums.flags};
}

}  // namespace maas
