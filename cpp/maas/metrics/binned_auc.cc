#include "maas/metrics/binned_auc.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "maas/base/interrupt.h"
#include "maas/base/view.h"

namespace maas {
namespace {

constexpr uint64_t kMaxRows = uint64_t{1} << 53;
constexpr uint64_t kMaxRecent = uint64_t{1} << 31;
constexpr int kChunkBits = 10;
constexpr uint32_t kMaxBins = uint32_t{1} << 22;
constexpr uint32_t kMaxBinsEach = uint32_t{1} << 16;  // for every power of two

bool valid(const ScoreBins& bins) {
  if (bins.bins == 0 || bins.bins > kMaxBins) return false;
  if (!bins.linear) {
    return std::has_single_bit(bins.bins) && bins.bins <= kMaxBinsEach && bins.low == 0 && bins.high == 0;
  }
  return std::isfinite(bins.low) && std::isfinite(bins.high) && bins.low < bins.high &&
         std::isfinite(bins.high - bins.low) && std::isfinite(bins.bins / (bins.high - bins.low));
}

ScoreBins checked(const ScoreBins& bins) {
  if (!valid(bins))
    throw_invalid("binned AUC", "expected up to 2^22 bins on a finite range, or a power of two up to 2^16");
  return bins;
}

}  // namespace

BinnedAucState::BinnedAucState(std::string config, const ScoreBins& bins)
    : config_(std::move(config)),
      bins_(checked(bins)),
      recent_(2 * size_t{bins_.count()}),
      used_((bins_.count() >> kChunkBits) + 1) {}

bool BinnedAucState::same_bins(const BinnedAucState& other) const {
  return bins_.linear == other.bins_.linear && bins_.bins == other.bins_.bins &&
         bins_.low == other.bins_.low && bins_.high == other.bins_.high;
}

void BinnedAucState::update(const ArrayView& labels, int64_t positive, const ArrayView& scores) {
  if (scores.size >= kMaxRecent) throw_invalid("binned AUC", "expected fewer than 2^31 rows a batch");
  if (recent_rows_ + scores.size >= kMaxRecent) flush();
  int64_t label_block[kBlockRows];
  double score_block[kBlockRows];
  uint32_t keys[kBlockRows];
  // Adds `step` to the counts of rows [begin, begin + n); false, with nothing added, for a bad block.
  const auto count = [&](size_t begin, size_t n, uint32_t step) {
    const int64_t* label = read_labels(labels, begin, n, label_block);
    if (!label) return false;
    if (!score_keys(bins_, read_doubles(scores, begin, n, score_block), n, keys)) return false;
    uint32_t* const counts = &recent_[0];
    uint8_t* const used = used_.data();
    for (size_t i = 0; i < n; ++i) {
      counts[2 * size_t{keys[i]} + (load_unaligned(label + i) == positive)] += step;
      used[keys[i] >> kChunkBits] = 1;
    }
    return true;
  };
  for (size_t begin = 0; begin < scores.size; begin += kBlockRows) {
    poll_interrupt();
    if (count(begin, std::min(kBlockRows, scores.size - begin), 1)) continue;
    for (size_t undone = 0; undone < begin; undone += kBlockRows) count(undone, kBlockRows, uint32_t{0} - 1);
    const size_t n = std::min(kBlockRows, scores.size - begin);
    if (!read_labels(labels, begin, n, label_block)) throw_invalid("ranking", "expected integer labels");
    throw NotFinite("y_score");
  }
  recent_rows_ += scores.size;
  rows_ += scores.size;
}

void BinnedAucState::flush() {
  if (older_.empty()) older_.emplace_back(2 * size_t{bins_.count()});
  for (size_t chunk = 0; chunk < used_.size(); ++chunk) {
    if (!used_[chunk]) continue;
    const size_t end = std::min((chunk + 1) << (kChunkBits + 1), 2 * size_t{bins_.count()});
    for (size_t i = chunk << (kChunkBits + 1); i < end; ++i) {
      older_[0][i] += recent_[i];
      recent_[i] = 0;
    }
  }
  recent_rows_ = 0;
}

template <class Fn>
void BinnedAucState::for_bins(Fn&& fn) const {
  for (size_t chunk = 0; chunk < used_.size(); ++chunk) {
    if (!used_[chunk]) continue;
    const auto first = static_cast<uint32_t>(chunk << kChunkBits);
    const uint32_t end = std::min(first + (uint32_t{1} << kChunkBits), bins_.count());
    for (uint32_t key = first; key < end; ++key) {
      Bin bin{key, recent_[2 * size_t{key}], recent_[2 * size_t{key} + 1]};
      if (!older_.empty()) {
        bin.negatives += older_[0][2 * size_t{key}];
        bin.positives += older_[0][2 * size_t{key} + 1];
      }
      if (bin.negatives + bin.positives > 0) fn(bin);
    }
  }
}

void BinnedAucState::add(const Bin& bin) {
  older_[0][2 * size_t{bin.key}] += bin.negatives;
  older_[0][2 * size_t{bin.key} + 1] += bin.positives;
  used_[bin.key >> kChunkBits] = 1;
}

void BinnedAucState::merge(const BinnedAucState& other) {
  require_same_config(config_, other.config_);
  if (!same_bins(other)) throw_invalid("metric state", "expected a state of the same bins");
  std::vector<Bin> bins;  // `other` may be this state
  other.for_bins([&](const Bin& bin) { bins.push_back(bin); });
  if (recent_rows_ + other.rows_ < kMaxRecent) {
    for (const Bin& bin : bins) {
      recent_[2 * size_t{bin.key}] += static_cast<uint32_t>(bin.negatives);
      recent_[2 * size_t{bin.key} + 1] += static_cast<uint32_t>(bin.positives);
      used_[bin.key >> kChunkBits] = 1;
    }
    recent_rows_ += other.rows_;
  } else {
    if (older_.empty()) older_.emplace_back(2 * size_t{bins_.count()});
    for (const Bin& bin : bins) add(bin);
  }
  rows_ += other.rows_;
}

BinnedAuc BinnedAucState::compute() const {
  __extension__ using Wide = unsigned __int128;
  Wide twice_right = 0, unknown = 0;  // pairs: in the right order twice, and within a bin
  uint64_t negatives = 0, positives = 0;
  for_bins([&](const Bin& bin) {
    twice_right += Wide{bin.positives} * (2 * negatives + bin.negatives);
    unknown += Wide{bin.positives} * bin.negatives;
    negatives += bin.negatives;
    positives += bin.positives;
  });
  if (positives == 0 || negatives == 0) return {NAN, NAN, positives > 0, negatives > 0};
  const double pairs = static_cast<double>(positives) * static_cast<double>(negatives);
  // Both this figure and the exact one are rounded three times, by 2^-53 each.
  const double bound = static_cast<double>(unknown) / 2 / pairs * (1 + 0x1p-50) + 0x1p-50;
  return {static_cast<double>(twice_right) / 2 / pairs, std::min(bound, 1.0), true, true};
}

// u8 linear, u32 bins, f64 low, f64 high, u32 n, n x (u32 bin, u64 negatives, u64 positives) by rising bin.
void BinnedAucState::write(StateWriter& out) const {
  out.put(static_cast<uint8_t>(bins_.linear));
  out.put(bins_.bins);
  out.put(bins_.low);
  out.put(bins_.high);
  uint32_t n = 0;
  for_bins([&](const Bin&) { ++n; });
  out.put(n);
  for_bins([&](const Bin& bin) {
    out.put(bin.key);
    out.put(bin.negatives);
    out.put(bin.positives);
  });
}

void BinnedAucState::read(StateReader& in) {
  ScoreBins bins;
  const auto linear = in.get<uint8_t>();
  in.require(linear <= 1, "a flag");
  bins.linear = linear != 0;
  bins.bins = in.get<uint32_t>();
  bins.low = in.get<double>();
  bins.high = in.get<double>();
  in.require(valid(bins) && !std::signbit(bins.low == 0 ? bins.low : 1) &&
                 !std::signbit(bins.high == 0 ? bins.high : 1),
             "valid bins");
  const auto n = in.get<uint32_t>();
  in.require(n <= in.left() / 20, "a longer payload");
  BinnedAucState fresh(config_, bins);
  fresh.older_.emplace_back(2 * size_t{bins.count()});
  int64_t before = -1;
  for (uint32_t i = 0; i < n; ++i) {
    const Bin bin{in.get<uint32_t>(), in.get<uint64_t>(), in.get<uint64_t>()};
    in.require(bin.key > before && bin.key < bins.count(), "bins in rising order");
    in.require(bin.negatives < kMaxRows && bin.positives < kMaxRows && bin.negatives + bin.positives > 0,
               "counts below 2^53");
    fresh.add(bin);
    fresh.rows_ += bin.negatives + bin.positives;
    in.require(fresh.rows_ < kMaxRows, "counts below 2^53");
    before = bin.key;
  }
  *this = std::move(fresh);
}

}  // namespace maas
