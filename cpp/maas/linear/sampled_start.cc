#include "maas/linear/sampled_start.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/linear/lbfgs.h"

namespace maas {
namespace {

// Rows of the sample that a Hessian is taken from: enough for the step error sqrt(parameters / rows) to be
// small, few enough for the Hessian and its factors to cost about 16 passes at most, or next to nothing. 0:
// too many columns for the rows, do without.
size_t sample_rows(size_t rows, size_t columns, size_t outputs) {
  const size_t wanted = std::max<size_t>({4096, 40 * columns, rows / 32});
  const size_t work = std::max(64 * rows * columns, (size_t{1} << 24) / outputs);
  const size_t factor_work = columns * columns * columns / 3;
  const size_t affordable = work > factor_work ? (work - factor_work) / (columns * columns) : 0;
  return affordable < std::min(rows, 4 * columns) ? 0 : std::min({wanted, affordable, rows});
}

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

// Every stride-th row, copied so that the passes over the sample read memory in order.
template <class T>
class Sample {
 public:
  Sample(const WeightedRows<T>& rows, size_t stride) : rows_(rows.sample(stride)) {
    const MatrixView<T> x = rows_.x;
    copy_ = AlignedBuffer<T>(x.rows * x.cols);
    const Shards shards = make_shards(x.rows, 64);
    parallel_for(shards.count(), [&](size_t shard, int) {
      for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
        prefetch_row(x, i + 16);
        for (size_t j = 0; j < x.cols; ++j) copy_[i * x.cols + j] = x(i, j);
      }
    });
    rows_.x = {copy_.data(), x.rows, x.cols, static_cast<ptrdiff_t>(x.cols), 1};
  }
  const WeightedRows<T>& rows() const { return rows_; }

 private:
  // Rows far apart are beyond what the hardware foresees.
  static void prefetch_row(const MatrixView<T>& x, size_t i) {
    if (i >= x.rows || x.col_stride != 1) return;
    for (size_t j = 0; j < x.cols; j += 64 / sizeof(T)) __builtin_prefetch(x.at(i, j));
  }

  WeightedRows<T> rows_;
  AlignedBuffer<T> copy_;
};

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
  // Odd strides, so that rows which alternate in some pattern of 2, 4, ... are all met.
  const size_t stride = (rows.x.rows / wanted - 1) / 2 * 2 + 1;
  // A first round costs about as much in steps as its curvature does.
  const size_t round = std::clamp<size_t>(columns / 8, 1, 6);
  if (stride == 1) return solve_rounds(objective, objective, rule, round, theta);
  const Sample<T> sample(rows, stride);
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
