#include "maas/metrics/accuracy.h"

#include <atomic>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/count.h"
#include "maas/kernels/error_sums.h"
#include "maas/metrics/confusion.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr size_t kShardRows = size_t{1} << 15;
constexpr uint64_t kMaxRows = uint64_t{1} << 53;

// Equal labels in [begin, end), or nothing.
std::optional<uint64_t> count_range(const ArrayView& a, const ArrayView& b, size_t begin, size_t end) {
  if (a.type == b.type && !a.is_float() && a.contiguous() && b.contiguous()) {
    const size_t size = a.item_size();
    return count_equal(a.data + begin * size, b.data + begin * size, end - begin, size);
  }
  uint64_t equal = 0;
  int64_t a_block[kBlockRows], b_block[kBlockRows];
  for (; begin < end; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, end - begin);
    const int64_t* x = read_labels(a, begin, n, a_block);
    const int64_t* y = read_labels(b, begin, n, b_block);
    if (!x || !y) return std::nullopt;
    equal += count_equal(x, y, n, sizeof(int64_t));
  }
  return equal;
}

// The weights of [begin, end), nothing when a label is no integer.
std::optional<EqualWeight> weigh_range(const ArrayView& a, const ArrayView& b, const ArrayView& weight,
                                       size_t begin, size_t end) {
  EqualWeight sum;
  int64_t a_block[kBlockRows], b_block[kBlockRows];
  double weight_block[kBlockRows], right[kBlockRows];
  for (; begin < end; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, end - begin);
    const int64_t* x = read_labels(a, begin, n, a_block);
    const int64_t* y = read_labels(b, begin, n, b_block);
    if (!x || !y) return std::nullopt;
    const double* w = read_doubles(weight, begin, n, weight_block);
    // 1 or 0, so that the product is exact and no branch waits for the labels.
    for (size_t i = 0; i < n; ++i) right[i] = load_unaligned(x + i) == load_unaligned(y + i);
    sum.equal += sum_distance(right, 0.0, w, n);
    sum.total += sum_distance(w, 0.0, nullptr, n);
  }
  return sum;
}

}  // namespace

std::optional<EqualWeight> weigh_equal_labels(const ArrayView& truth, const ArrayView& predicted,
                                              const ArrayView& weight) {
  const Shards shards = make_shards(truth.size, truth.size <= kShardRows ? kShardRows : kBlockRows);
  std::vector<std::optional<EqualWeight>> sums(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    sums[shard] = weigh_range(truth, predicted, weight, shards.begin(shard), shards.end(shard));
  });
  EqualWeight total;
  for (const auto& sum : sums) {
    if (!sum) return std::nullopt;
    total.equal += sum->equal;
    total.total += sum->total;
  }
  return total;
}

std::optional<uint64_t> count_equal_labels(const ArrayView& truth, const ArrayView& predicted) {
  const Shards shards{truth.size, kShardRows};
  if (shards.count() <= 1) return count_range(truth, predicted, 0, truth.size);
  std::atomic<uint64_t> equal{0};
  std::atomic<bool> good{true};
  parallel_for(shards.count(), [&](size_t shard, int) {
    const auto found = count_range(truth, predicted, shards.begin(shard), shards.end(shard));
    if (!found) good = false;
    equal += found.value_or(0);
  });
  if (!good) return std::nullopt;
  return equal;
}

void AccuracyState::update(const ArrayView& truth, const ArrayView& predicted, const ArrayView& weight) {
  const std::optional<uint64_t> equal = count_equal_labels(truth, predicted);
  if (!equal) throw_invalid("metric state", "expected integer labels");
  equal_ += *equal;
  rows_ += truth.size;
  if (!weight) return;
  for_weighted_pairs(truth, predicted, weight, [&](int64_t t, int64_t p, double w) {
    excess_.add(w);
    excess_.add(-1.0);
    if (t != p) return;
    excess_equal_.add(w);
    excess_equal_.add(-1.0);
  });
}

void AccuracyState::merge(const AccuracyState& other) {
  require_same_config(config_, other.config_);
  equal_ += other.equal_;
  rows_ += other.rows_;
  excess_equal_.merge(other.excess_equal_);
  excess_.merge(other.excess_);
}

double AccuracyState::total_of(uint64_t rows, ExactSum excess) {
  excess.add(static_cast<double>(rows));
  return excess.value();
}

// u64 equal, u64 rows, two exact sums.
void AccuracyState::write(StateWriter& out) const {
  out.put(equal_);
  out.put(rows_);
  excess_equal_.write(out);
  excess_.write(out);
}

void AccuracyState::read(StateReader& in) {
  equal_ = in.get<uint64_t>();
  rows_ = in.get<uint64_t>();
  in.require(equal_ <= rows_ && rows_ < kMaxRows, "counts below 2^53");
  excess_equal_.read(in);
  excess_.read(in);
}

}  // namespace maas
