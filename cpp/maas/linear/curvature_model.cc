#include "maas/linear/curvature_model.h"

#include "maas/base/interrupt.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/lifted_cholesky.h"

namespace maas {
namespace {

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

}  // namespace

CurvatureModel::CurvatureModel(size_t blocks, size_t size, size_t outputs)
    : blocks_(blocks), size_(size), outputs_(outputs), factors_(blocks * size * size) {}

void CurvatureModel::factor() {
  for (size_t b = 0; b < blocks_; ++b) {
    lifted_cholesky(factors_.data() + b * size_ * size_, size_);
    poll_interrupt();
  }
}

CurvatureModel CurvatureModel::at(Objective& objective, const double* theta) {
  constexpr size_t kSmall = 128;  // parameters from which blocks pay
  const size_t outputs = objective.blocks();
  if (outputs == 1 || objective.size() <= kSmall) return full_at(objective, theta);
  CurvatureModel model(outputs, objective.size() / outputs, outputs);
  objective.hessian_blocks(theta, model.factors_.data());
  model.factor();
  return model;
}

CurvatureModel CurvatureModel::full_at(Objective& objective, const double* theta) {
  CurvatureModel model(1, objective.size(), objective.blocks());
  objective.hessian(theta, model.factors_.data());
  model.factor();
  return model;
}

void CurvatureModel::solve(double* v) const {
  if (factors_.empty()) return;
  const size_t columns = blocks_ * size_ / outputs_;
  centre(v, outputs_, columns);
  for (size_t b = 0; b < blocks_; ++b) {
    cholesky_solve(factors_.data() + b * size_ * size_, size_, size_, v + b * size_, 1, 1);
  }
  centre(v, outputs_, columns);
}

}  // namespace maas
