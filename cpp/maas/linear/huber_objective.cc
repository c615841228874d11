#include "maas/linear/huber_objective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/kernels/linear_pass.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/lifted_cholesky.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

constexpr size_t kLongestBlock = 512;  // rows of a panel
constexpr size_t kLanes = 8;           // partial sums of a sweep
constexpr double kLeastSigma = kLeastHuberScale;

double tree(const std::array<double, kLanes>& a) {
  return ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
}

}  // namespace

HuberObjective::HuberObjective(const PanelSource& source, const std::vector<double>& y,
                               const std::vector<double>& weight, const HuberOptions& options)
    : source_(source), y_(y), weight_(weight), options_(options), residual_(y.size()) {
  double size = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    total_weight_ += weight[i];
    size += weight[i] * std::abs(y[i]);
  }
  unit_ = std::max(size / total_weight_, kLeastSigma);
}

void HuberObjective::find_residuals(const double* theta) {
  const size_t k = size();
  const auto fold = [&](PanelBlock& block, size_t, double*) {
    alignas(64) std::array<double, kLongestBlock> z;
    panel_margins(block.panel.data(), block.ld, k, theta, 1, z.data());
    for (size_t i = 0; i < block.rows; ++i) residual_[block.begin + i] = y_[block.begin + i] - z[i];
  };
  source_.fold(1, 4 * k, fold, [](PanelBlock&, double*) {});
}

HuberObjective::Split HuberObjective::split(double sigma) const {
  const double bound = options_.epsilon * sigma;
  const Shards shards = make_shards(y_.size(), 4096);
  std::vector<double> sums(3 * shards.count());
  parallel_for(shards.count(), [&](size_t shard, int) {
    std::array<double, kLanes> squares{}, outside{}, sizes{};
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const size_t lane = i % kLanes;
      const double r = std::abs(residual_[i]), w = weight_[i];
      const bool out = r > bound;
      squares[lane] += out ? 0.0 : w * r * r;
      outside[lane] += out ? w : 0.0;
      sizes[lane] += out ? w * r : 0.0;
    }
    double* const own = sums.data() + 3 * shard;
    own[0] = tree(squares);
    own[1] = tree(outside);
    own[2] = tree(sizes);
  });
  combine_tree(sums.data(), shards.count(), 3);
  return {sums[0], sums[1], sums[2]};
}

// The slope in sigma is zero where squares / sigma² = total - epsilon² outside. As a function of 1 / sigma²
// the difference is convex and piecewise linear: Newton's method climbs from the scale that has every row
// inside, and ends exactly. It may start at the last scale where the slope there is on the climbing side.
void HuberObjective::find_sigma() {
  const double square = options_.epsilon * options_.epsilon;
  const auto left = [&](const Split& s) { return total_weight_ - square * s.outside; };
  double sigma = std::max(sigma_, kLeastSigma);
  if (sigma_ > 0) split_ = split(sigma);
  if (sigma_ == 0 || left(split_) * sigma * sigma < split_.squares) {
    split_ = split(std::numeric_limits<double>::infinity());
    sigma = std::max(std::sqrt(split_.squares / total_weight_), kLeastSigma);
    split_ = split(sigma);
  }
  for (int tries = 0; tries < 100; ++tries) {
    const double room = left(split_);
    const double next = room > 0 ? std::max(std::sqrt(split_.squares / room), kLeastSigma) : sigma;
    if (!(next < sigma)) break;
    sigma = next;
    split_ = split(sigma);
  }
  sigma_ = sigma;
}

double HuberObjective::value_and_gradient(const double* theta, double* gradient) {
  find_residuals(theta);
  find_sigma();
  last_.assign(theta, theta + size());
  differentiate(theta, gradient);
  const double epsilon = options_.epsilon;
  double loss = total_weight_ * sigma_ + split_.squares / sigma_ + 2 * epsilon * split_.sizes -
                sigma_ * epsilon * epsilon * split_.outside;
  for (size_t j = 0; j < source_.features(); ++j) loss += options_.l2 * theta[j] * theta[j];
  return loss / total_weight_;
}

