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
  LossSum loss;  // penalties included, each batch's times its weight
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
  // Loss, penalties included, and its gradient over all rows, left in network().
  LossSum gradient(const TrainingRows& rows);
  // Loss and metrics in inference mode, by the Program of the present graph; no penalties.
  TrainResult evaluate(const TrainingRows& rows) const;
  double penalty() const;  // of the present weights

  Network<T>& network() { return network_; }
  Optimizer<T>& optimizer() { return optimizer_; }

 private:
  Network<T> network_;
  Optimizer<T> optimizer_;
  LossOptions loss_;
  std::vector<MetricOptions> metrics_;
  uint64_t seed_;
  bool penalty_per_row_;
};

extern template class Trainer<float>;
extern template class Trainer<double>;

}  // namespace maas
