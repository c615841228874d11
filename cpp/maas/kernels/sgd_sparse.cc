#include "maas/kernels/sgd_sparse.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/sgd_sparse.cc"
#include <algorithm>
#include <cmath>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/csr.h"
#include "maas/kernels/sgd_step-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using namespace sgd;

constexpr double kInterceptDecay = 0.01;  // scikit-learn's SPARSE_INTERCEPT_DECAY

template <class T>
struct SparseRow {
  const T* values;
  const int32_t* columns;
  size_t count;

  double square() const {
    double sum = 0;
    for (size_t k = 0; k < count; ++k) sum += static_cast<double>(values[k]) * static_cast<double>(values[k]);
    return sum;
  }
};

template <class T>
HWY_INLINE void sparse_average_step(const SgdRules& rules, SgdState& s, double change,
                                    const SparseRow<T>& x) {
  if (rules.average_from <= 0 || s.step < rules.average_from) return;
  const double samples = s.step - rules.average_from + 1;
  const double mu = 1.0 / samples;
  csr_add(-s.average_a * change, x.values, x.columns, x.count, s.average.data());
  if (samples > 1) s.average_b /= 1.0 - mu;
  s.average_a += mu * s.average_b * s.scale;
  s.average_intercept += (s.intercept - s.average_intercept) / samples;
}

// Weight j moves towards zero by the L1 penalty that it should have received and has not, never across.
HWY_INLINE void truncate(SgdState& s, size_t j) {
  const double w = s.weights[j];
  if (w == 0) return;
  double& received = s.truncated[j];
  const double moved = w > 0 ? std::max(0.0, w - (s.total_l1 + received) / s.scale)
                             : std::min(0.0, w + (s.total_l1 - received) / s.scale);
  received += s.scale * (moved - w);
  s.weights[j] = moved;
}

// Truncates the row's weights and keeps the norms.
template <class T>
HWY_INLINE void truncate_row(SgdState& s, const SparseRow<T>& x) {
  for (size_t k = 0; k < x.count; ++k) {
    const auto j = static_cast<size_t>(x.columns[k]);
    const double before = s.weights[j];
    truncate(s, j);
    s.square_norm += s.weights[j] * s.weights[j] - before * before;
    s.l1_norm += std::abs(s.weights[j]) - std::abs(before);
  }
}

// weights += change * x, and the sum of absolute weights with them.
template <class T>
HWY_INLINE void add_row(SgdState& s, double change, const SparseRow<T>& x, bool truncates) {
  double* const w = s.weights.data();
  if (!truncates) {
    csr_add(change, x.values, x.columns, x.count, w);
    return;
  }
  for (size_t k = 0; k < x.count; ++k) {
    double& weight = w[x.columns[k]];
    const double before = std::abs(weight);
    weight += change * static_cast<double>(x.values[k]);
    s.l1_norm += std::abs(weight) - before;
  }
}

template <class Loss, class T>
HWY_INLINE double learn_row(const Loss& loss, const SgdRules& rules, const SparseSgdRows<T>& rows, size_t i,
                            SgdState& s, SgdSums& sums) {
  const bool truncates = s.truncated.size() > 0;
  const size_t row = rows.order[i];
  const auto begin = static_cast<size_t>(rows.x.starts[row]);
  const SparseRow<T> x = {rows.x.values + begin, rows.x.columns + begin,
                          static_cast<size_t>(rows.x.starts[row + 1]) - begin};
  if (truncates) truncate_row(s, x);
  double own = csr_dot(x.values, x.columns, x.count, s.weights.data());
  const double square = x.square();
  const double margin = mul_add(s.scale, own, s.intercept);
  if (rules.objective) sums.penalty += penalty(rules, s);
  double update = step_length(loss, rules, margin, rows.y[i], rows.eta[i], square, sums.clipped);
  if (rows.weight != nullptr) update *= rows.weight[i];

  s.scale *= std::max(0.0, 1.0 - rules.alpha * rows.eta[i] * (1 - rules.l1_ratio));
  if (HWY_UNLIKELY(s.scale < kSmallestScale)) {
    own *= s.scale;
    reset_scale(s, sgd_padded(s.cols));
  }
  const double change = update * (1.0 / s.scale);
  s.square_norm += change * (2 * own + change * square);
  if (rules.intercept) s.intercept += kInterceptDecay * update;
  sparse_average_step(rules, s, change, x);
  if (change != 0) add_row(s, change, x, truncates);
  if (truncates) {
    s.total_l1 += rules.alpha * rows.eta[i] * rules.l1_ratio;
    truncate_row(s, x);
  }
  s.step += 1;
  return margin;
}

