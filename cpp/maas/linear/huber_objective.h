// Huber's objective with the best scale for each set of weights, as an Objective of the weights alone:
// convex, and where sigma would fall by orders of magnitude on the way it follows at once.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/linear/huber.h"
#include "maas/linear/objective.h"
#include "maas/linear/panel_source.h"

namespace maas {

// scikit-learn's bound on sigma, which a perfect fit would take to zero.
inline constexpr double kLeastHuberScale = 10 * std::numeric_limits<double>::epsilon();

// A pass for the residuals, sweeps over these for the scale, and a pass for the derivatives. Holds references
// to the caller's arrays. Not for use by two threads at once (the passes run on the pool).
class HuberObjective : public Objective {
 public:
  HuberObjective(const PanelSource& source, const std::vector<double>& y, const std::vector<double>& weight,
                 const HuberOptions& options);

  size_t size() const override { return source_.columns(); }
  double value_and_gradient(const double* theta, double* gradient) override;
  // At the last theta of value_and_gradient, which took it along; elsewhere by another pass. Far from the
  // optimum, where that is flat, it is made steeper.
  void hessian(const double* theta, double* h) override;
  double scale() const override { return unit_; }

  // Of the last theta.
  double sigma() const { return sigma_; }
  const AlignedBuffer<double>& residuals() const { return residual_; }
  double total_weight() const { return total_weight_; }

 private:
  struct Split {
    double squares = 0;  // Σ weight r² where |r| <= epsilon sigma
    double outside = 0;  // Σ weight elsewhere
    double sizes = 0;    // Σ weight |r| elsewhere
  };
  void find_residuals(const double* theta);
  Split split(double sigma) const;
  void find_sigma();
  void differentiate(const double* theta, double* gradient);
  double scale_curvature(const double* near) const;

  const PanelSource& source_;
  const std::vector<double>&y_, &weight_;
  const HuberOptions options_;
  double total_weight_ = 0;
  double unit_ = 1;
  AlignedBuffer<double> residual_;
  double sigma_ = 0;
  Split split_;
  std::vector<double> last_, hessian_;
};

}  // namespace maas
