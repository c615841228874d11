#include "maas/program/steps/post_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "maas/kernels/elementwise.h"
#include "maas/kernels/scalar_math.h"
#include "maas/kernels/softmax.h"

namespace maas {

namespace {

constexpr const char* kNames[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};

template <class T>
void softmax_zero(T* row, size_t cols) noexcept {
  const double max = *std::max_element(row, row + cols);
  double sum = 0;
  for (size_t j = 0; j < cols; ++j) {
    const double x = row[j];
    const double weight = std::fabs(x) > 1e-7 ? scalar_exp(x - max) : x * scalar_exp(-max);
    row[j] = static_cast<T>(weight);
    sum += weight;
  }
  for (size_t j = 0; j < cols; ++j) row[j] = sum == 0 ? T(0.5) : static_cast<T>(row[j] / sum);
}

// sqrt(2) · erf⁻¹(2p - 1).
double probit(double p) noexcept {
  constexpr double kA = 0.147, kPi = 3.141592653589793;
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  const double x = 2 * p - 1;
  const double log = scalar_log((1 - x) * (1 + x));
  if (std::isinf(log)) return std::copysign(log, x);
  const double v = 2 / (kPi * kA) + 0.5 * log;
  const double root = std::sqrt(std::sqrt(v * v - log / kA) - v);
  return std::copysign(1.4142135623730951 * root, x);
}

}  // namespace

PostTransform read_post_transform(const NodeView& view) {
  const std::string name = view.get_string("post_transform", "NONE");
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) {
    view.fail("expected post_transform to be NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, got '" + name +
              "'");
  }
  return static_cast<PostTransform>(found - kNames);
}

const char* post_transform_name(PostTransform transform) { return kNames[static_cast<int>(transform)]; }

template <class T>
void transform_scores(PostTransform transform, T* scores, size_t rows, size_t cols) noexcept {
  const size_t count = rows * cols;
  switch (transform) {
    case PostTransform::kNone: break;
    case PostTransform::kSoftmax: map_rows(RowOp::kSoftmax, scores, rows, cols, cols, scores, cols); break;
    case PostTransform::kLogistic:
      map_arrays(MapOp::kSigmoid, count, scores, static_cast<const T*>(nullptr), scores);
      break;
    case PostTransform::kSoftmaxZero:
      for (size_t i = 0; i < rows; ++i) softmax_zero(scores + i * cols, cols);
      break;
    case PostTransform::kProbit:
      for (size_t i = 0; i < count; ++i) scores[i] = static_cast<T>(probit(static_cast<double>(scores[i])));
      break;
  }
}

template void transform_scores(PostTransform, float*, size_t, size_t) noexcept;
template void transform_scores(PostTransform, double*, size_t, size_t) noexcept;

}  // namespace maas
