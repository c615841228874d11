// The mergeable state behind the regression metrics: exact sums for each output.
#pragma once

#include <string>
#include <vector>

#include "maas/metrics/array_view.h"
#include "maas/metrics/exact_sum.h"
#include "maas/metrics/regression.h"

namespace maas {

// What a state keeps of an output. The order is that of the constants in
// python/maas_engine/metrics/_regression_states.py.
enum class StateSums : uint8_t {
  kError,     // sum of weight * term
  kMaximum,   // the greatest term
  kTarget,    // kError, and sums of weight * y and weight * y^2
  kDistance,  // sums of weight * y, weight * y^2, and the same of y - predicted
  kDeviance,  // kError, and sums of weight * y and of weight * g(y) for the deviance of a constant
};

// A value; one thread at a time.
class RegressionState {
 public:
  static constexpr uint16_t kTypeId = 3;
  static constexpr uint16_t kVersion = 2;

  explicit RegressionState(std::string config) : config_(std::move(config)) {}
  RegressionState(std::string config, StateSums sums, ErrorTerm term, double parameter)
      : config_(std::move(config)), sums_(sums), term_(term), parameter_(parameter) {}
  const std::string& config() const { return config_; }
  // Whether both states sum the same terms; bytes from elsewhere may not.
  bool same_kind(const RegressionState& other) const;

  // One view an output, all of one length; the first update fixes how many. Throws InvalidArgument, and
  // leaves the state as it was, for another number.
  void update(const std::vector<ArrayView>& y, const std::vector<ArrayView>& predicted,
              const ArrayView& weight);
  void merge(const RegressionState& other);

  uint64_t rows() const { return rows_; }
  size_t outputs() const { return outputs_.size(); }
  double weight() const;
  // Sum of weight * term of an output, or its greatest term.
  double error(size_t output) const;
  double target(size_t output) const { return outputs_[output].target.value(); }      // sum of weight * y
  double constant(size_t output) const { return outputs_[output].constant.value(); }  // ... * g(y)
  // Sums of weight * (x - mean)^2 for x = y and x = y - predicted, correct to the last bits whatever the
  // mean.
  double target_spread(size_t output) const;
  double distance_spread(size_t output) const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  struct Output {
    ExactSum error;          // each term rounded once a product
    double greatest = 0;     // for kMaximum
    ExactSum target;         // weight * y, terms exact
    ExactSum target_square;  // weight * y^2, terms good to 100 bits
    ExactSum distance;       // the same of y - predicted
    ExactSum distance_square;
    ExactSum constant;
  };
  struct Block;

  void add_block(Output& output, const Block& block) const;
  std::vector<ExactSum Output::*> kept() const;
  double spread(const ExactSum& sum, const ExactSum& square) const;

  std::string config_;
  StateSums sums_ = StateSums::kError;
  ErrorTerm term_ = ErrorTerm::kSquared;
  double parameter_ = 0;
  uint64_t rows_ = 0;
  ExactSum excess_;  // sum of (weight - 1)
  std::vector<Output> outputs_;
};

}  // namespace maas
