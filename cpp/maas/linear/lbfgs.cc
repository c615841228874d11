#include "maas/linear/lbfgs.h"

#include <algorithm>
#include <cmath>

#include "maas/linear/vector_math.h"

namespace maas {

void LbfgsDirection::propose(const double* /*theta*/, const double* gradient, double* d) {
  for (size_t i = 0; i < size_; ++i) d[i] = -gradient[i];
  std::vector<double> factor(pairs_.size());
  for (size_t p = pairs_.size(); p-- > 0;) {
    factor[p] = dot(pairs_[p].step.data(), d, size_) / pairs_[p].product;
    add_scaled(-factor[p], pairs_[p].change.data(), d, size_);
  }
  if (start_ != nullptr && *start_) {
    start_->solve(d);
  } else if (!pairs_.empty()) {
    const Pair& last = pairs_.back();
    const double scale = last.product / dot(last.change, last.change);
    for (size_t i = 0; i < size_; ++i) d[i] *= scale;
  } else {
    // No curvature seen yet: a first step of length 1 at most.
    const double length = std::sqrt(dot(gradient, gradient, size_));
    for (size_t i = 0; i < size_; ++i) d[i] /= std::fmax(1.0, length);
  }
  for (size_t p = 0; p < pairs_.size(); ++p) {
    const double back = dot(pairs_[p].change.data(), d, size_) / pairs_[p].product;
    add_scaled(factor[p] - back, pairs_[p].step.data(), d, size_);
  }
}

void LbfgsDirection::accepted(const double* step, const double* change) {
  const double product = dot(step, change, size_);
  // Rounding can make it tiny or negative near the end; such a pair would spoil the model.
  if (!(product > 1e-14 * std::sqrt(dot(step, step, size_) * dot(change, change, size_)))) return;
  if (pairs_.size() == memory_) {
    std::rotate(pairs_.begin(), pairs_.begin() + 1, pairs_.end());
  } else {
    pairs_.emplace_back();
  }
  pairs_.back().step.assign(step, step + size_);
  pairs_.back().change.assign(change, change + size_);
  pairs_.back().product = product;
}

}  // namespace maas
