// Counts of numbers in bins whose edges never change: what a column of a reference and of live rows is kept
// as.
#pragma once

#include <string>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/metrics/array_view.h"
#include "maas/metrics/state_bytes.h"

namespace maas {

// Bin k holds edges[k] <= x < edges[k + 1], the last one also its right edge. A copy is an equal state of its
// own; one thread at a time.
class HistogramState {
 public:
  static constexpr uint16_t kTypeId = 6;
  static constexpr uint16_t kVersion = 1;
  static constexpr size_t kMaxBins = 1024;

  // One bin that holds 0, for state_from_bytes.
  explicit HistogramState(std::string config) : HistogramState(std::move(config), {-0x1p-10, 0x1p-10}) {}
  // `edges`: 2 … kMaxBins + 1 finite numbers that rise.
  HistogramState(std::string config, std::vector<double> edges);
  HistogramState(const HistogramState& other);
  HistogramState& operator=(HistogramState&& other) noexcept = default;
  HistogramState(HistogramState&& other) noexcept = default;

  const std::string& config() const { return config_; }
  const std::vector<double>& edges() const { return edges_; }

  // Integers beyond 2^53 count where the nearest double falls. No allocation, no exception.
  void update(const ArrayView& values) noexcept;
  // As many rows without a value.
  void add_missing(uint64_t rows) noexcept { rows_ += rows; }
  void merge(const HistogramState& other);
  // The same edges with nothing counted.
  HistogramState empty() const { return HistogramState(config_, edges_); }

  uint64_t rows() const { return rows_; }
  uint64_t missing() const { return rows_ - at_least_[0]; }  // NaN
  uint64_t below() const { return at_least_[0] - at_least_[1]; }
  uint64_t above() const { return at_least_[edges_.size()]; }
  // One a bin.
  std::vector<uint64_t> counts() const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  std::string config_;
  std::vector<double> edges_;
  // -inf, the edges, the last of them moved to the next double; then infinity up to whole groups.
  AlignedBuffer<double> thresholds_;
  AlignedBuffer<float> float_thresholds_;
  AlignedBuffer<uint64_t> at_least_;  // values that reach each threshold
  uint64_t rows_ = 0;
};

}  // namespace maas
