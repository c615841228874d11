#include "maas/metrics/quantile.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/view.h"
#include "maas/kernels/error_terms.h"

namespace maas {
namespace {

constexpr size_t kSortedRows = 2048;  // so few are sorted
constexpr int kBucketBits = 12;

// Order-preserving integers of doubles, and back.
uint64_t key_of(double x) {
  const auto bits = std::bit_cast<uint64_t>(x + 0.0);  // -0 becomes 0
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}
double value_of(uint64_t key) { return std::bit_cast<double>(key >> 63 ? key & ~(uint64_t{1} << 63) : ~key); }

// A sum of doubles and what rounding lost of it, after Knuth.
struct WideSum {
  double value = 0, loss = 0;

  void add(double x) {
    const double sum = value + x;
    const double part = sum - value;
    loss += (value - (sum - part)) + (x - part);
    value = sum;
  }
  void add(const WideSum& other) {
    add(other.value);
    add(other.loss);
  }
  double total() const { return value + loss; }
};

// Rows still to be told apart: keys, with their weights unless every row weighs 1.
struct Candidates {
  AlignedBuffer<uint64_t> keys;
  AlignedBuffer<double> weights;
  size_t count = 0;

  bool weighted() const { return weights.size() > 0; }
  double weight(size_t i) const { return weighted() ? weights[i] : 1.0; }
};

Candidates gather(const ArrayView& y, const ArrayView& predicted, const ArrayView& weight) {
  Candidates rows{AlignedBuffer<uint64_t>(y.size), AlignedBuffer<double>(weight ? y.size : 0), 0};
  double y_block[kBlockRows], p_block[kBlockRows], w_block[kBlockRows], x_block[kBlockRows];
  for (size_t begin = 0; begin < y.size; begin += kBlockRows) {
    poll_interrupt();
    const size_t n = std::min(kBlockRows, y.size - begin);
    const double* x = read_doubles(y, begin, n, y_block);
    if (predicted) {
      error_terms(ErrorTerm::kAbsolute, 0, x, read_doubles(predicted, begin, n, p_block), n, x_block);
      x = x_block;
    }
    const double* w = weight ? read_doubles(weight, begin, n, w_block) : nullptr;
    for (size_t i = 0; i < n; ++i) {
      const double row_weight = w ? load_unaligned(w + i) : 1.0;
      rows.keys[rows.count] = key_of(load_unaligned(x + i));
      if (w) rows.weights[rows.count] = row_weight;
      rows.count += row_weight != 0;
    }
  }
  return rows;
}

// Narrows the candidates down to the bucket of keys where the running weight reaches the rank.
class Selection {
 public:
  Selection(double share, Candidates rows) : rows_(std::move(rows)) {
    for (size_t i = 0; i < rows_.count && rows_.weighted(); ++i) total_.add(rows_.weights[i]);
    if (!rows_.weighted()) total_.value = static_cast<double>(rows_.count);
    // A rank of 0 would be reached before the first row.
    rank_ = std::max(share * total_.total(), std::numeric_limits<double>::denorm_min());
  }

  double run() {
    while (rows_.count > kSortedRows && narrow()) poll_interrupt();
    return finish();
  }

 private:
  // False when all candidates are equal.
  bool narrow() {
    const auto [low, high] = std::minmax_element(rows_.keys.data(), rows_.keys.data() + rows_.count);
    const uint64_t least = *low, span = *high - least;
    if (span == 0) return false;
    const int shift = std::max(0, static_cast<int>(std::bit_width(span)) - kBucketBits);
    std::vector<WideSum> buckets((span >> shift) + 1);
    if (rows_.weighted()) {
      for (size_t i = 0; i < rows_.count; ++i) {
        buckets[(rows_.keys[i] - least) >> shift].add(rows_.weights[i]);
      }
    } else {
      for (size_t i = 0; i < rows_.count; ++i) buckets[(rows_.keys[i] - least) >> shift].value += 1;
    }
    size_t chosen = 0;
    for (;; ++chosen) {
      WideSum with = below_;
      with.add(buckets[chosen]);
      if (reaches(with) || chosen + 1 == buckets.size()) break;
      below_ = with;
    }
    keep(least, shift, chosen);
    return true;
  }

  void keep(uint64_t least, int shift, uint64_t chosen) {
    size_t kept = 0;
    for (size_t i = 0; i < rows_.count; ++i) {
      const uint64_t key = rows_.keys[i];
      const uint64_t bucket = (key - least) >> shift;
      if (bucket > chosen) above_ = std::min(above_, key);
      rows_.keys[kept] = key;
      if (rows_.weighted()) rows_.weights[kept] = rows_.weights[i];
      kept += bucket == chosen;
    }
    rows_.count = kept;
  }

  double finish() {
    std::vector<uint32_t> order(rows_.count);
    std::iota(order.begin(), order.end(), uint32_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return rows_.keys[a] < rows_.keys[b]; });
    size_t at = 0;
    for (;; ++at) {
      below_.add(rows_.weight(order[at]));
      if (reaches(below_) || at + 1 == order.size()) break;
    }
    const uint64_t key = rows_.keys[order[at]];
    const uint64_t next = at + 1 < order.size() ? rows_.keys[order[at + 1]] : std::min(above_, kNone);
    if (below_.total() - rank_ > tolerance() || next == kNone) return value_of(key);
    return (value_of(key) + value_of(next)) / 2;
  }

  bool reaches(const WideSum& sum) const { return sum.total() >= rank_ - tolerance(); }
  double tolerance() const { return rows_.weighted() ? 0x1p-50 * std::fabs(total_.total()) : 0x1p-52; }

  static constexpr uint64_t kNone = UINT64_MAX;

  Candidates rows_;
  WideSum total_, below_;
  double rank_ = 0;
  uint64_t above_ = kNone;  // the least key left out above the candidates
};

}  // namespace

double averaged_quantile(double share, const ArrayView& y, const ArrayView& predicted,
                         const ArrayView& weight) {
  Candidates rows = gather(y, predicted, weight);
  if (rows.count == 0) throw_invalid("quantile", "expected rows of non-zero weight");
  if (rows.count > UINT32_MAX) throw_invalid("quantile", "expected fewer than 2^32 rows");
  return Selection(share, std::move(rows)).run();
}

}  // namespace maas
