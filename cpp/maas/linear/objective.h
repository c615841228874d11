// What the full-batch solvers minimise: a smooth convex function of a flat vector of doubles. Solvers know
// nothing about rows, losses or types.
#pragma once

#include <cstddef>

namespace maas {

class Objective {
 public:
  virtual ~Objective() = default;

  virtual size_t size() const = 0;
  // Returns f(theta) and writes its gradient. Anything not finite means that theta is out of range.
  virtual double value_and_gradient(const double* theta, double* gradient) = 0;
  // Writes the symmetric second derivative, row-major, size() x size().
  virtual void hessian(const double* theta, double* h) = 0;

  // The parameters fall into blocks() groups of equal size, one an output; writes their diagonal blocks of
  // the Hessian side by side. One block is the whole Hessian.
  virtual size_t blocks() const { return 1; }
  virtual void hessian_blocks(const double* theta, double* h) { hessian(theta, h); }

  // Relative rounding error of the value: differences below it mean nothing.
  virtual double noise() const { return 1e-15; }
  // The size of a value that is not small, e.g. the value at zero: makes tolerances free of units.
  virtual double scale() const { return 1; }
};

}  // namespace maas
