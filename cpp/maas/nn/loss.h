// Losses of a batch: sums in double, by the order of the rows alone.
#pragma once

#include <cstddef>
#include <string_view>

#include "maas/kernels/network_loss.h"
#include "maas/nn/batch_matrix.h"

namespace maas {

struct LossOptions {
  LossKind kind = LossKind::kMeanSquaredError;
  // Predictions are before the sigmoid or softmax (of kPoisson: the exponential); a network ending in a
  // sigmoid or softmax gives those.
  bool from_logits = false;
  double label_smoothing = 0;
  double delta = 1;             // Huber
  double scale = 1;             // every row's loss times this (0.5: scikit-learn's squared loss)
  double gradient_scale = 1;    // gradients times this, not losses: scikit-learn's of several targets
  bool mean_by_weight = false;  // divide by the sum of weights, as scikit-learn; else by the number of rows
};

// "mse", "mean_squared_error", ... Throws InvalidArgument naming the kinds there are.
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

extern template LossSum compute_loss(const LossOptions&, const LossBatch<float>&);
extern template LossSum compute_loss(const LossOptions&, const LossBatch<double>&);

}  // namespace maas
