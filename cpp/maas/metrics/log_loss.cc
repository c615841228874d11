#include "maas/metrics/log_loss.h"

#include <algorithm>

#include "maas/base/view.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr uint64_t kMaxRows = uint64_t{1} << 53;

}  // namespace

ProbabilityFlags LogLossState::update(const ArrayView& labels, const std::vector<int64_t>& classes,
                                      const ProbabilityView& probabilities, const ArrayView& weight) {
  const ProbabilityRows rows(labels, classes, probabilities);
  ProbabilityFlags flags;
  ExactSum loss, excess;  // apart until the rows are known to be good
  double logs[kBlockRows], weight_block[kBlockRows];
  for (size_t begin = 0; begin < labels.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, labels.size - begin);
    const double* weights = weight ? read_doubles(weight, begin, n, weight_block) : nullptr;
    rows.logs(begin, n, logs, &flags);
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
