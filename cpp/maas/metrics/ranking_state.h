// The mergeable state behind RocAuc and AveragePrecision: every score, in sorted runs, so the figures are
// exact. Memory grows with the rows: 8 bytes each, 16 when weighted.
#pragma once

#include <string>

#include "maas/metrics/ranking.h"
#include "maas/metrics/state_bytes.h"

namespace maas {

// Sorted runs of falling size; a new run is merged into its neighbours while those are not twice its size, so
// each score moves O(log n) times in all.
template <class Score>
class SortedRuns {
 public:
  void add(std::vector<Score> run);
  // One run of everything.
  std::vector<Score> all() const;

 private:
  std::vector<std::vector<Score>> runs_;
};

// A value; one thread at a time.
class RankingState {
 public:
  static constexpr uint16_t kTypeId = 4;
  static constexpr uint16_t kVersion = 1;

  explicit RankingState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  // Leaves the state as it was when it throws. `weight` may be empty.
  void update(const ArrayView& labels, int64_t positive, const ArrayView& scores, const ArrayView& weight);
  void merge(const RankingState& other);

  bool has_positives() const { return has_positives_; }
  bool has_negatives() const { return has_negatives_; }
  // Both classes must be present for kRocAuc, positives for kAveragePrecision.
  double score(RankingMetric metric, double max_fpr) const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  void add(SortedScores<double> plain, SortedScores<WeightedScore> weighted);

  std::string config_;
  SortedRuns<double> positives_, negatives_;  // rows given without a weight
  SortedRuns<WeightedScore> weighted_positives_, weighted_negatives_;
  bool weighted_ = false;
  bool has_positives_ = false;
  bool has_negatives_ = false;
};

}  // namespace maas
