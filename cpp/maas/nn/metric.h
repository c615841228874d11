// Running metrics: what batches add, and the value at the end.
#pragma once

#include <string_view>

#include "maas/nn/batch_matrix.h"
#include "maas/nn/loss.h"

namespace maas {

// Those that need no more than sums over rows. Rows are not weighted, as in Keras.
enum class MetricKind {
  kLoss,                  // any loss
  kRootMeanSquaredError,  // of all values
  kBinaryAccuracy,        // threshold 0.5, mean over columns
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kTopKCategoricalAccuracy,  // k = 5
  kSparseTopKCategoricalAccuracy,
};

struct MetricOptions {
  MetricKind kind = MetricKind::kLoss;
  LossOptions loss;  // of kLoss; from_logits of every kind: predictions are before the sigmoid or softmax
};

// "accuracy" follows from the loss and the columns, as in Keras. Throws InvalidArgument.
MetricOptions metric_by_name(std::string_view name, LossKind loss, size_t cols);

// The metric's value is finish_metric of what all batches added.
struct MetricSum {
  double sum = 0, count = 0;
};
template <class T>
void add_metric(const MetricOptions& options, BatchMatrix<const T> prediction, BatchMatrix<const T> target,
                MetricSum& sum);
double finish_metric(const MetricOptions& options, const MetricSum& sum);

extern template void add_metric(const MetricOptions&, BatchMatrix<const float>, BatchMatrix<const float>,
                                MetricSum&);
extern template void add_metric(const MetricOptions&, BatchMatrix<const double>, BatchMatrix<const double>,
                                MetricSum&);

}  // namespace maas
