#include "maas/nn/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/nn/evaluation.h"

namespace maas {

namespace {

// What a block of gradient() may take: enough rows for products at full speed, and no more than fits in the
// second-level cache of large machines.
constexpr size_t kBlockBytes = size_t{4} << 20;
constexpr size_t kLeastRows = 64, kMostRows = 4096;

// Whether the loss is that of the closing activation, so that both are one from the logits.
bool takes_over(LossKind loss, Closing closing) {
  switch (loss) {
    case LossKind::kBinaryCrossentropy: return closing == Closing::kSigmoid;
    case LossKind::kCategoricalCrossentropy:
    case LossKind::kSparseCategoricalCrossentropy: return closing == Closing::kSoftmax;
    default: return false;
  }
}

// Whether a metric needs what a closing activation puts out; `logits` otherwise do. Classes are ranked alike
// by both.
bool needs_closing(const MetricOptions& metric, Closing closing) {
  switch (metric.kind) {
    case MetricKind::kLoss: return metric.loss.from_logits || !takes_over(metric.loss.kind, closing);
    case MetricKind::kRootMeanSquaredError: return true;
    default: return false;
  }
}

// Columns of the targets that a metric reads for predictions of `cols`.
size_t metric_cols(const MetricOptions& metric, size_t cols) {
  switch (metric.kind) {
    case MetricKind::kLoss: return target_cols(metric.loss.kind, cols);
    case MetricKind::kSparseCategoricalAccuracy:
    case MetricKind::kSparseTopKCategoricalAccuracy: return 1;
    default: return cols;
  }
}

template <class T>
BatchMatrix<const T> read_only(BatchMatrix<T> batch) {
  return {batch.data, batch.rows, batch.cols};
}

// What passes in training mode do to moving averages is undone at the end, also by an interrupt.
template <class T>
class KeepAverages {
 public:
  explicit KeepAverages(Network<T>& network) : network_(network) { network.save_averages(); }
  ~KeepAverages() { network_.restore_averages(); }
  KeepAverages(const KeepAverages&) = delete;
  KeepAverages& operator=(const KeepAverages&) = delete;

