#include "maas/metrics/confusion_state.h"

#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

// Counts stay exact as double and as the int64 that Python sees.
constexpr uint64_t kMaxCount = uint64_t{1} << 53;

}  // namespace

void ConfusionState::widen(LabelRange more, bool weighted) {
  if (!rows_.include(more, kMaxLabels)) {
    throw_invalid("metric state", "expected labels that span at most " + std::to_string(kMaxLabels) +
                                      " integers; declare labels= for others");
  }
  if (weighted && !excess_.include(rows_.range(), kMaxWeightedLabels)) {
    throw_invalid("metric state", "expected weighted labels that span at most " +
                                      std::to_string(kMaxWeightedLabels) + " integers");
  }
}

void ConfusionState::update(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight) {
  const std::optional<PairCounts> batch = count_pairs(truth, predicted);
  if (!batch) {
    throw_invalid("metric state", "expected integer labels that span at most " + std::to_string(kMaxLabels) +
                                      "; declare labels= for others");
  }
  const bool weighted = weighted_ || weight;
  widen(batch->range(), weighted);
  weighted_ = weighted;
  add_counts(rows_, *batch);
  if (!weight) return;
  for_weighted_pairs(truth, predicted, weight, [&](int64_t t, int64_t p, double w) {
    excess_.at(t, p).add(w);
    excess_.at(t, p).add(-1.0);
  });
}

void ConfusionState::merge(const ConfusionState& other) {
  require_same_config(config_, other.config_);
  const PairCounts theirs = trimmed(other.rows_);
  const bool weighted = weighted_ || other.weighted_;
  widen(theirs.range(), weighted);
  weighted_ = weighted;
  if (other.weighted_) {
    const std::vector<int64_t> labels = present_labels(theirs);
    for (const int64_t row : labels) {
      for (const int64_t col : labels) excess_.at(row, col).merge(other.excess_.at(row, col));
    }
  }
  add_counts(rows_, theirs);
}

double ConfusionState::weight(int64_t row, int64_t col) const {
  ExactSum total = excess_.at(row, col);
  total.add(static_cast<double>(rows_.at(row, col)));
  return total.value();
}

// u8 weighted, i64 first label, u32 width, width^2 u64 counts, then one exact sum a pair that was counted.
void ConfusionState::write(StateWriter& out) const {
  const PairCounts rows = trimmed(rows_);
  out.put(static_cast<uint8_t>(weighted_));
  out.put(rows.origin);
  out.put(static_cast<uint32_t>(rows.width));
  out.put_all(rows.cells.data(), rows.cells.size());
  if (!weighted_) return;
  for (size_t i = 0; i < rows.cells.size(); ++i) {
    if (rows.cells[i] == 0) continue;
    const auto row = static_cast<int64_t>(i / rows.width), col = static_cast<int64_t>(i % rows.width);
    excess_.at(rows.origin + row, rows.origin + col).write(out);
  }
}

void ConfusionState::read(StateReader& in) {
  const uint8_t weighted = in.get<uint8_t>();
  rows_.origin = in.get<int64_t>();
  rows_.width = in.get<uint32_t>();
  in.require(weighted <= 1 && rows_.width <= (weighted ? kMaxWeightedLabels : kMaxLabels),
             "a matrix of a size that states have");
  in.require(
      rows_.width > 0 ? rows_.origin <= INT64_MAX - static_cast<int64_t>(rows_.width - 1) : rows_.origin == 0,
      "labels inside int64");
  rows_.cells = in.get_all<uint64_t>(uint64_t{rows_.width} * rows_.width);
  for (const uint64_t count : rows_.cells) in.require(count < kMaxCount, "counts below 2^53");
  in.require(trimmed(rows_).width == rows_.width, "the smallest matrix that holds the labels");
  weighted_ = weighted != 0;
  if (!weighted_) return;
  excess_.include(rows_.range(), kMaxWeightedLabels);
  for (size_t i = 0; i < rows_.cells.size(); ++i) {
    if (rows_.cells[i] == 0) continue;
    const auto row = static_cast<int64_t>(i / rows_.width), col = static_cast<int64_t>(i % rows_.width);
    excess_.at(rows_.origin + row, rows_.origin + col).read(in);
  }
}

}  // namespace maas
