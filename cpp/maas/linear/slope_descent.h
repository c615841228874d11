// One descent among many that share their passes: it says where it wants the gradient and is told. Steps are
// judged by slopes alone, which for a convex function is enough, so a pass needs no values.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "maas/linear/curvature_model.h"
#include "maas/linear/lbfgs.h"
#include "maas/linear/minimise.h"

namespace maas {

// Minimises a convex function by L-BFGS from `start`, in the order: tell() the gradient at trial(); where
// wants_curvature(), give it; and so on until done(). rule.decrement is absolute here.
class SlopeDescent {
 public:
  // noise: relative rounding error of the gradients.
  SlopeDescent(std::vector<double> start, const StopRule& rule, double noise);

  bool done() const { return state_ == State::kDone; }
  bool wants_curvature() const { return state_ == State::kWantsCurvature; }
  // The curvature (null: none) at about theta(), to be used for `round` steps.
  void set_curvature(std::shared_ptr<const CurvatureModel> model, size_t round);
  // Where the gradient is wanted.
  const std::vector<double>& trial() const { return trial_; }
  void tell(const double* gradient);

  // The best weights so far, the solution once done.
  const std::vector<double>& theta() const { return theta_; }
  SolveStatus status() const { return status_; }
  size_t iterations() const { return iterations_; }

 private:
  enum class State { kStart, kWantsCurvature, kSearch, kDone };
  void propose();
  bool converged(double decrement);
  void stop(SolveStatus status);
  bool shorten_or_lengthen(double slope);
  void accept(const double* gradient);
  void try_step(double length);

  const StopRule rule_;
  const double noise_;
  State state_ = State::kStart;
  SolveStatus status_ = SolveStatus::kMaxIterations;
  size_t iterations_ = 0;
  std::vector<double> theta_, gradient_, direction_, trial_;
  std::shared_ptr<const CurvatureModel> model_;
  std::unique_ptr<LbfgsDirection> quasi_newton_;
  size_t round_left_ = 0;

  // The search along direction_: the slope is below zero at low_ and above at high_.
  double slope_ = 0, low_ = 0, low_slope_ = 0, high_slope_ = 0, length_ = 1;
  double high_ = std::numeric_limits<double>::infinity();
  int tries_ = 0;

  double last_decrement_ = std::numeric_limits<double>::infinity();
  double least_decrement_ = std::numeric_limits<double>::infinity();
  int stalls_ = 0;
};

}  // namespace maas