// Gradient and Hessian at the residuals and the scale found.
void HuberObjective::differentiate(const double* theta, double* gradient) {
  const size_t k = size(), area = k * k, gram_size = gram_accumulator_size(k, k);
  const double bound = options_.epsilon * sigma_;
  const auto fold = [&](PanelBlock& block, size_t, double* sums) {
    if (block.gram.size() == 0) block.gram = AlignedBuffer<double>(gram_size, 0.0);
    alignas(64) std::array<double, kLongestBlock> inside;
    alignas(64) std::array<double, 2 * kLongestBlock> columns;
    double* const near = columns.data();
    double* const far = near + block.ld;
    for (size_t i = 0; i < block.ld; ++i) {
      const bool real = i < block.rows;
      const double w = real ? weight_[block.begin + i] : 0.0, r = real ? residual_[block.begin + i] : 0.0;
      const bool out = std::abs(r) > bound;
      inside[i] = out ? 0.0 : w;
      near[i] = out ? 0.0 : w * r;
      far[i] = out ? std::copysign(w, r) : 0.0;
    }
    panel_products(near, 2, block.panel.data(), k, block.ld, sums);
    gram_panel(block.panel.data(), k, block.panel.data(), k, block.ld, block.ld, inside.data(),
               block.gram.data());
  };
  const auto end = [&](PanelBlock& block, double* sums) {
    gram_finish(block.gram.data(), k, k, true, sums + 2 * k, k);
    std::fill(block.gram.begin(), block.gram.end(), 0.0);
  };
  const std::vector<double> sums = source_.fold(2 * k + area, area, fold, end);
  const double* const near = sums.data();
  const double* const far = near + k;
  hessian_.assign(sums.begin() + static_cast<ptrdiff_t>(2 * k), sums.end());
  const double steep = 2 / (sigma_ * total_weight_);
  for (size_t i = 0; i < k; ++i) {
    const double penalty = i < source_.features() ? 2 * options_.l2 / total_weight_ : 0.0;
    gradient[i] = -steep * near[i] - 2 * options_.epsilon / total_weight_ * far[i] + penalty * theta[i];
    for (size_t j = 0; j < k; ++j) hessian_[i * k + j] *= steep;
    hessian_[i * k + i] += penalty;
  }
  const double give = steep * scale_curvature(near) / split_.squares;
  if (!(give > 0)) return;
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < k; ++j) hessian_[i * k + j] -= near[i] * near[j] * give;
  }
}

// The scale gives way along the residuals inside, which takes curvature from the weights: all of it in the
// direction of a perfect fit, where the objective is a cone. Towards that less and less is taken, so that
// steps stay those of least squares. Returns the share of near nearᵀ / squares to take.
double HuberObjective::scale_curvature(const double* near) const {
  if (!(split_.squares > 0) || sigma_ <= kLeastSigma) return 0;
  const size_t k = size();
  std::vector<double> factor = hessian_, explained(near, near + k);
  lifted_cholesky(factor.data(), k);
  cholesky_solve(factor.data(), k, k, explained.data(), 1, 1);
  const double share = 2 / (sigma_ * total_weight_) * dot(explained.data(), near, k) / split_.squares;
  constexpr double kExact = 0.3;
  if (share <= kExact) return 1;
  return std::max(kExact * (1 - share) / (1 - kExact), 0.0) / share;
}

void HuberObjective::hessian(const double* theta, double* h) {
  if (!std::equal(last_.begin(), last_.end(), theta)) {
    std::vector<double> gradient(size());
    value_and_gradient(theta, gradient.data());
  }
  std::copy(hessian_.begin(), hessian_.end(), h);
}

}  // namespace maas