// The norms afresh, so that they cannot drift.
void set_norms(SgdState& s) {
  s.square_norm = dot(s.weights.data(), s.weights.data(), sgd_padded(s.cols));
  s.l1_norm = 0;
  if (s.truncated.size() == 0) return;
  for (size_t j = 0; j < s.cols; ++j) s.l1_norm += std::abs(s.weights[j]);
}

template <class Loss, class T>
SgdSums run(const Loss& loss, const SparseSgdRows<T>& rows, const SgdRules& rules, SgdState& s) {
  constexpr size_t kMost = 64;
  HWY_ALIGN double margins[kMost + kPartials] = {};
  HWY_ALIGN double targets[kMost + kPartials] = {};
  SgdSums sums;
  set_norms(s);
  for (size_t begin = 0; begin < rows.count; begin += kMost) {
    const size_t count = std::min(kMost, rows.count - begin);
    for (size_t i = 0; i < count; ++i) {
      margins[i] = learn_row(loss, rules, rows, begin + i, s, sums);
      targets[i] = rows.y[begin + i];
    }
    if (rules.objective) sums.loss += sum_losses(loss, margins, targets, count);
  }
  if (s.truncated.size() > 0) {
    for (size_t j = 0; j < s.cols; ++j) truncate(s, j);
  }
  return sums;
}

}  // namespace

SgdSums sparse_f32(const SparseSgdRows<float>& rows, const SgdRules& rules, SgdState& s) {
  return with_loss(rules, [&](const auto& loss) { return run(loss, rows, rules, s); });
}
SgdSums sparse_f64(const SparseSgdRows<double>& rows, const SgdRules& rules, SgdState& s) {
  return with_loss(rules, [&](const auto& loss) { return run(loss, rows, rules, s); });
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(sparse_f32);
HWY_EXPORT(sparse_f64);

SgdSums sgd_sparse_steps(const SparseSgdRows<float>& rows, const SgdRules& rules, SgdState& state) {
  return HWY_DYNAMIC_DISPATCH(sparse_f32)(rows, rules, state);
}
SgdSums sgd_sparse_steps(const SparseSgdRows<double>& rows, const SgdRules& rules, SgdState& state) {
  return HWY_DYNAMIC_DISPATCH(sparse_f64)(rows, rules, state);
}

template <class T>
void sgd_sparse_margins(const CsrView<T>& x, const uint32_t* order, size_t count, const SgdState& state,
                        double* margins) {
  for (size_t i = 0; i < count; ++i) {
    const auto begin = static_cast<size_t>(x.starts[order[i]]);
    const size_t nonzeros = static_cast<size_t>(x.starts[order[i] + size_t{1}]) - begin;
    const double product = csr_dot(x.values + begin, x.columns + begin, nonzeros, state.weights.data());
    margins[i] = state.scale * product + state.intercept;
  }
}

template void sgd_sparse_margins(const CsrView<float>&, const uint32_t*, size_t, const SgdState&, double*);
template void sgd_sparse_margins(const CsrView<double>&, const uint32_t*, size_t, const SgdState&, double*);

}  // namespace maas
#endif  // HWY_ONCE
