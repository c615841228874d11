// L-BFGS (Nocedal and Wright, algorithm 7.4). Its start may be a factored Hessian of few rows, and then it
// converges like Newton's method does: each step divides the error by about sqrt(rows seen / parameters).
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/curvature_model.h"
#include "maas/linear/minimise.h"

namespace maas {

class LbfgsDirection : public Direction {
 public:
  LbfgsDirection(size_t size, size_t memory, const CurvatureModel* start = nullptr)
      : size_(size), memory_(memory), start_(start) {}

  void propose(const double* theta, const double* gradient, double* d) override;
  void accepted(const double* step, const double* change) override;

 private:
  struct Pair {
    std::vector<double> step, change;
    double product = 0;  // step . change > 0
  };
  const size_t size_;
  const size_t memory_;
  const CurvatureModel* start_;  // null or empty: a multiple of the identity
  std::vector<Pair> pairs_;      // oldest first
};

}  // namespace maas
