// The rows' side of Newton's method by columns: margins, the loss's derivatives at them, and what a quadratic
// model's direction does to each row. Owned by one solve, not for use by two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/base/aligned.h"
#include "maas/kernels/csr.h"

namespace maas {

// With the direction d, u = X d: the model's gradient along a column x of output k is
//   Σ_i x_i (residual_ik + (H_i u_i)_k),  H_i the second derivative of row i by its margins.
// Logistic: one output, H_i = curvature_i. Softmax: H_i = s_i (diag(p_i) - p_i p_iᵀ).
template <bool kSoftmax>
class RowModel {
 public:
  // Views of y (0 or 1, or the class) and weight (null: all 1), which must outlive it.
  RowModel(size_t rows, size_t outputs, const double* y, const double* weight);

  size_t rows() const { return rows_; }
  size_t outputs() const { return outputs_; }
  // Margins of output k, to be written before evaluate().
  double* margins(size_t k) { return margins_.data() + k * ld_; }
  const double* residual(size_t k) const { return residual_.data() + k * ld_; }

  // Returns Σ_i s_i loss_i at the margins; makes residuals and curvatures, and the direction zero.
  double evaluate();
  // Σ_i s_i d²loss_i/dz²: one output only.
  double curvature_sum() const;
  double residual_sum(size_t k) const;

  // Column sums Σ_i x_i², x_i each times the curvature of output k.
  template <class T>
  void curvatures(const T* x, const int32_t* rows, size_t count, size_t k, double& squares,
                  double& linear) const {
    double a = 0, b = 0;
    for (size_t t = 0; t < count; ++t) {
      const auto i = static_cast<size_t>(rows[t]);
      const double xh = static_cast<double>(x[t]) * curvature(k, i);
      a += xh * static_cast<double>(x[t]);
      b += xh;
    }
    squares = a;
    linear = b;
  }

  // Σ_i x_i (H_i u_i)_k
  template <class T>
  double slope(const T* x, const int32_t* rows, size_t count, size_t k) const {
    if constexpr (!kSoftmax) {
      return csr_dot(x, rows, count, curved_.data());
    } else {
      const double* const p = weighted_.data() + k * ld_;
      const double* const u = curved_.data() + k * ld_;
      double a = 0, b = 0;
      size_t t = 0;
      for (; t + 2 <= count; t += 2) {
        const auto i = static_cast<size_t>(rows[t]), j = static_cast<size_t>(rows[t + 1]);
        a += static_cast<double>(x[t]) * (p[i] * (u[i] - mean_[i]));
        b += static_cast<double>(x[t + 1]) * (p[j] * (u[j] - mean_[j]));
      }
      if (t < count) {
        const auto i = static_cast<size_t>(rows[t]);
        a += static_cast<double>(x[t]) * (p[i] * (u[i] - mean_[i]));
      }
      return a + b;
    }
  }

  // The direction grows by `change` along a column of output k.
  template <class T>
  void move(const T* x, const int32_t* rows, size_t count, size_t k, double change) {
    if constexpr (!kSoftmax) {
      for (size_t t = 0; t < count; ++t) {
        const auto i = static_cast<size_t>(rows[t]);
        curved_[i] += change * static_cast<double>(x[t]) * curvature_[i];
      }
    } else {
      const double* const p = probability_.data() + k * ld_;
      double* const u = curved_.data() + k * ld_;
      for (size_t t = 0; t < count; ++t) {
        const auto i = static_cast<size_t>(rows[t]);
        const double v = change * static_cast<double>(x[t]);
        u[i] += v;
        mean_[i] += p[i] * v;
      }
    }
  }

 private:
  double curvature(size_t k, size_t i) const {
    if constexpr (!kSoftmax) return curvature_[i];
    const size_t at = k * ld_ + i;
    return weighted_[at] * (1 - probability_[at]);
  }

  const size_t rows_, outputs_;
  const size_t ld_;  // rows, padded
  AlignedBuffer<double> y_, weight_, margins_, residual_;
  AlignedBuffer<double> curvature_;    // logistic
  AlignedBuffer<double> probability_;  // softmax
  AlignedBuffer<double> weighted_;     // softmax: s_i p_ik
  AlignedBuffer<double> curved_;       // H u (logistic), u (softmax)
  AlignedBuffer<double> mean_;         // softmax: Σ_k p_ik u_ik
};

extern template class RowModel<false>;
extern template class RowModel<true>;

}  // namespace maas
