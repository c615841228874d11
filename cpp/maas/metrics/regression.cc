#include "maas/metrics/regression.h"

#include <cmath>

#include "maas/base/interrupt.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/base/view.h"
#include "maas/kernels/error_sums.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr size_t kInlineRows = size_t{1} << 14;
constexpr uint64_t kMaxRows = uint64_t{1} << 53;

// Chan's rule for the mean and spread of two groups together.
RegressionSums joined(const RegressionSums& a, const RegressionSums& b) {
  RegressionSums sums;
  sums.weight = a.weight + b.weight;
  sums.error = a.error + b.error;
  if (sums.weight == 0) return sums;
  const double distance = b.mean - a.mean;
  const double share = b.weight / sums.weight;
  sums.mean = a.mean + distance * share;
  sums.spread = a.spread + b.spread + distance * distance * a.weight * share;
  return sums;
}

RegressionSums block_sums(RegressionMetric metric, const double* y, const double* p, const double* w,
                          size_t n) {
  RegressionSums sums;
  sums.weight = w ? sum_distance(w, 0.0, nullptr, n) : static_cast<double>(n);
  sums.error = metric == RegressionMetric::kAbsoluteError ? sum_absolute_error(y, p, w, n)
                                                          : sum_squared_error(y, p, w, n);
  if (metric == RegressionMetric::kR2 && sums.weight != 0) {
    const double first = load_unaligned(y);  // as centre it makes the spread of a constant exactly 0
    sums.mean = first + sum_distance(y, first, w, n) / sums.weight;
    sums.spread = sum_spread(y, sums.mean, w, n);
  }
  return sums;
}

// A product and what rounding lost of it, after Dekker; the loss is 0 where splitting would overflow.
struct Product {
  double value, loss;
};
Product exact_product(double a, double b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  const double value = a * b;
  const double a_up = kSplit * a, b_up = kSplit * b;
  const double a_high = a_up - (a_up - a), b_high = b_up - (b_up - b);
  const double a_low = a - a_high, b_low = b - b_high;
  const double loss = ((a_high * b_high - value) + a_high * b_low + a_low * b_high) + a_low * b_low;
  return {value, std::isfinite(loss) ? loss : 0.0};
}

void add_product(ExactSum& sum, double a, double b) {
  const Product product = exact_product(a, b);
  sum.add(product.value);
  sum.add(product.loss);
}

}  // namespace

RegressionSums regression_sums(RegressionMetric metric, const ArrayView& y, const ArrayView& predicted,
                               const ArrayView& weight) {
  const Shards shards = make_shards(y.size, y.size <= kInlineRows ? kInlineRows : kBlockRows);
  std::vector<RegressionSums> sums(shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    double y_block[kBlockRows], p_block[kBlockRows], w_block[kBlockRows];
    RegressionSums mine;
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, shards.end(shard) - begin);
      const double* w = weight ? read_doubles(weight, begin, n, w_block) : nullptr;
      const auto block = block_sums(metric, read_doubles(y, begin, n, y_block),
                                    read_doubles(predicted, begin, n, p_block), w, n);
      mine = begin == shards.begin(shard) ? block : joined(mine, block);
    }
    sums[shard] = mine;
  });
  for (size_t step = 1; step < sums.size(); step *= 2) {
    for (size_t i = 0; i + step < sums.size(); i += 2 * step) sums[i] = joined(sums[i], sums[i + step]);
  }
  return sums.empty() ? RegressionSums{} : sums[0];
}

void RegressionState::update(const ArrayView& y, const ArrayView& predicted, const ArrayView& weight) {
  double y_block[kBlockRows], p_block[kBlockRows], w_block[kBlockRows];
  for (size_t begin = 0; begin < y.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, y.size - begin);
    const double* ys = read_doubles(y, begin, n, y_block);
    const double* ps = read_doubles(predicted, begin, n, p_block);
    const double* ws = weight ? read_doubles(weight, begin, n, w_block) : nullptr;
    for (size_t i = 0; i < n; ++i) {
      const double target = load_unaligned(ys + i);
      const double w = ws ? load_unaligned(ws + i) : 1.0;
      const double error = target - load_unaligned(ps + i);
      squared_.add(w * (error * error));
      absolute_.add(w * std::abs(error));
      if (ws) {
        excess_.add(w);
        excess_.add(-1.0);
      }
      const Product square = exact_product(target, target);
      add_product(y_, w, target);
      add_product(y_square_, w, square.value);
      y_square_.add(w * square.loss);
    }
  }
  rows_ += y.size;
}

void RegressionState::merge(const RegressionState& other) {
  require_same_config(config_, other.config_);
  rows_ += other.rows_;
  excess_.merge(other.excess_);
  squared_.merge(other.squared_);
  absolute_.merge(other.absolute_);
  y_.merge(other.y_);
  y_square_.merge(other.y_square_);
}

double RegressionState::weight() const {
  ExactSum total = excess_;
  total.add(static_cast<double>(rows_));
  return total.value();
}

// With any m near the mean, sum w (y-m)^2 = sum w y^2 - 2 m sum w y + m^2 sum w. The big terms cancel in the
// exact sum, where nothing is lost; the rest, W (m - mean)^2, is tiny.
double RegressionState::spread() const {
  const double total = weight();
  const double m = y_.value() / total;
  if (!std::isfinite(m)) return m;
  ExactSum spread = y_square_;
  ExactSum residue = y_;  // sum w (y - m)
  for (const double part : y_.parts()) add_product(spread, -2 * m, part);
  const Product square = exact_product(m, m);
  ExactSum weights = excess_;
  weights.add(static_cast<double>(rows_));
  for (const double part : weights.parts()) {
    add_product(spread, square.value, part);
    add_product(spread, square.loss, part);
    add_product(residue, -m, part);
  }
  const double off = residue.value();
  spread.add(-(off * off) / total);
  // Terms carry 100 bits: what is left below that is rounding, and y a constant.
  const double sum = spread.value();
  return sum <= y_square_.value() * 0x1p-98 ? 0.0 : sum;
}

// u64 rows, five exact sums.
void RegressionState::write(StateWriter& out) const {
  out.put(rows_);
  for (const ExactSum* sum : {&excess_, &squared_, &absolute_, &y_, &y_square_}) sum->write(out);
}

void RegressionState::read(StateReader& in) {
  rows_ = in.get<uint64_t>();
  in.require(rows_ < kMaxRows, "a count below 2^53");
  for (ExactSum* sum : {&excess_, &squared_, &absolute_, &y_, &y_square_}) sum->read(in);
}

}  // namespace maas
