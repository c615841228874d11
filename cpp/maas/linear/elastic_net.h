// The elastic net, Σ s_i (y_i − x_iᵀw − b)² / 2 Σ s + alpha l1_ratio |w|₁ + alpha (1 − l1_ratio) |w|² / 2,
// along a path of penalties: what both ways to solve it (by products of columns, linear/gram_path.h; by
// columns, linear/column_path.h) have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace maas {

struct ElasticNetOptions {
  bool positive = false;
  double l1_ratio = 1;
  // Of the duality gap, relative to the sum of squares of y; see step_tolerance for what is reached.
  double tolerance = 1e-4;
  size_t max_iterations = 1000;  // sweeps a penalty
  bool random = false;
  uint64_t seed = 0;
  bool poll = true;  // for interrupts; false in a task of the thread pool
};

// A solution of the path, valid during the call of the visitor.
struct PathPoint {
  size_t index = 0;              // of its alpha
  const double* coef = nullptr;  // d values
  double intercept = 0;
  double gap = 0;  // duality gap of the objective above
  size_t iterations = 0;
  bool converged = false;
  // y − Xw − intercept of every row, those of weight zero too; null where only products are known.
  const double* residual = nullptr;
};
using PathVisitor = std::function<void(const PathPoint&)>;

// One set of weighted rows whose path can be followed. Thread-safe: a path keeps its state on the stack.
class ElasticNetProblem {
 public:
  virtual ~ElasticNetProblem() = default;
  virtual size_t features() const = 0;
  virtual size_t targets() const = 0;
  // Largest |Σ s x_j y| (largest, or 0, if positive), centred if there is an intercept, over Σ s: the least
  // alpha l1_ratio whose solution is zero.
  virtual double largest_product(size_t target, bool positive) const = 0;
  // Solves for the alphas in turn, each from the solution before, the first from `start` (d values, or empty
  // for zero). Serial but for passes over the rows.
  virtual void path(size_t target, const ElasticNetOptions& options, const std::vector<double>& alphas,
                    const std::vector<double>& start, const PathVisitor& visit) const = 0;
};

// Movements of a coefficient count from this share of |y| on (see CoordinateOptions): far below what the gap
// asks for, because the coefficients themselves converge like the square root of the gap.
double step_tolerance(double tolerance);

// What the gap is made of, for the objective times Σ s and its penalties l1 and l2. R = y − Xw.
struct GapTerms {
  double y_square = 0;
  double residual_square = 0;  // |R|²
  double residual_y = 0;       // Rᵀy
  double coef_l1 = 0;
  double coef_square = 0;
  double dual_norm = 0;        // largest |XᵀR − l2 w| (or component, if positive)
  double gradient_square = 0;  // |XᵀR|²
};

// Fenchel's dual with R scaled into the feasible set; without an L1 penalty that of ridge regression (Dünner
// et al. 2016), and |XᵀR|² without any: scikit-learn's definitions.
double dual_gap(const GapTerms& terms, double l1, double l2);

}  // namespace maas
