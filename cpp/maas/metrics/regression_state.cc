#include "maas/metrics/regression_state.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/view.h"
#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr uint64_t kMaxRows = uint64_t{1} << 53;

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

void add_moments(ExactSum& sum, ExactSum& square, double weight, double value) {
  const Product squared = exact_product(value, value);
  add_product(sum, weight, value);
  add_product(square, weight, squared.value);
  square.add(weight * squared.loss);
}

}  // namespace

struct RegressionState::Block {
  const double* y;
  const double* predicted;
  const double* weight;  // null: all rows weigh 1
  size_t rows;

  double weight_of(size_t i) const { return weight ? load_unaligned(weight + i) : 1.0; }
};

bool RegressionState::same_kind(const RegressionState& other) const {
  return sums_ == other.sums_ && term_ == other.term_ &&
         std::bit_cast<uint64_t>(parameter_) == std::bit_cast<uint64_t>(other.parameter_);
}

void RegressionState::add_block(Output& output, const Block& block) const {
  double terms[kBlockRows];
  error_terms(term_, parameter_, block.y, block.predicted, block.rows, terms);
  if (sums_ == StateSums::kMaximum) {
    output.greatest = std::max(output.greatest, *std::max_element(terms, terms + block.rows));
    return;
  }
  for (size_t i = 0; i < block.rows; ++i) {
    const double w = block.weight_of(i);
    if (sums_ == StateSums::kDistance) {
      add_moments(output.distance, output.distance_square, w, terms[i]);
    } else {
      output.error.add(w * terms[i]);
    }
    const double y = load_unaligned(block.y + i);
    if (sums_ == StateSums::kTarget || sums_ == StateSums::kDistance) {
      add_moments(output.target, output.target_square, w, y);
    } else if (sums_ == StateSums::kDeviance) {
      add_product(output.target, w, y);
    }
  }
  if (sums_ != StateSums::kDeviance) return;
  const auto g = term_ == ErrorTerm::kPoisson ? ErrorTerm::kTimesLog
                 : term_ == ErrorTerm::kGamma ? ErrorTerm::kLog
                                              : ErrorTerm::kPower;
  error_terms(g, 2 - parameter_, block.y, nullptr, block.rows, terms);
  for (size_t i = 0; i < block.rows; ++i) output.constant.add(block.weight_of(i) * terms[i]);
}

void RegressionState::update(const std::vector<ArrayView>& y, const std::vector<ArrayView>& predicted,
                             const ArrayView& weight) {
  if (y.empty() || y.size() != predicted.size()) throw_invalid("metric state", "expected outputs in pairs");
  if (rows_ != 0 && y.size() != outputs_.size()) {
    throw_invalid("metric state", "expected " + std::to_string(outputs_.size()) + " outputs, got " +
                                      std::to_string(y.size()));
  }
  const size_t rows = y[0].size;
  if (rows == 0) return;
  outputs_.resize(y.size());
  double y_block[kBlockRows], p_block[kBlockRows], w_block[kBlockRows];
  for (size_t begin = 0; begin < rows; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, rows - begin);
    const double* w = weight ? read_doubles(weight, begin, n, w_block) : nullptr;
    for (size_t k = 0; k < y.size(); ++k) {
      add_block(outputs_[k],
                {read_doubles(y[k], begin, n, y_block), read_doubles(predicted[k], begin, n, p_block), w, n});
    }
    for (size_t i = 0; w && i < n; ++i) {
      excess_.add(load_unaligned(w + i));
      excess_.add(-1.0);
    }
  }
  rows_ += rows;
}

void RegressionState::merge(const RegressionState& other) {
  require_same_config(config_, other.config_);
  if (!same_kind(other)) throw_invalid("metric state", "expected a state of the same terms");
  if (other.rows_ == 0) return;
  if (rows_ != 0 && outputs_.size() != other.outputs_.size()) {
    throw_invalid("metric state", "expected states of the same number of outputs");
  }
  const std::vector<Output> others = other.outputs_;  // `other` may be this state
  outputs_.resize(others.size());
  for (size_t k = 0; k < outputs_.size(); ++k) {
    for (const auto sum : kept()) (outputs_[k].*sum).merge(others[k].*sum);
    outputs_[k].greatest = std::max(outputs_[k].greatest, others[k].greatest);
  }
  rows_ += other.rows_;
  excess_.merge(other.excess_);
}

