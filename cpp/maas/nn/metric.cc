#include "maas/nn/metric.h"

#include <cmath>
#include <string>

#include "maas/base/error.h"
#include "maas/kernels/class_hits.h"

namespace maas {

namespace {

constexpr size_t kTopK = 5;  // Keras's default

struct MetricName {
  std::string_view name;
  MetricKind kind;
};

constexpr MetricName kNames[] = {
    {"root_mean_squared_error", MetricKind::kRootMeanSquaredError},
    {"binary_accuracy", MetricKind::kBinaryAccuracy},
    {"categorical_accuracy", MetricKind::kCategoricalAccuracy},
    {"sparse_categorical_accuracy", MetricKind::kSparseCategoricalAccuracy},
    {"top_k_categorical_accuracy", MetricKind::kTopKCategoricalAccuracy},
    {"sparse_top_k_categorical_accuracy", MetricKind::kSparseTopKCategoricalAccuracy},
};

MetricKind accuracy_of(LossKind loss, size_t cols) {
  if (cols == 1) return MetricKind::kBinaryAccuracy;
  return loss == LossKind::kSparseCategoricalCrossentropy ? MetricKind::kSparseCategoricalAccuracy
                                                          : MetricKind::kCategoricalAccuracy;
}

template <class T>
double count_hits(MetricKind kind, const HitRows<T>& rows, bool logits) {
  switch (kind) {
    case MetricKind::kCategoricalAccuracy:
    case MetricKind::kSparseCategoricalAccuracy: return static_cast<double>(count_class_hits(rows));
    case MetricKind::kTopKCategoricalAccuracy:
    case MetricKind::kSparseTopKCategoricalAccuracy: return static_cast<double>(count_top_hits(rows, kTopK));
    default:  // kBinaryAccuracy
      return static_cast<double>(count_binary_hits(rows, logits ? T(0) : T(0.5))) /
             static_cast<double>(rows.cols);
  }
}

}  // namespace

MetricOptions metric_by_name(std::string_view name, LossKind loss, size_t cols) {
  MetricOptions out;
  if (name == "accuracy" || name == "acc") {
    out.kind = accuracy_of(loss, cols);
    return out;
  }
  for (const MetricName& known : kNames) {
    if (known.name == name) {
      out.kind = known.kind;
      return out;
    }
  }
  try {
    out.loss.kind = loss_by_name(name);
  } catch (const Error&) {
    std::string known = "accuracy";
    for (const MetricName& metric : kNames) known += ", " + std::string(metric.name);
    throw_invalid("metrics", "expected a loss or one of " + known + ", got \"" + std::string(name) + "\"");
  }
  return out;
}

template <class T>
void add_metric(const MetricOptions& options, BatchMatrix<const T> prediction, BatchMatrix<const T> target,
                MetricSum& sum) {
  const double rows = static_cast<double>(prediction.rows);
  if (options.kind == MetricKind::kLoss || options.kind == MetricKind::kRootMeanSquaredError) {
    LossOptions loss = options.loss;
    if (options.kind == MetricKind::kRootMeanSquaredError) loss = {};
    const LossBatch<T> batch = {prediction, target, nullptr, {}};
    sum.sum += compute_loss(loss, batch).loss;
    sum.count += rows;
    return;
  }
  HitRows<T> hits;
  hits.rows = prediction.rows;
  hits.cols = prediction.cols;
  hits.ld = prediction.ld();
  hits.target_ld = target.ld();
  hits.prediction = prediction.data;
  hits.target = target.data;
  hits.sparse = options.kind == MetricKind::kSparseCategoricalAccuracy ||
                options.kind == MetricKind::kSparseTopKCategoricalAccuracy;
  sum.sum += count_hits(options.kind, hits, options.loss.from_logits);
  sum.count += rows;
}

double finish_metric(const MetricOptions& options, const MetricSum& sum) {
  const double mean = sum.sum / sum.count;
  return options.kind == MetricKind::kRootMeanSquaredError ? std::sqrt(mean) : mean;
}

template void add_metric(const MetricOptions&, BatchMatrix<const float>, BatchMatrix<const float>,
                         MetricSum&);
template void add_metric(const MetricOptions&, BatchMatrix<const double>, BatchMatrix<const double>,
                         MetricSum&);

}  // namespace maas
