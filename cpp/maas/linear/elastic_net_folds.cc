#include "maas/linear/elastic_net_folds.h"

#include <algorithm>

#include "maas/base/thread_pool.h"

namespace maas {
namespace {

ElasticNetSolution solve(const ElasticNetProblem& problem, size_t target, const ElasticNetOptions& options,
                         const std::vector<double>& alphas, const std::vector<double>& start) {
  const size_t d = problem.features(), count = alphas.size();
  ElasticNetSolution out;
  out.coef.resize(count * d);
  problem.path(target, options, alphas, start, [&](const PathPoint& point) {
    std::copy(point.coef, point.coef + d, &out.coef[point.index * d]);
    out.intercept.push_back(point.intercept);
    out.gap.push_back(point.gap);
    out.iterations.push_back(point.iterations);
    out.converged.push_back(point.converged);
  });
  return out;
}

// Runs fn(task, options) on the pool; only the calling thread may ask for interrupts.
template <class Fn>
void for_paths(size_t tasks, const ElasticNetOptions& options, Fn&& fn) {
  if (tasks == 1) return fn(0, options);
  parallel_for(tasks, [&](size_t task, int worker) {
    ElasticNetOptions own = options;
    own.poll = worker == 0;
    fn(task, own);
  });
}

}  // namespace

std::vector<double> FoldPlan::weights(size_t k, bool train, const std::vector<double>& row_weights) const {
  std::vector<double> out = row_weights;
  for (size_t i = 0; i < out.size(); ++i) {
    if (partition()) {
      const bool tested = fold_of_row[i] == static_cast<int32_t>(k);
      out[i] *= tested == train ? 0.0 : 1.0;
    } else {
      out[i] *= (train ? splits[k].train : splits[k].test)[i];
    }
  }
  return out;
}

std::vector<ElasticNetSolution> solve_targets(const ElasticNetProblem& problem,
                                              const ElasticNetOptions& options,
                                              const std::vector<double>& alphas,
                                              const std::vector<double>& start) {
  const size_t d = problem.features();
  std::vector<ElasticNetSolution> out(problem.targets());
  for_paths(out.size(), options, [&](size_t k, const ElasticNetOptions& own) {
    const auto at = start.begin() + static_cast<ptrdiff_t>(start.empty() ? 0 : k * d);
    const std::vector<double> from(at, at + static_cast<ptrdiff_t>(start.empty() ? 0 : d));
    out[k] = solve(problem, k, own, alphas, from);
  });
  return out;
}

std::vector<ElasticNetSolution> solve_folds(const ElasticNetFolds& folds, const ElasticNetOptions& options,
                                            const std::vector<double>& alphas) {
  const size_t targets = folds.training(0).targets();
  std::vector<ElasticNetSolution> out(folds.folds() * targets);
  for_paths(out.size(), options, [&](size_t task, const ElasticNetOptions& own) {
    out[task] = solve(folds.training(task / targets), task % targets, own, alphas, {});
  });
  return out;
}

std::vector<PathErrors> fold_errors(const ElasticNetFolds& folds, const ElasticNetOptions& options,
                                    const std::vector<double>& l1_ratio,
                                    const std::vector<std::vector<double>>& alphas) {
  std::vector<PathErrors> out(l1_ratio.size() * folds.folds());
  for_paths(out.size(), options, [&](size_t task, ElasticNetOptions own) {
    const size_t ratio = task / folds.folds();
    own.l1_ratio = l1_ratio[ratio];
    out[task] = folds.errors(task % folds.folds(), own, alphas[ratio]);
  });
  return out;
}

}  // namespace maas
