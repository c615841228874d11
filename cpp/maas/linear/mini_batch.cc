#include "maas/linear/mini_batch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/linear/descent_step.h"
#include "maas/linear/row_order.h"
#include "maas/linear/vector_math.h"

namespace maas {

namespace {

// Rows in an epoch's order, copied side by side so that a batch is an ordinary block of rows.
template <class T>
class BatchRows {
 public:
  BatchRows(const WeightedRows<T>& rows, size_t batch_rows)
      : rows_(rows), x_(batch_rows * rows.x.cols), y_(batch_rows), weight_(rows.weight ? batch_rows : 0) {}

  WeightedRows<T> gather(const uint32_t* order, size_t count) {
    const size_t cols = rows_.x.cols;
    for (size_t i = 0; i < count; ++i) {
      const T* row = rows_.x.at(order[i], 0);
      T* out = x_.data() + i * cols;
      if (rows_.x.col_stride == 1) {
        std::memcpy(out, row, cols * sizeof(T));
      } else {
        for (size_t j = 0; j < cols; ++j) out[j] = rows_.x(order[i], j);
      }
      y_[i] = rows_.y[order[i]];
      if (rows_.weight) weight_[i] = rows_.weight[order[i]];
    }
    WeightedRows<T> batch{
        {x_.data(), count, cols, static_cast<ptrdiff_t>(cols), 1}, {y_.data(), count, 1}, {}};
    if (rows_.weight) batch.weight = {weight_.data(), count, 1};
    return batch;
  }

 private:
  WeightedRows<T> rows_;
  AlignedBuffer<T> x_, y_, weight_;
};

template <class T>
double total_weight(const WeightedRows<T>& rows) {
  if (!rows.weight) return static_cast<double>(rows.x.rows);
  double total = 0;
  for (size_t i = 0; i < rows.x.rows; ++i) total += static_cast<double>(rows.weight[i]);
  return total;
}

// Between coef then intercept, as callers have them, and one weight a column then the intercept, for each
// output, as RowObjective has them.
std::vector<double> to_theta(const std::vector<double>& start, size_t cols, const LinearModelShape& shape) {
  const size_t stride = cols + (shape.intercept ? 1 : 0);
  std::vector<double> theta(shape.outputs * stride, 0.0);
  for (size_t o = 0; o < shape.outputs && !start.empty(); ++o) {
    std::copy_n(start.data() + o * cols, cols, theta.data() + o * stride);
    if (shape.intercept) theta[o * stride + cols] = start[shape.outputs * cols + o];
  }
  return theta;
}

void from_theta(const std::vector<double>& theta, size_t cols, const LinearModelShape& shape,
                FitResult& result) {
  const size_t stride = cols + (shape.intercept ? 1 : 0);
  result.coef.resize(shape.outputs * cols);
  result.intercept.assign(shape.outputs, 0.0);
  for (size_t o = 0; o < shape.outputs; ++o) {
    std::copy_n(theta.data() + o * stride, cols, result.coef.data() + o * cols);
    if (shape.intercept) result.intercept[o] = theta[o * stride + cols];
  }
}

template <class T>
class MiniBatchFit {
 public:
  MiniBatchFit(const WeightedRows<T>& rows, const MiniBatchOptions& options, const std::vector<double>& start)
      : rows_(rows),
        options_(options),
        batch_rows_(std::clamp<size_t>(options.batch_rows, 1, rows.x.rows)),
        batches_(rows, batch_rows_),
        alpha_(options.l2 / total_weight(rows)),
        theta_(to_theta(start, rows.x.cols, options.shape)),
        last_finite_(theta_),
        gradient_(theta_.size()),
        rule_(options.descent, theta_.size()),
        eta_(options.schedule.eta0),
        order_(rows.x.rows) {}

  FitResult run() {
    double best = std::numeric_limits<double>::infinity();
    size_t without_progress = 0;
    while (result_.iterations < options_.max_epochs) {
      const double value = epoch();
      ++result_.iterations;
      if (result_.status == SolveStatus::kDiverged) break;
      result_.loss_curve.push_back(value);
      without_progress = value > best - options_.tolerance ? without_progress + 1 : 0;
      best = std::min(best, value);
      if (without_progress < options_.patience) continue;
      if (options_.schedule.kind != Schedule::Kind::kAdaptive || eta_ <= 1e-6) {
        result_.status = SolveStatus::kConverged;
        break;
      }
      eta_ /= 5;
      without_progress = 0;
    }
    from_theta(last_finite_, rows_.x.cols, options_.shape, result_);
    return result_;
  }

 private:
  // One step a batch; returns the mean of the batches' objectives, each taken before its step.
  double epoch() {
    make_order();
    double sum = 0, weights = 0;
    for (size_t begin = 0; begin < order_.size(); begin += batch_rows_) {
      poll_interrupt();
      const size_t count = std::min(batch_rows_, order_.size() - begin);
      RowObjective<T> batch(batches_.gather(order_.data() + begin, count), options_.shape, alpha_, {});
      if (batch.total_weight() <= 0) continue;  // nothing but rows that do not count
      const double value = batch.value_and_gradient(theta_.data(), gradient_.data());
      if (!std::isfinite(value) || !std::isfinite(dot(gradient_, gradient_))) {
        result_.status = SolveStatus::kDiverged;
        break;
      }
      last_finite_ = theta_;
      sum += value * batch.total_weight();
      weights += batch.total_weight();
      double eta = 0;
      options_.schedule.rates(steps_ += 1, 1, eta_, &eta);
      rule_.step(gradient_, eta, theta_);
    }
    if (std::isfinite(dot(theta_, theta_)) && result_.status != SolveStatus::kDiverged) last_finite_ = theta_;
    return sum / weights;
  }

  void make_order() {
    if (options_.shuffle) {
      shuffle_rows(order_.size(), rows_.x.cols, options_.seed, result_.iterations, order_.data());
    } else {
      std::iota(order_.begin(), order_.end(), 0u);
    }
  }

  const WeightedRows<T>& rows_;
  const MiniBatchOptions& options_;
  size_t batch_rows_;
  BatchRows<T> batches_;
  double alpha_;
  std::vector<double> theta_, last_finite_, gradient_;
  DescentStep rule_;
  double eta_;        // of the adaptive schedule
  double steps_ = 0;  // taken so far
  std::vector<uint32_t> order_;
  FitResult result_;
};

}  // namespace

template <class T>
FitResult fit_mini_batch(const WeightedRows<T>& rows, const MiniBatchOptions& options,
                         const std::vector<double>& start) {
  if (rows.x.rows > std::numeric_limits<uint32_t>::max()) {
    throw_invalid("mini_batch", "expected fewer than 2^32 rows");
  }
  if (options.schedule.kind == Schedule::Kind::kOptimal) {
    throw_invalid("mini_batch", "expected a learning rate other than 'optimal'");
  }
  return MiniBatchFit<T>(rows, options, start).run();
}

template FitResult fit_mini_batch(const WeightedRows<float>&, const MiniBatchOptions&,
                                  const std::vector<double>&);
template FitResult fit_mini_batch(const WeightedRows<double>&, const MiniBatchOptions&,
                                  const std::vector<double>&);

}  // namespace maas
