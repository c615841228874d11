// The mergeable confusion matrix behind ConfusionMatrix, Precision, Recall and F1.
#pragma once

#include <string>

#include "maas/metrics/confusion.h"
#include "maas/metrics/exact_sum.h"

namespace maas {

// An exact sum takes 0.5 kB, so a weighted state may span fewer labels than kMaxLabels.
inline constexpr size_t kMaxWeightedLabels = 256;

// A value; one thread at a time.
class ConfusionState {
 public:
  static constexpr uint16_t kTypeId = 1;
  static constexpr uint16_t kVersion = 1;

  explicit ConfusionState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  // Leaves the state as it was when it throws. `weight` may be empty.
  void update(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight);
  void merge(const ConfusionState& other);

  const PairCounts& rows() const { return rows_; }
  bool weighted() const { return weighted_; }
  // Total weight of one pair, rounded once.
  double weight(int64_t row, int64_t col) const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  // Makes room for `more` labels in both tables, or throws before anything is added.
  void widen(LabelRange more, bool weighted);

  std::string config_;
  PairCounts rows_;  // every row counts once, whatever its weight
  bool weighted_ = false;
  ConfusionTable<ExactSum> excess_;  // sum of (weight - 1); empty until weights come
};

}  // namespace maas