 private:
  Network<T>& network_;
};

template <class T>
std::vector<OptimizerSegment> segments(const Network<T>& network) {
  std::vector<OptimizerSegment> all;
  for (size_t i = 0; i < network.parameters().size(); ++i) {
    const ParameterSpec& spec = network.parameters()[i];
    if (!spec.trainable) continue;
    all.push_back(
        {network.offset(i), stored_values<T>(spec), spec.l1, spec.l2, spec.decays, padded_rows<T>(spec)});
  }
  return all;
}

void check_rows(const TrainingRows& rows, size_t features, size_t targets) {
  const auto expect = [](const char* what, size_t expected, size_t got) {
    if (expected == got) return;
    throw_invalid("Trainer", std::string("expected ") + std::to_string(expected) + " " + what + ", got " +
                                 std::to_string(got));
  };
  expect("values in a row of x", features, rows.x.cols);
  expect("values in a row of y", targets, rows.y.cols);
  expect("rows of y", rows.x.rows, rows.y.rows);
  if (rows.weight) expect("weights", rows.x.rows, rows.weight.size);
}

}  // namespace

template <class T>
Trainer<T>::Trainer(Graph graph, const std::vector<ParameterOptions>& parameters, LossOptions loss,
                    std::vector<MetricOptions> metrics, OptimizerOptions optimizer, uint64_t seed,
                    bool penalty_per_row)
    : network_(std::move(graph), parameters, optimizer_slots(optimizer).size()),
      optimizer_(optimizer, segments(network_), network_.values(), network_.gradients(), network_.slots(),
                 network_.trained_values()),
      loss_(loss),
      logits_(!loss.from_logits && takes_over(loss.kind, network_.closing())),
      metrics_(std::move(metrics)),
      seed_(seed),
      penalty_per_row_(penalty_per_row),
      target_cols_(target_cols(loss.kind, network_.output_values())) {
  if (logits_) loss_.from_logits = true;
  for (MetricOptions& metric : metrics_) {
    if (metric_cols(metric, network_.output_values()) != target_cols_) {
      throw_invalid("metrics", "expected metrics of targets as the loss has them: class numbers or not");
    }
    closed_.push_back(!logits_ || needs_closing(metric, network_.closing()));
    if (!closed_.back()) metric.loss.from_logits = true;
  }
  closes_ = logits_ && std::find(closed_.begin(), closed_.end(), true) != closed_.end();
  optimizer_.reset();
}

template <class T>
void Trainer<T>::reserve(const TrainingRows& rows, size_t samples) {
  check_rows(rows, network_.input_values(), target_cols_);
  network_.reserve(samples);
  if (samples > weights_.size()) {
    targets_ = AlignedBuffer<T>(samples * row_stride<T>(target_cols_));
    weights_ = AlignedBuffer<T>(samples);
  }
}

template <class T>
void Trainer<T>::take(const Batch& batch) {
  const uint32_t* order = batch.order == nullptr ? nullptr : batch.order + batch.first;
  const RowSource& x = batch.rows.x;
  if (network_.index_limit() == 0) {
    take_rows(x, order, batch.first, network_.input(batch.size));
  } else {
    int64_t* indices = network_.indices();
    take_indices(x, order, batch.first, batch.size, indices);
    const auto limit = static_cast<int64_t>(network_.index_limit());
    const auto bad = std::find_if(indices, indices + batch.size * x.cols,
                                  [limit](int64_t index) { return index < 0 || index >= limit; });
    if (bad != indices + batch.size * x.cols) {
      throw_invalid("Trainer", "expected indices from 0 to " + std::to_string(limit - 1) + ", got " +
                                   std::to_string(*bad));
    }
  }
  take_rows(batch.rows.y, order, batch.first, BatchMatrix<T>{targets_.data(), batch.size, target_cols_});
  if (!batch.rows.weight) return;
  for (size_t i = 0; i < batch.size; ++i) {
    weights_[i] = static_cast<T>(batch.rows.weight[order == nullptr ? batch.first + i : order[i]]);
  }
}

// The batch through the network, and its loss with the gradient of the output.
template <class T>
LossSum Trainer<T>::forward(const Batch& batch) {
  take(batch);
  network_.forward(batch.size, seed_, optimizer_.iterations(), logits_);
  LossBatch<T> losses;
  losses.prediction = read_only(network_.output(batch.size, logits_));
  losses.target = {targets_.data(), batch.size, target_cols_};
  losses.weight = batch.rows.weight ? weights_.data() : nullptr;
  losses.gradient = network_.output_gradient(batch.size);
  return compute_loss(loss_, losses);
}

template <class T>
void Trainer<T>::add_metrics(BatchMatrix<const T> before, BatchMatrix<const T> closed,
                             BatchMatrix<const T> target, TrainResult& result) const {
  for (size_t i = 0; i < metrics_.size(); ++i) {
    add_metric(metrics_[i], closed_[i] ? closed : before, target, result.metrics[i]);
  }
}

template <class T>
bool Trainer<T>::step(const Batch& batch, double learning_rate, TrainResult& result) {
  const HoldInterrupts whole_steps;
  network_.save_averages();
  LossSum sum = forward(batch);
  const double divisor = sum.weight == 0 ? 1 : sum.weight;
  double mean = sum.loss / divisor;
  if (std::isfinite(mean)) {
    network_.backward(batch.size, seed_, optimizer_.iterations(), logits_, false);
    const double per_row = sum.weight == 0 ? 0 : 1 / divisor;  // a batch without weight asks for nothing
    mean += optimizer_.add_penalties(penalty_per_row_ ? per_row : 1);
  }
  if (!std::isfinite(mean)) {
    network_.restore_averages();
    result.bad_step = result.steps;
    result.bad_loss = mean;
    return false;
  }
  if (closes_) network_.close(batch.size);
  add_metrics(read_only(network_.output(batch.size, logits_)), read_only(network_.output(batch.size, false)),
              {targets_.data(), batch.size, target_cols_}, result);
  optimizer_.step(learning_rate);
  if (sum.weight != 0) {
    const auto rows = static_cast<double>(batch.size);
    result.loss.loss += mean * rows;
    result.loss.weight += rows;
  }
  ++result.steps;
  return true;
}

template <class T>
TrainResult Trainer<T>::run(const TrainingRows& rows, VectorView<uint32_t> order, size_t batch_size,
                            VectorView<double> learning_rates) {
  const size_t count = order ? order.size : rows.x.rows;
  if (batch_size == 0) throw_invalid("Trainer", "expected a batch_size of at least 1, got 0");
  if (order && order.size > 1 && order.stride != 1) throw_invalid("Trainer", "expected a contiguous order");
  if (std::any_of(order.data, order.data + order.size, [&](uint32_t row) { return row >= rows.x.rows; })) {
    throw_invalid("Trainer", "expected an order of rows from 0 to " + std::to_string(rows.x.rows) + " - 1");
  }
  const size_t steps = count / batch_size + (count % batch_size != 0);
  if (learning_rates.size < steps) {
    throw_invalid("Trainer", "expected " + std::to_string(steps) + " learning rates, got " +
                                 std::to_string(learning_rates.size));
  }
  TrainResult result;
  result.metrics.resize(metrics_.size());
  reserve(rows, std::min(batch_size, count));
  for (size_t i = 0; i < steps; ++i) {
    poll_interrupt();
    const size_t first = i * batch_size;
    if (!step({rows, order.data, first, std::min(batch_size, count - first)}, learning_rates[i], result)) {
      break;
    }
  }
  return result;
}

template <class T>
LossSum Trainer<T>::gradient(const TrainingRows& rows) {
  const size_t count = rows.x.rows;
  if (count == 0) throw_invalid("Trainer", "expected at least one row, got none");
  const size_t fitting = kBlockBytes / std::max<size_t>(1, network_.sample_bytes());
  const size_t block = std::min(count, std::clamp(fitting / kLeastRows * kLeastRows, kLeastRows, kMostRows));
  reserve(rows, block);
  double total = static_cast<double>(count);
  if (loss_.mean_by_weight && rows.weight) {
    total = 0;
    for (size_t i = 0; i < count; ++i) total += rows.weight[i];
    if (total == 0) total = 1;  // and so are all gradients 0
  }
  LossSum sum;
  const KeepAverages<T> keep(network_);
  for (size_t first = 0; first < count; first += block) {
    const size_t size = std::min(block, count - first);
    const LossSum part = forward({rows, nullptr, first, size});
    const BatchMatrix<T> output = network_.output_gradient(size);
    const auto share = static_cast<T>(part.weight / total);
    for (size_t i = 0; share != 1 && i < size; ++i) {
      for (size_t j = 0; j < output.cols; ++j) output.row(i)[j] *= share;
    }
    network_.backward(size, seed_, optimizer_.iterations(), logits_, first > 0);
    sum.loss += part.loss;
    sum.weight += part.weight;
  }
  sum.loss += optimizer_.add_penalties(penalty_per_row_ ? 1 / total : 1) * sum.weight;
  return sum;
}

template <class T>
TrainResult Trainer<T>::evaluate(const TrainingRows& rows) const {
  check_rows(rows, network_.input_values(), target_cols_);
  const Graph graph = network_.current_graph();
  std::vector<std::string> values = {logits_ ? network_.before_closing() : graph.outputs[0].name};
  if (closes_) values.push_back(graph.outputs[0].name);
  Predictions<T> predictions(graph, values, network_.output_values(), rows.x);
  const size_t block = std::max<size_t>(1, predictions.block_rows());
  AlignedBuffer<T> targets(block * row_stride<T>(target_cols_)), weights(rows.weight ? block : 0);
  TrainResult result;
  result.metrics.resize(metrics_.size());
  for (size_t first = 0; first < rows.x.rows; first += block) {
    poll_interrupt();
    const size_t size = std::min(block, rows.x.rows - first);
    predictions.run(first, size);
    const BatchMatrix<T> target{targets.data(), size, target_cols_};
    take_rows(rows.y, nullptr, first, target);
    for (size_t i = 0; rows.weight && i < size; ++i) weights[i] = static_cast<T>(rows.weight[first + i]);
    const BatchMatrix<T> prediction = predictions.values(0);
    const LossSum sum = compute_loss(
        loss_,
        LossBatch<T>{read_only(prediction), read_only(target), rows.weight ? weights.data() : nullptr, {}});
    result.loss.loss += sum.loss;
    result.loss.weight += sum.weight;
    add_metrics(read_only(prediction), read_only(predictions.values(values.size() - 1)), read_only(target),
                result);
  }
  return result;
}

template <class T>
double Trainer<T>::penalty() const {
  return optimizer_.penalties();
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace maas
