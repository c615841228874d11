// Share of rows whose label was predicted, unweighted or weighted.
#pragma once

#include <optional>
#include <string>

#include "maas/metrics/array_view.h"
#include "maas/metrics/exact_sum.h"

namespace maas {

// Rows with equal labels; nothing when a label is no integer that int64 holds.
std::optional<uint64_t> count_equal_labels(const ArrayView& truth, const ArrayView& predicted);

struct EqualWeight {
  double equal = 0;  // weight of the rows with equal labels
  double total = 0;
};
// The same by weight. Bits depend on the data alone: blocks and shards are cut by rows.
std::optional<EqualWeight> weigh_equal_labels(const ArrayView& truth, const ArrayView& predicted,
                                              const ArrayView& weight);

// A value; one thread at a time.
class AccuracyState {
 public:
  static constexpr uint16_t kTypeId = 2;
  static constexpr uint16_t kVersion = 1;

  explicit AccuracyState(std::string config) : config_(std::move(config)) {}
  const std::string& config() const { return config_; }

  // Leaves the state as it was when it throws. `weight` may be empty.
  void update(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight);
  void merge(const AccuracyState& other);

  double equal() const { return total_of(equal_, excess_equal_); }
  double total() const { return total_of(rows_, excess_); }

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  static double total_of(uint64_t rows, ExactSum excess);

  std::string config_;
  uint64_t equal_ = 0;
  uint64_t rows_ = 0;
  ExactSum excess_equal_;  // sums of (weight - 1) over the weighted rows
  ExactSum excess_;
};

}  // namespace maas
