// Losses and running metrics of a batch: sums in double, by the order of the rows alone.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "maas/nn/batch_matrix.h"

namespace maas {

// As Keras 3 defines them; a row's loss is the mean over its columns, for the categorical ones their sum.
enum class LossKind {
  kMeanSquaredError,
  kMeanAbsoluteError,
  kHuber,
  kBinaryCrossentropy,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,  // one class number a row, as a T
  kHinge,                          // targets -1 and 1, or 0 and 1
  kSquaredHinge,
  kPoisson,
  kKlDivergence,
};

struct LossOptions {
  LossKind kind = LossKind::kMeanSquaredError;
  bool from_logits =
      false;  // predictions are before the sigmoid or softmax; a network ending in one gives those
  double label_smoothing = 0;
  double delta = 1;             // Huber
  double scale = 1;             // every row's loss times this (0.5: scikit-learn's squared loss)
  bool mean_by_weight = false;  // divide by the sum of weights, as scikit-learn; else by the number of rows
};

// Throws InvalidArgument naming the kinds there are: "mse", "mean_squared_error", ...
LossKind loss_by_name(std::string_view name);
// Columns of a target for predictions of `cols` columns: 1 for class numbers.
size_t target_cols(LossKind kind, size_t cols);

template <class T>
struct LossBatch {
  BatchMatrix<const T> prediction;
  BatchMatrix<const T> target;
  const T* weight = nullptr;  // one a row, or null
  BatchMatrix<T> gradient;    // of the mean loss with respect to the prediction; no data: not wanted
};

struct LossSum {
  double loss = 0;    // sum over rows of weight × row's loss
  double weight = 0;  // what it is divided by for the mean
};

// Target class numbers must be integers in [0, cols); elsewhere `loss` is NaN (callers check labels first).
template <class T>
LossSum compute_loss(const LossOptions& options, const LossBatch<T>& batch);

// Metrics that need no more than sums over rows.
enum class MetricKind {
  kLoss,  // any loss, unweighted, from probabilities
  kRootMeanSquaredError,
  kBinaryAccuracy,  // threshold 0.5, mean over columns
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kTopKCategoricalAccuracy,  // k = 5
  kSparseTopKCategoricalAccuracy,
};

struct MetricOptions {
  MetricKind kind = MetricKind::kLoss;
  LossOptions loss;  // of kLoss
};

// "accuracy" follows from the loss and the columns, as in Keras. Throws InvalidArgument.
MetricOptions metric_by_name(std::string_view name, LossKind loss, size_t cols);

// Adds a batch: sum and count. The metric's value is finish_metric of both.
struct MetricSum {
  double sum = 0, count = 0;
};
template <class T>
void add_metric(const MetricOptions& options, BatchMatrix<const T> prediction, BatchMatrix<const T> target,
                MetricSum& sum);
double finish_metric(const MetricOptions& options, const MetricSum& sum);

}  // namespace maas
