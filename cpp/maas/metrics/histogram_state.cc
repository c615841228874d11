#include "maas/metrics/histogram_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/view.h"
#include "maas/kernels/count_at_least.h"

namespace maas {
namespace {

constexpr uint64_t kMaxCount = uint64_t{1} << 53;  // counts stay exact as double
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool valid(const std::vector<double>& edges) {
  if (edges.size() < 2 || edges.size() > HistogramState::kMaxBins + 1) return false;
  for (size_t k = 0; k < edges.size(); ++k) {
    if (!std::isfinite(edges[k]) || (k > 0 && edges[k] <= edges[k - 1])) return false;
  }
  return true;
}

template <class T>
size_t padded(size_t thresholds) {
  return (thresholds + kThresholdGroup<T> - 1) / kThresholdGroup<T> * kThresholdGroup<T>;
}

}  // namespace

HistogramState::HistogramState(std::string config, std::vector<double> edges)
    : config_(std::move(config)), edges_(std::move(edges)) {
  if (!valid(edges_)) throw_invalid("histogram", "expected 2 to 1025 finite edges that rise");
  for (double& edge : edges_) edge += 0.0;  // no -0: one form of each state
  const size_t size = padded<float>(edges_.size() + 1);
  thresholds_ = AlignedBuffer<double>(padded<double>(edges_.size() + 1), kInfinity);
  float_thresholds_ = AlignedBuffer<float>(size, std::numeric_limits<float>::infinity());
  at_least_ = AlignedBuffer<uint64_t>(size, uint64_t{0});
  thresholds_[0] = -kInfinity;
  std::copy(edges_.begin(), edges_.end(), thresholds_.data() + 1);
  thresholds_[edges_.size()] = std::nextafter(edges_.back(), kInfinity);
  for (size_t k = 0; k < thresholds_.size(); ++k) float_thresholds_[k] = float_threshold(thresholds_[k]);
}

HistogramState::HistogramState(const HistogramState& other) : HistogramState(other.config_, other.edges_) {
  std::copy_n(other.at_least_.data(), at_least_.size(), at_least_.data());
  rows_ = other.rows_;
}

void HistogramState::update(const ArrayView& values) noexcept {
  const size_t size = thresholds_.size();
  if (values.type == NumberType::kF32) {
    count_at_least(reinterpret_cast<const float*>(values.data), values.stride, values.size,
                   float_thresholds_.data(), float_thresholds_.size(), at_least_.data());
  } else if (values.type == NumberType::kF64) {
    count_at_least(reinterpret_cast<const double*>(values.data), values.stride, values.size,
                   thresholds_.data(), size, at_least_.data());
  } else {
    double block[kBlockRows];
    for (size_t begin = 0; begin < values.size; begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, values.size - begin);
      const double* doubles = read_doubles(values, begin, n, block);
      count_at_least(doubles, sizeof(double), n, thresholds_.data(), size, at_least_.data());
    }
  }
  rows_ += values.size;
}

void HistogramState::merge(const HistogramState& other) {
  require_same_config(config_, other.config_);
  if (edges_ != other.edges_) throw_invalid("metric state", "expected a histogram of the same edges");
  for (size_t k = 0; k < at_least_.size(); ++k) at_least_[k] += other.at_least_[k];
  rows_ += other.rows_;
}

std::vector<uint64_t> HistogramState::counts() const {
  std::vector<uint64_t> counts(edges_.size() - 1);
  for (size_t k = 0; k < counts.size(); ++k) counts[k] = at_least_[k + 1] - at_least_[k + 2];
  return counts;
}

// u32 bins, bins + 1 f64 edges, u64 missing, below, above, bins u64 counts.
void HistogramState::write(StateWriter& out) const {
  out.put(static_cast<uint32_t>(edges_.size() - 1));
  out.put_all(edges_.data(), edges_.size());
  out.put(missing());
  out.put(below());
  out.put(above());
  const std::vector<uint64_t> bins = counts();
  out.put_all(bins.data(), bins.size());
}

void HistogramState::read(StateReader& in) {
  const uint32_t bins = in.get<uint32_t>();
  in.require(bins >= 1 && bins <= kMaxBins, "a number of bins that histograms have");
  std::vector<double> edges = in.get_all<double>(uint64_t{bins} + 1);
  in.require(valid(edges), "finite edges that rise");
  for (const double edge : edges) in.require(edge != 0 || !std::signbit(edge), "edges in their one form");
  HistogramState fresh(config_, std::move(edges));
  const auto missing = in.get<uint64_t>(), below = in.get<uint64_t>(), above = in.get<uint64_t>();
  const std::vector<uint64_t> counts = in.get_all<uint64_t>(bins);
  in.require(missing < kMaxCount && below < kMaxCount && above < kMaxCount, "counts below 2^53");
  uint64_t total = above;
  fresh.at_least_[bins + 1] = total;
  for (size_t k = bins; k-- > 0;) {
    in.require(counts[k] < kMaxCount, "counts below 2^53");
    fresh.at_least_[k + 1] = total += counts[k];
  }
  fresh.at_least_[0] = total += below;
  fresh.rows_ = total + missing;
  *this = std::move(fresh);
}

}  // namespace maas
