// Losses of networks over rows of predictions: value and derivative in one pass.
#pragma once

#include <cstddef>

namespace maas {

// As Keras 3 defines them; a row's loss is the mean over its columns, for the categorical ones and the
// divergence their sum.
enum class LossKind {
  kMeanSquaredError,
  kMeanAbsoluteError,
  kHuber,
  kBinaryCrossentropy,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,  // one class number a row, as a T
  kHinge,                          // targets -1 and 1, or 0 and 1: 0 counts as -1
  kSquaredHinge,
  kPoisson,
  kKlDivergence,
};

// Whether a row's terms are added up, not averaged over the columns.
constexpr bool sums_columns(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy ||
         kind == LossKind::kKlDivergence;
}

// Rows of `prediction` and `gradient` are `ld` values apart, those of `target` target_ld; each begins on 64
// bytes and may be read (of the gradient: written) to a whole number of 64 bytes.
template <class T>
struct LossRows {
  LossKind kind = LossKind::kMeanSquaredError;
  // Of the cross-entropies, else probabilities are clipped to [1e-7, 1 - 1e-7]; of kPoisson: logs of rates.
  bool from_logits = false;
  T label_smoothing = 0, delta = 1;
  size_t rows = 0, cols = 1, ld = 0, target_ld = 0;
  const T* prediction = nullptr;
  const T* target = nullptr;
  const T* weight = nullptr;  // one a row, or null: all 1
  T* gradient = nullptr;      // null: not wanted
  T gradient_scale = 1;       // derivatives are multiplied by this and by the row's weight
};

// Σ over rows of weight × Σ over columns of the terms, in an order given by rows and cols: up to
// 16 columns, row i goes to double i mod 16 and those meet in a tree; above, rows follow one another and each
// is summed as kernels/sum-inl.h says. One thread. A class number that is none of [0, cols) makes it NaN.
double sum_loss(const LossRows<float>& rows);
double sum_loss(const LossRows<double>& rows);

}  // namespace maas
