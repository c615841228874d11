#include "maas/linear/residual_descent.h"

#include <algorithm>
#include <iterator>

#include "maas/base/interrupt.h"
#include "maas/base/random.h"

namespace maas {
namespace {

class Sweeper {
 public:
  Sweeper(const ColumnSource& source, const ColumnMoments& moments, const UniformPenalty& penalty,
          std::vector<double>& weighted, std::vector<double>& w)
      : source_(source), moments_(moments), penalty_(penalty), weighted_(weighted), w_(w) {
    for (const double v : weighted_) sum_ += v;
  }

  // The largest gain of a coordinate, as coordinate_sweep.
  double sweep(const std::vector<uint32_t>& columns) {
    double largest = 0;
    for (const uint32_t j : columns) largest = std::max(largest, update(j));
    return largest;
  }

 private:
  // Updates leave out what centring adds to every row, a multiple of s: it falls out of the centred gradient.
  double update(size_t j) {
    const double curvature = moments_.square[j] + penalty_.l2, old = w_[j];
    if (curvature == 0) return 0;
    const double gradient = moments_.mean[j] * sum_ - source_.product(j, weighted_.data());
    const double z = moments_.square[j] * old - gradient;
    double value = 0;
    if (z > penalty_.l1) value = (z - penalty_.l1) / curvature;
    if (z < -penalty_.l1 && !penalty_.positive) value = (z + penalty_.l1) / curvature;
    const double change = value - old;
    if (change == 0) return 0;
    w_[j] = value;
    source_.add_weighted_column(j, -change, moments_.equal ? nullptr : moments_.weights.data(),
                                weighted_.data());
    sum_ -= change * moments_.weight * moments_.mean[j];
    return curvature * change * change;
  }

  const ColumnSource& source_;
  const ColumnMoments& moments_;
  const UniformPenalty penalty_;
  std::vector<double>& weighted_;
  std::vector<double>& w_;
  double sum_ = 0;
};

std::vector<uint32_t> in_order(std::vector<uint32_t> columns, const CoordinateOptions& options,
                               size_t sweep) {
  if (!options.random) return columns;
  std::vector<uint32_t> order(columns.size()), out(columns.size());
  random_permutation(options.seed, sweep, order.data(), order.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = columns[order[i]];
  return out;
}

}  // namespace

CoordinateResult descend_residuals(const ColumnSource& source, const ColumnMoments& moments,
                                   const std::vector<uint32_t>& set, const UniformPenalty& penalty,
                                   const CoordinateOptions& options, std::vector<double>& weighted,
                                   std::vector<double>& w) {
  Sweeper sweeper(source, moments, penalty, weighted, w);
  const double enough = options.tolerance * options.tolerance;
  CoordinateResult result;
  bool whole = true;
  size_t count = 0, visited = 0;  // sweeps, and columns in them
  std::vector<uint32_t> support;
  while (result.sweeps < options.max_sweeps) {
    const double moved = sweeper.sweep(in_order(whole ? set : support, options, count++));
    visited += whole ? set.size() : support.size();
    result.sweeps = set.empty() ? 1 : (visited + set.size() - 1) / set.size();
    if (options.poll) poll_interrupt();
    if (moved <= enough && whole) {
      result.converged = true;
      return result;
    }
    if (whole) {
      support.clear();
      std::copy_if(set.begin(), set.end(), std::back_inserter(support),
                   [&](uint32_t j) { return w[j] != 0; });
    }
    whole = moved <= enough || support.empty();
  }
  return result;
}

}  // namespace maas
