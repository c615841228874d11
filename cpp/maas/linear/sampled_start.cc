#include "maas/linear/sampled_start.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/linear/lbfgs.h"
#include "maas/linear/row_sample.h"

namespace maas {
namespace {

// Without second derivatives each step wins a fixed factor only, so digits cost passes: the margins' error
// left is the tolerance instead of its square.
StopRule without_curvature(StopRule rule) {
  rule.decrement = std::sqrt(rule.decrement);
  return rule;
}

// Runs L-BFGS from theta in rounds, each of which starts from the curvature that `source` has where the last
// one ended: far from the optimum the curvature changes as theta moves.
SolveResult solve_rounds(Objective& objective, Objective& source, const StopRule& rule, size_t round,
                         std::vector<double>& theta) {
  SolveResult result;
  while (true) {
    const CurvatureModel model = CurvatureModel::at(source, theta.data());
    LbfgsDirection direction(objective.size(), 20, &model);
    StopRule part = rule;
    part.max_iterations = std::min(round, rule.max_iterations - result.iterations);
    const SolveResult next = minimise(objective, direction, part, theta.data());
    const auto begin = next.loss_curve.begin() + (result.loss_curve.empty() ? 0 : 1);  // one value is shared
    result.loss_curve.insert(result.loss_curve.end(), begin, next.loss_curve.end());
    result.iterations += next.iterations;
    result.status = next.status;
    const bool cut_short = next.status == SolveStatus::kMaxIterations && next.iterations == round;
    if (!cut_short || result.iterations == rule.max_iterations) return result;
    round += round / 2;
  }
}

}  // namespace

template <class T>
SolveResult minimise_with_samples(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                                  const std::vector<double>& shift, RowObjective<T>& objective,
                                  const StopRule& rule, bool cold, std::vector<double>& theta) {
  const size_t columns = objective.size() / shape.outputs;
  const size_t wanted = sample_rows(rows.x.rows, columns, shape.outputs);
  if (wanted == 0) {
    LbfgsDirection direction(objective.size(), 10);
    return minimise(objective, direction, without_curvature(rule), theta.data());
  }
  const size_t stride = sample_stride(rows.x.rows, wanted);
  // A first round costs about as much in steps as its curvature does.
  const size_t round = std::clamp<size_t>(columns / 8, 1, 6);
  if (stride == 1) return solve_rounds(objective, objective, rule, round, theta);
  const RowSample<T> sample(rows, stride);
  RowObjective<T> sampled(sample.rows(), shape, alpha, shift);
  if (!(sampled.total_weight() > 0)) {
    LbfgsDirection direction(objective.size(), 10);
    return minimise(objective, direction, without_curvature(rule), theta.data());
  }
  // Few events say little about many weights, none send the intercept to minus infinity.
  const bool informed = shape.loss != Loss::kPoisson ||
                        sampled.scale() * sampled.total_weight() > 4 * static_cast<double>(objective.size());
  if (cold && informed) {
    // To the accuracy that the sample itself has: its solution is off by about parameters / rows.
    StopRule rough = rule;
    rough.decrement = std::max(rule.decrement, 0.02 * static_cast<double>(objective.size()) /
                                                   static_cast<double>(sample.rows().x.rows));
    rough.max_iterations = 30;
    minimise_with_samples(sample.rows(), shape, alpha, shift, sampled, rough, true, theta);
  }
  return solve_rounds(objective, sampled, rule, 6, theta);
}

template SolveResult minimise_with_samples(const WeightedRows<float>&, const LinearModelShape&, double,
                                           const std::vector<double>&, RowObjective<float>&, const StopRule&,
                                           bool, std::vector<double>&);
template SolveResult minimise_with_samples(const WeightedRows<double>&, const LinearModelShape&, double,
                                           const std::vector<double>&, RowObjective<double>&, const StopRule&,
                                           bool, std::vector<double>&);

}  // namespace maas
