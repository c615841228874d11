#include "maas/metrics/log_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/error_sums.h"
#include "maas/kernels/probability.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr size_t kInlineRows = size_t{1} << 13;
constexpr uint64_t kMaxRows = uint64_t{1} << 53;

// The column of each label; false when one is no class.
bool find_columns(const int64_t* labels, size_t n, const std::vector<int64_t>& classes, size_t* columns) {
  const auto span = static_cast<uint64_t>(classes.back()) - static_cast<uint64_t>(classes.front());
  const bool adjacent = span == classes.size() - 1;
  bool known = true;
  for (size_t i = 0; i < n; ++i) {
    const int64_t label = load_unaligned(labels + i);
    const uint64_t offset = static_cast<uint64_t>(label) - static_cast<uint64_t>(classes.front());
    if (adjacent) {
      columns[i] = offset;
      known &= offset <= span;
    } else {
      const auto at = std::lower_bound(classes.begin(), classes.end(), label);
      columns[i] = static_cast<size_t>(at - classes.begin());
      known &= at != classes.end() && *at == label;
    }
  }
  return known;
}

// The log losses of one block of rows.
class BlockLoss {
 public:
  BlockLoss(const ArrayView& labels, const std::vector<int64_t>& classes,
            const ProbabilityView& probabilities)
      : labels_(labels),
        classes_(classes),
        probabilities_(probabilities),
        epsilon_(probability_epsilon(probabilities)) {}

  // logs[i] = log(probability of the true class of row begin + i); lowers the flags of `sums`.
  void logs(size_t begin, size_t n, double* logs, LogLossSums* sums) const {
    int64_t label_block[kBlockRows];
    const int64_t* labels = read_labels(labels_, begin, n, label_block);
    if (labels == nullptr) {
      sums->known_labels = false;
      std::fill_n(logs, n, 0.0);
      return;
    }
    if (probabilities_.columns == 1) {
      double block[kBlockRows];
      const double* p = read_doubles(probabilities_.first_column, begin, n, block);
      const ProbabilityCheck check =
          true_class_probability(labels, classes_[0], classes_[1], p, epsilon_, n, logs);
      sums->in_range &= check.in_range;
      sums->known_labels &= check.known_labels;
    } else {
      // So few rows at a time that their probabilities stay in the first-level cache column after column.
      const size_t rows = std::clamp<size_t>(2048 / probabilities_.columns, 16, kBlockRows);
      for (size_t i = 0; i < n; i += rows) pick(labels + i, begin + i, std::min(rows, n - i), logs + i, sums);
    }
    map_arrays(MapOp::kLog, n, logs, nullptr, logs);
  }

 private:
  // The same for several columns, without the logarithm.
  void pick(const int64_t* labels, size_t begin, size_t n, double* out, LogLossSums* sums) const {
    size_t true_column[kBlockRows];
    double block[kBlockRows], row_sums[kBlockRows] = {};
    std::fill_n(out, n, 0.0);
    sums->known_labels &= find_columns(labels, n, classes_, true_column);
    uint64_t outside = 0;
    for (size_t j = 0; j < probabilities_.columns; ++j) {
      const double* p = read_doubles(probabilities_.column(j), begin, n, block);
      for (size_t i = 0; i < n; ++i) {
        const double value = load_unaligned(p + i);
        out[i] = true_column[i] == j ? value : out[i];
        row_sums[i] += value;
        outside |= !(value >= 0) | !(value <= 1);
      }
    }
    for (size_t i = 0; i < n; ++i) out[i] = std::min(std::max(out[i], epsilon_), 1 - epsilon_);
    sums->in_range &= outside == 0;
    const double tolerance = std::sqrt(epsilon_) + 1e-8;
    for (size_t i = 0; i < n; ++i) sums->sums_to_one &= std::abs(row_sums[i] - 1) <= tolerance;
  }

