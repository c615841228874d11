// The working set of coordinate descent as a problem of its own: its part of the Hessian in padded rows, the
// sweeps over it and the Newton steps on the signs they find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/random.h"
#include "maas/kernels/coordinate_sweep.h"
#include "maas/linear/coordinate_descent.h"

namespace maas {

// One solve, one thread. Copies what it needs of the model.
class CoordinateBlock {
 public:
  // set: ascending coordinates of the model. w, gradient: of the whole model.
  CoordinateBlock(const PenalisedQuadratic& model, const std::vector<uint32_t>& set, const double* w,
                  const double* gradient);

  bool whole() const { return set_.size() == model_size_; }
  // Descends until a whole sweep moves nothing by more than the tolerance, or `sweeps`, which counts on,
  // reaches the most allowed. Returns whether the first was the case.
  bool minimise(const CoordinateOptions& options, size_t& sweeps);
  // Writes the coordinates (and their gradients, if wanted) to the places they came from.
  void copy_back(double* w, double* gradient) const;

 private:
  // Goes to the minimum for the present signs, dropping every coordinate that reaches zero on the way.
  // Returns whether that minimum was reached.
  bool newton_steps(bool poll);
  std::vector<uint32_t> support() const;
  // Of the support to the minimum for its signs; empty where the matrix is not positive definite.
  std::vector<double> newton_direction(const std::vector<uint32_t>& support, double ridge) const;
  // How far the signs hold, at most 1.
  double first_crossing(const std::vector<uint32_t>& support, const std::vector<double>& step) const;
  // Undone, and false, where rounding kept f from falling.
  bool move(const std::vector<uint32_t>& support, const std::vector<double>& step, double length);
  double slope(size_t j) const;
  bool bounded(size_t j) const { return l1_[j] > 0 || positive_; }

  std::vector<uint32_t> set_;
  size_t model_size_;
  size_t ld_;
  bool positive_;
  AlignedBuffer<double> hessian_;
  std::vector<double> curvature_, inverse_, l1_, l2_, w_, gradient_;
};

}  // namespace maas
