// Plain gradient descent on the mean squared error, θ ← θ − α/m·Xᵀ(Xθ − y), as users write it by hand.
#pragma once

#include <cstddef>

#include "maas/base/view.h"

namespace maas {

struct GradientDescentResult {
  size_t iterations = 0;  // done, the one that overflowed not counted
  bool diverged = false;  // theta holds the last finite weights
};

// Updates theta (x.cols values) in place. Runs on XᵀX and Xᵀy after one pass over the rows, or by a pass an
// iteration where that is cheaper by the shape. Throws NotFinite naming the guilty array, Interrupted.
template <class T>
GradientDescentResult gradient_descent(MatrixView<T> x, VectorView<T> y, double alpha, size_t iterations,
                                       double* theta);

extern template GradientDescentResult gradient_descent(MatrixView<float>, VectorView<float>, double, size_t,
                                                       double*);
extern template GradientDescentResult gradient_descent(MatrixView<double>, VectorView<double>, double, size_t,
                                                       double*);

}  // namespace maas
