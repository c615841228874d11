#include "maas/linear/curvature_model.h"

#include <cmath>

#include "maas/base/interrupt.h"
#include "maas/linear/vector_math.h"

namespace maas {
namespace {

// UᵀU = A, in place in the upper triangle, row by row so that the inner loop is a vector operation. False
// when a pivot is not above `tiny` of its diagonal.
bool cholesky(double* a, size_t n) {
  constexpr double kTiny = 1e-14;
  for (size_t k = 0; k < n; ++k) {
    double* row = a + k * n;
    const double original = a[k * n + k];
    double pivot = original;
    for (size_t i = 0; i < k; ++i) {
      const double u = a[i * n + k];
      pivot -= u * u;
    }
    if (!(pivot > kTiny * original)) return false;
    for (size_t i = 0; i < k; ++i) {
      const double u = a[i * n + k];
      const double* above = a + i * n;
      for (size_t j = k + 1; j < n; ++j) row[j] -= u * above[j];
    }
    const double root = std::sqrt(pivot);
    row[k] = root;
    for (size_t j = k + 1; j < n; ++j) row[j] /= root;
    if (k % 256 == 255) poll_interrupt();
  }
  return true;
}

void solve_block(const double* u, size_t n, double* v) {
  for (size_t i = 0; i < n; ++i) {
    v[i] /= u[i * n + i];
    for (size_t j = i + 1; j < n; ++j) v[j] -= u[i * n + j] * v[i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t j = i + 1; j < n; ++j) v[i] -= u[i * n + j] * v[j];
    v[i] /= u[i * n + i];
  }
}

// Softmax is blind to a shift common to all outputs: its Hessian is singular there, and a model of diagonal
// blocks does not know. Take such a shift out, or the solver would drift along it.
void centre(double* v, size_t outputs, size_t size) {
  if (outputs == 1) return;
  for (size_t j = 0; j < size; ++j) {
    double sum = 0;
    for (size_t o = 0; o < outputs; ++o) sum += v[o * size + j];
    const double mean = sum / static_cast<double>(outputs);
    for (size_t o = 0; o < outputs; ++o) v[o * size + j] -= mean;
  }
}

// A column that is constant in the rows seen has no curvature: nothing is known, so give it an average one,
// for short steps.
void fill_empty(double* a, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i * n + i];
  for (size_t i = 0; i < n; ++i) {
    if (a[i * n + i] == 0) a[i * n + i] = sum > 0 ? sum / static_cast<double>(n) : 1.0;
  }
}

}  // namespace

void CurvatureModel::factor(size_t blocks, size_t size) {
  blocks_ = blocks;
  size_ = size;
  std::vector<double> original;
  for (size_t b = 0; b < blocks; ++b) {
    double* a = factors_.data() + b * size * size;
    fill_empty(a, size);
    original.assign(a, a + size * size);
    // Lifted relative to each diagonal entry, so that units of columns do not matter.
    for (double lift = 1e-12; !cholesky(a, size); lift *= 100) {
      std::copy(original.begin(), original.end(), a);
      for (size_t i = 0; i < size; ++i) a[i * size + i] += lift * original[i * size + i];
      if (!(lift < 1e10)) {  // not finite: fall back to a unit step
        for (size_t i = 0; i < size * size; ++i) a[i] = i % (size + 1) == 0 ? 1 : 0;
        break;
      }
    }
  }
}

CurvatureModel CurvatureModel::blocks_at(Objective& objective, const double* theta) {
  CurvatureModel model;
  const size_t blocks = objective.blocks();
  const size_t size = objective.size() / blocks;
  model.factors_.resize(blocks * size * size);
  objective.hessian_blocks(theta, model.factors_.data());
  model.outputs_ = blocks;
  model.factor(blocks, size);
  return model;
}

CurvatureModel CurvatureModel::full_at(Objective& objective, const double* theta) {
  CurvatureModel model;
  model.factors_.resize(objective.size() * objective.size());
  objective.hessian(theta, model.factors_.data());
  model.outputs_ = objective.blocks();
  model.factor(1, objective.size());
  return model;
}

void CurvatureModel::solve(double* v) const {
  if (factors_.empty()) return;
  const size_t columns = blocks_ * size_ / outputs_;
  centre(v, outputs_, columns);
  for (size_t b = 0; b < blocks_; ++b) solve_block(factors_.data() + b * size_ * size_, size_, v + b * size_);
  centre(v, outputs_, columns);
}

}  // namespace maas