  const ArrayView& labels_;
  const std::vector<int64_t>& classes_;
  const ProbabilityView& probabilities_;
  double epsilon_;
};

LogLossSums joined(const LogLossSums& a, const LogLossSums& b) {
  return {a.weight + b.weight, a.loss + b.loss, a.in_range && b.in_range, a.sums_to_one && b.sums_to_one,
          a.known_labels && b.known_labels};
}

void require_classes(const std::vector<int64_t>& classes, const ProbabilityView& probabilities) {
  if (classes.size() != std::max<size_t>(2, probabilities.columns)) {
    throw_invalid("log_loss", "expected one column of probabilities a class");
  }
}

}  // namespace

double probability_epsilon(const ProbabilityView& probabilities) {
  return probabilities.first_column.type == NumberType::kF32 ? std::numeric_limits<float>::epsilon()
                                                             : std::numeric_limits<double>::epsilon();
}

LogLossSums log_loss_sums(const ArrayView& labels, const std::vector<int64_t>& classes,
                          const ProbabilityView& probabilities, const ArrayView& weight) {
  require_classes(classes, probabilities);
  const BlockLoss block(labels, classes, probabilities);
  const Shards shards = make_shards(labels.size, labels.size <= kInlineRows ? kInlineRows : kBlockRows);
  std::vector<LogLossSums> sums(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    double logs[kBlockRows], weight_block[kBlockRows];
    LogLossSums mine;
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, shards.end(shard) - begin);
      const double* w = weight ? read_doubles(weight, begin, n, weight_block) : nullptr;
      block.logs(begin, n, logs, &mine);
      mine.weight += w ? sum_distance(w, 0.0, nullptr, n) : static_cast<double>(n);
      mine.loss -= sum_distance(logs, 0.0, w, n);
    }
    sums[shard] = mine;
  });
  for (size_t step = 1; step < sums.size(); step *= 2) {
    for (size_t i = 0; i + step < sums.size(); i += 2 * step) sums[i] = joined(sums[i], sums[i + step]);
  }
  return sums.empty() ? LogLossSums{} : sums[0];
}

LogLossSums LogLossState::update(const ArrayView& labels, const std::vector<int64_t>& classes,
                                 const ProbabilityView& probabilities, const ArrayView& weight) {
  require_classes(classes, probabilities);
  const BlockLoss block(labels, classes, probabilities);
  LogLossSums flags;
  ExactSum loss, excess;  // apart until the rows are known to be good
  double logs[kBlockRows], weight_block[kBlockRows];
  for (size_t begin = 0; begin < labels.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, labels.size - begin);
    const double* weights = weight ? read_doubles(weight, begin, n, weight_block) : nullptr;
    block.logs(begin, n, logs, &flags);
    for (size_t i = 0; i < n; ++i) {
      const double w = weights ? load_unaligned(weights + i) : 1.0;
      loss.add(-w * logs[i]);
      if (!weights) continue;
      excess.add(w);
      excess.add(-1.0);
    }
  }
  if (!flags.in_range || !flags.known_labels) return flags;
  rows_ += labels.size;
  loss_.merge(loss);
  excess_.merge(excess);
  return flags;
}

void LogLossState::merge(const LogLossState& other) {
  require_same_config(config_, other.config_);
  rows_ += other.rows_;
  loss_.merge(other.loss_);
  excess_.merge(other.excess_);
}

double LogLossState::weight() const {
  ExactSum total = excess_;
  total.add(static_cast<double>(rows_));
  return total.value();
}

// u64 rows, two exact sums.
void LogLossState::write(StateWriter& out) const {
  out.put(rows_);
  excess_.write(out);
  loss_.write(out);
}

void LogLossState::read(StateReader& in) {
  rows_ = in.get<uint64_t>();
  in.require(rows_ < kMaxRows, "a count below 2^53");
  excess_.read(in);
  loss_.read(in);
}

}  // namespace maas