double RegressionState::weight() const {
  ExactSum total = excess_;
  total.add(static_cast<double>(rows_));
  return total.value();
}

double RegressionState::error(size_t output) const {
  const Output& own = outputs_[output];
  return sums_ == StateSums::kMaximum ? own.greatest : own.error.value();
}

double RegressionState::target_spread(size_t output) const {
  return spread(outputs_[output].target, outputs_[output].target_square);
}

double RegressionState::distance_spread(size_t output) const {
  return spread(outputs_[output].distance, outputs_[output].distance_square);
}

// With any m near the mean, sum w (x-m)^2 = sum w x^2 - 2 m sum w x + m^2 sum w. The big terms cancel in the
// exact sum, where nothing is lost; the rest, W (m - mean)^2, is tiny.
double RegressionState::spread(const ExactSum& sum, const ExactSum& square) const {
  const double total = weight();
  const double m = sum.value() / total;
  if (!std::isfinite(m)) return m;
  ExactSum spread = square;
  ExactSum residue = sum;  // sum w (x - m)
  for (const double part : sum.parts()) add_product(spread, -2 * m, part);
  const Product m_square = exact_product(m, m);
  ExactSum weights = excess_;
  weights.add(static_cast<double>(rows_));
  for (const double part : weights.parts()) {
    add_product(spread, m_square.value, part);
    add_product(spread, m_square.loss, part);
    add_product(residue, -m, part);
  }
  const double off = residue.value();
  spread.add(-(off * off) / total);
  // Terms carry 100 bits: what is left below that is rounding, and x a constant.
  const double value = spread.value();
  return value <= square.value() * 0x1p-98 ? 0.0 : value;
}

std::vector<ExactSum RegressionState::Output::*> RegressionState::kept() const {
  switch (sums_) {
    case StateSums::kError: return {&Output::error};
    case StateSums::kMaximum: return {};
    case StateSums::kTarget: return {&Output::error, &Output::target, &Output::target_square};
    case StateSums::kDistance:
      return {&Output::target, &Output::target_square, &Output::distance, &Output::distance_square};
    case StateSums::kDeviance: return {&Output::error, &Output::target, &Output::constant};
  }
  return {};
}

// u8 sums, u8 term, f64 parameter, u64 rows, the excess, u32 outputs; for each output f64 greatest and its
// exact sums in the order of kept().
void RegressionState::write(StateWriter& out) const {
  out.put(static_cast<uint8_t>(sums_));
  out.put(static_cast<uint8_t>(term_));
  out.put(parameter_);
  out.put(rows_);
  excess_.write(out);
  out.put(static_cast<uint32_t>(outputs_.size()));
  for (const Output& output : outputs_) {
    out.put(output.greatest);
    for (const auto sum : kept()) (output.*sum).write(out);
  }
}

void RegressionState::read(StateReader& in) {
  const auto sums = in.get<uint8_t>(), term = in.get<uint8_t>();
  in.require(sums <= static_cast<uint8_t>(StateSums::kDeviance), "known sums");
  in.require(term <= static_cast<uint8_t>(ErrorTerm::kTweedie), "a known term");
  sums_ = static_cast<StateSums>(sums);
  term_ = static_cast<ErrorTerm>(term);
  parameter_ = in.get<double>();
  rows_ = in.get<uint64_t>();
  in.require(rows_ < kMaxRows, "a count below 2^53");
  excess_.read(in);
  const auto outputs = in.get<uint32_t>();
  in.require((outputs == 0) == (rows_ == 0), "outputs exactly when there are rows");
  outputs_.clear();
  for (uint32_t k = 0; k < outputs; ++k) {  // one by one: the number may be a lie
    Output& output = outputs_.emplace_back();
    output.greatest = in.get<double>();
    const bool used = sums_ == StateSums::kMaximum;
    const bool zero = std::bit_cast<uint64_t>(output.greatest) == 0;
    in.require(zero || (used && output.greatest > 0), "a positive maximum");
    for (const auto sum : kept()) (output.*sum).read(in);
  }
}

}  // namespace maas
