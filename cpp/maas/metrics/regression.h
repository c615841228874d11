// Sums behind mean squared error, mean absolute error and R^2: fast ones for one call, exact ones for states.
#pragma once

#include <string>
#include <vector>

#include "maas/metrics/array_view.h"
#include "maas/metrics/exact_sum.h"

namespace maas {

enum class RegressionMetric { kSquaredError, kAbsoluteError, kR2 };

struct RegressionSums {
  double weight = 0;  // number of rows when unweighted
  double error = 0;   // sum of weight * squared (absolute for kAbsoluteError) error
  double mean = 0;    // weighted mean of y, and
  double spread = 0;  // sum of weight * (y - mean)^2: for kR2 only
};

// `weight` may be empty. Bits depend on the data alone: blocks and shards are cut by rows.
RegressionSums regression_sums(RegressionMetric metric, const ArrayView& y, const ArrayView& predicted,
                               const ArrayView& weight);

// One output column of a regression state. A value; one thread at a time.
class RegressionState {
 public:
  static constexpr uint16_t kTypeId = 3;
  static constexpr uint16_t kVersion = 1;

  explicit RegressionState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  void update(const ArrayView& y, const ArrayView& predicted, const ArrayView& weight);
  void merge(const RegressionState& other);

  uint64_t rows() const { return rows_; }
  double weight() const;
  double squared_error() const { return squared_.value(); }
  double absolute_error() const { return absolute_.value(); }
  // Sum of weight * (y - mean)^2, correct to the last bits whatever the mean: the sums are exact.
  double spread() const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  std::string config_;
  uint64_t rows_ = 0;
  ExactSum excess_;    // sum of (weight - 1)
  ExactSum squared_;   // sum of weight * error^2, each term rounded once a product
  ExactSum absolute_;  // sum of weight * |error|
  ExactSum y_;         // sum of weight * y, terms exact
  ExactSum y_square_;  // sum of weight * y^2, terms good to 100 bits
};

}  // namespace maas
