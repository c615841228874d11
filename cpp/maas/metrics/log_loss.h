// The mergeable state of log loss: exact sums, so that it does not depend on how rows were split.
#pragma once

#include <string>
#include <vector>

#include "maas/metrics/exact_sum.h"
#include "maas/metrics/probability_loss.h"

namespace maas {

// A value; one thread at a time.
class LogLossState {
 public:
  static constexpr uint16_t kTypeId = 5;
  static constexpr uint16_t kVersion = 1;

  explicit LogLossState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  // The flags say whether the rows were taken.
  ProbabilityFlags update(const ArrayView& labels, const std::vector<int64_t>& classes,
                          const ProbabilityView& probabilities, const ArrayView& weight);
  void merge(const LogLossState& other);

  double loss() const { return loss_.value(); }
  double weight() const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  std::string config_;
  uint64_t rows_ = 0;
  ExactSum excess_;  // sum of (weight - 1)
  ExactSum loss_;
};

}  // namespace maas
