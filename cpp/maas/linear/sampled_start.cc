#include "maas/linear/sampled_start.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/linear/lbfgs.h"

namespace maas {
namespace {

// Rows of the sample that a Hessian is taken from: enough for the step error sqrt(parameters / rows) to be
// small, few enough for it to cost about as much as a few passes. 0: too many columns, do without.
size_t sample_rows(size_t rows, size_t columns) {
  const size_t wanted = std::max<size_t>({4096, 40 * columns, rows / 16});
  const size_t affordable = 100 * rows / columns;
  if (affordable < 4 * columns) return 0;
  return std::min({wanted, affordable, rows});
}

// Runs L-BFGS from theta, taking the curvature anew from `source` when it has grown stale.
SolveResult solve_rounds(Objective& objective, Objective& source, CurvatureModel model, const StopRule& rule,
                         std::vector<double>& theta) {
  // Diagonal blocks cannot converge superlinearly, so there the pairs that L-BFGS gathers are worth keeping.
  const bool whole = objective.blocks() == 1;
  const size_t round = whole ? 12 : 60;
  SolveResult result;
  while (true) {
    StopRule part = rule;
    part.max_iterations = std::min(round, rule.max_iterations - result.iterations);
    LbfgsDirection direction(objective.size(), whole ? 10 : 20, &model);
    SolveResult next = minimise(objective, direction, part, theta.data());
    const size_t begin = result.loss_curve.empty() ? 0 : 1;  // a round starts where the last one ended
    result.loss_curve.insert(result.loss_curve.end(), next.loss_curve.begin() + static_cast<ptrdiff_t>(begin),
                             next.loss_curve.end());
    result.iterations += next.iterations;
    result.status = next.status;
    const bool stuck = next.iterations < part.max_iterations;
    if (next.status != SolveStatus::kMaxIterations || stuck || result.iterations == rule.max_iterations) {
      return result;
    }
    model = CurvatureModel::blocks_at(source, theta.data());
  }
}

}  // namespace

template <class T>
SolveResult minimise_with_samples(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                                  const std::vector<double>& shift, RowObjective<T>& objective,
                                  const StopRule& rule, bool cold, std::vector<double>& theta) {
  const size_t columns = objective.size() / shape.outputs;
  const size_t wanted = sample_rows(rows.x.rows, columns);
  if (wanted == 0) {
    LbfgsDirection direction(objective.size(), 10);
    return minimise(objective, direction, rule, theta.data());
  }
  // Odd strides, so that rows which alternate in some pattern of 2, 4, ... are all met.
  const size_t stride = (rows.x.rows / wanted - 1) / 2 * 2 + 1;
  if (stride == 1) {
    CurvatureModel model = CurvatureModel::blocks_at(objective, theta.data());
    return solve_rounds(objective, objective, std::move(model), rule, theta);
  }
  const WeightedRows<T> sample = rows.sample(stride);
  RowObjective<T> sampled(sample, shape, alpha, shift);
  if (!(sampled.total_weight() > 0)) {
    LbfgsDirection direction(objective.size(), 10);
    return minimise(objective, direction, rule, theta.data());
  }
  if (cold) {
    // To the accuracy that the sample itself has: its solution is off by about parameters / rows.
    StopRule rough = rule;
    rough.decrement = std::max(
        rule.decrement, 0.02 * static_cast<double>(objective.size()) / static_cast<double>(sample.x.rows));
    rough.max_iterations = 30;
    minimise_with_samples(sample, shape, alpha, shift, sampled, rough, true, theta);
  }
  CurvatureModel model = CurvatureModel::blocks_at(sampled, theta.data());
  return solve_rounds(objective, sampled, std::move(model), rule, theta);
}

template SolveResult minimise_with_samples(const WeightedRows<float>&, const LinearModelShape&, double,
                                           const std::vector<double>&, RowObjective<float>&, const StopRule&,
                                           bool, std::vector<double>&);
template SolveResult minimise_with_samples(const WeightedRows<double>&, const LinearModelShape&, double,
                                           const std::vector<double>&, RowObjective<double>&, const StopRule&,
                                           bool, std::vector<double>&);

}  // namespace maas
