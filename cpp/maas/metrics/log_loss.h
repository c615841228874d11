// Log loss of predicted probabilities: fast sums for one call, exact ones for states.
#pragma once

#include <string>
#include <vector>

#include "maas/metrics/array_view.h"
#include "maas/metrics/exact_sum.h"

namespace maas {

// Probabilities of shape (n, columns), one column a class; a single column holds those of the greater of two.
using ProbabilityView = ArrayMatrix;

// What probabilities are clipped to: the machine epsilon of their dtype, and 1 minus it.
double probability_epsilon(const ProbabilityView& probabilities);

struct LogLossSums {
  double weight = 0;
  double loss = 0;           // sum of -weight * log(probability of the true class)
  bool in_range = true;      // every probability lies in [0, 1]; otherwise the sums mean nothing
  bool sums_to_one = true;   // every row does, to the square root of epsilon
  bool known_labels = true;  // every label is a class
};

// classes: ascending, as many as columns (two for one column). `weight` may be empty.
LogLossSums log_loss_sums(const ArrayView& labels, const std::vector<int64_t>& classes,
                          const ProbabilityView& probabilities, const ArrayView& weight);

// A value; one thread at a time.
class LogLossState {
 public:
  static constexpr uint16_t kTypeId = 5;
  static constexpr uint16_t kVersion = 1;

  explicit LogLossState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  // The flags say whether the rows were taken; sums are not filled.
  LogLossSums update(const ArrayView& labels, const std::vector<int64_t>& classes,
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
