// Training: batches through a network, a loss and an optimizer. An epoch is one call.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "maas/base/view.h"
#include "maas/nn/loss.h"
#include "maas/nn/metric.h"
#include "maas/nn/network.h"
#include "maas/nn/optimizer.h"
#include "maas/nn/row_source.h"

namespace maas {

struct TrainingRows {
  RowSource x, y;
  VectorView<double> weight;  // no data: every row counts 1
};

struct TrainResult {
  LossSum loss;  // penalties included; of a run each batch's times its rows, whatever they weigh
  std::vector<MetricSum> metrics;
  size_t steps = 0;  // done
  // The step (from 0, of this call) whose loss was NaN or infinite; training stopped before it changed
  // anything.
  size_t bad_step = kNone;
  double bad_loss = 0;

  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
};

// One thread at a time.
template <class T>
class Trainer {
 public:
  Trainer(Graph graph, const std::vector<ParameterOptions>& parameters, LossOptions loss,
          std::vector<MetricOptions> metrics, OptimizerOptions optimizer, uint64_t seed,
          bool penalty_per_row);  // penalties are divided by the batch's rows (or weight), as scikit-learn's

  // One step for each `batch_size` of the rows listed in `order` (no data: all, in sequence), the last batch
  // may be smaller; learning_rates has one a step. Loss and metrics are those before each step. Throws
  // Interrupted between steps: the weights are then those of the last whole step.
  TrainResult run(const TrainingRows& rows, VectorView<uint32_t> order, size_t batch_size,
                  VectorView<double> learning_rates);
  // Loss, penalties included, and its gradient over all rows, left in network(). Many rows are taken in
  // blocks, whose size depends on the network alone; batch normalisation is of each block, and its moving
  // averages stay. Dropout is that of the next step.
  LossSum gradient(const TrainingRows& rows);
  // Loss and metrics in inference mode, by the Program of the present graph; no penalties.
  TrainResult evaluate(const TrainingRows& rows) const;
  double penalty() const;  // of the present weights, not divided

  Network<T>& network() { return network_; }
  Optimizer<T>& optimizer() { return optimizer_; }
  const std::vector<MetricOptions>& metrics() const { return metrics_; }

 private:
  struct Batch {
    const TrainingRows& rows;
    const uint32_t* order;  // of all rows of the call; null: in sequence
    size_t first, size;
  };
  void reserve(const TrainingRows& rows, size_t samples);
  void take(const Batch& batch);
  LossSum forward(const Batch& batch);
  bool step(const Batch& batch, double learning_rate, TrainResult& result);
  void add_metrics(BatchMatrix<const T> before, BatchMatrix<const T> closed, BatchMatrix<const T> target,
                   TrainResult& result) const;  // before and after the closing activation

  Network<T> network_;
  Optimizer<T> optimizer_;
  LossOptions loss_;  // from logits, where the network's closing activation is left to it
  bool logits_;
  std::vector<MetricOptions> metrics_;
  std::vector<bool> closed_;  // by metric: of the closing activation's output
  bool closes_ = false;       // it has to be computed
  uint64_t seed_;
  bool penalty_per_row_;
  size_t target_cols_;
  AlignedBuffer<T> targets_, weights_;
};

extern template class Trainer<float>;
extern template class Trainer<double>;

}  // namespace maas
