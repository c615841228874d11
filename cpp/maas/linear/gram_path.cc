#include "maas/linear/gram_path.h"

#include <algorithm>
#include <cmath>

#include "maas/kernels/elementwise.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/coordinate_descent.h"

namespace maas {
namespace {

// A centred column whose squares are this far below those about the origin is constant but for rounding.
constexpr double kConstant = 1e-28;

void clear_column(std::vector<double>& products, size_t p, size_t j) {
  for (size_t k = 0; k < p; ++k) products[j * p + k] = products[k * p + j] = 0;
}

}  // namespace

GramProblem::GramProblem(const GramState& state, bool intercept)
    : features_(state.features),
      targets_(state.targets),
      weight_(state.weight),
      intercept_(intercept),
      mean_(state.mean),
      products_(intercept ? state.centred : state.about_origin()) {
  const size_t p = size();
  for (size_t j = 0; j < features_ && intercept; ++j) {
    if (products_[j * p + j] <= kConstant * weight_ * mean_[j] * mean_[j]) clear_column(products_, p, j);
  }
}

double GramProblem::largest_product(size_t target, bool positive) const {
  double largest = 0;
  for (size_t j = 0; j < features_; ++j) {
    const double b = products_[j * size() + features_ + target];
    largest = std::max(largest, positive ? b : std::fabs(b));
  }
  return largest / weight_;
}

void GramProblem::path(size_t target, const ElasticNetOptions& options, const std::vector<double>& alphas,
                       const std::vector<double>& start, const PathVisitor& visit) const {
  const size_t d = features_, p = size();
  std::vector<double> b(d), l1(d), l2(d), w(d), gradient(d);
  for (size_t j = 0; j < d; ++j) b[j] = products_[(d + target) * p + j];
  const double y_square = products_[(d + target) * p + d + target];
  if (!start.empty()) w = start;
  for (size_t j = 0; j < d; ++j) gradient[j] = -b[j];
  for (size_t j = 0; j < d; ++j) {
    if (w[j] != 0) map_arrays(MapOp::kAxpy, d, &products_[j * p], gradient.data(), gradient.data(), w[j]);
  }
  const PenalisedQuadratic model{products_.data(), p, d, l1.data(), l2.data(), options.positive};
  CoordinateOptions descent;
  descent.tolerance = step_tolerance(options.tolerance) * std::sqrt(y_square);
  descent.max_sweeps = options.max_iterations;
  descent.random = options.random;
  descent.seed = options.seed;
  descent.poll = options.poll;
  for (size_t k = 0; k < alphas.size(); ++k) {
    const double penalty = alphas[k] * weight_;
    std::fill(l1.begin(), l1.end(), penalty * options.l1_ratio);
    std::fill(l2.begin(), l2.end(), penalty * (1 - options.l1_ratio));
    const CoordinateResult result = descend_coordinates(model, descent, w.data(), gradient.data());
    GapTerms terms;
    double wb = 0, wg = 0, wm = 0;
    for (size_t j = 0; j < d; ++j) {
      wb += w[j] * b[j];
      wg += w[j] * gradient[j];
      wm += w[j] * mean_[j];
      terms.coef_l1 += std::fabs(w[j]);
      terms.coef_square += w[j] * w[j];
      terms.gradient_square += gradient[j] * gradient[j];
      const double slope = -gradient[j] - l2[j] * w[j];
      terms.dual_norm = std::max(terms.dual_norm, options.positive ? slope : std::fabs(slope));
    }
    terms.y_square = y_square;
    terms.residual_y = y_square - wb;
    terms.residual_square = std::max(0.0, y_square - wb + wg);
    const double gap = dual_gap(terms, l1[0], l2[0]);
    visit({k, w.data(), intercept_ ? mean_[d + target] - wm : 0.0, gap / weight_, result.sweeps,
           result.converged || gap <= options.tolerance * y_square, nullptr});
  }
}

}  // namespace maas
