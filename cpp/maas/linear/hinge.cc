#include "maas/linear/hinge.h"

#include <cmath>

#include "maas/base/error.h"
#include "maas/kernels/csr.h"
#include "maas/linear/hinge_dual.h"
#include "maas/linear/interior_point.h"

namespace maas {
namespace {

// Columns from which a system in them costs more than rounds over the rows.
constexpr size_t kManyColumns = 1000;

bool by_interior_point(const HingeOptions& options, size_t rows, size_t columns) {
  return !options.squared && columns <= kManyColumns && columns <= 4 * rows;
}

std::vector<double> copy(VectorView<double> v) {
  std::vector<double> out(v.size);
  for (size_t i = 0; i < v.size; ++i) out[i] = v[i];
  return out;
}

// The weight of the constant column, `constant`, becomes the intercept.
template <class Solution>
HingeFit unpack(const Solution& solution, size_t features, bool intercept, double constant) {
  HingeFit fit;
  static_cast<SolveResult&>(fit) = solution;
  fit.coef.assign(solution.theta.begin(), solution.theta.begin() + static_cast<ptrdiff_t>(features));
  if (intercept) fit.intercept = solution.theta[features] * constant;
  return fit;
}

HingeFit fit_points(const PanelSource& source, VectorView<double> y, VectorView<double> weight,
                    const HingeOptions& options) {
  BoxProblem problem{.source = source,
                     .b = {},
                     .weight = copy(weight),
                     .u = copy(y),
                     .l1 = 0,
                     .quadratic = std::vector<double>(source.columns(), 1.0)};
  // Of a row of class 1 what lacks to the margin 1 costs, of class 0 what exceeds -1.
  for (const double u : problem.u) problem.b.push_back(2 * u - 1);
  // The column is one of ones: its weight is the intercept itself.
  const double scaling = options.intercept_scaling;
  if (options.intercept) problem.quadratic.back() = 1 / (scaling * scaling);
  const BoxSolution solution =
      minimise_boxes(problem, std::min(options.tolerance, 1e-12), options.max_iterations);
  return unpack(solution, source.features(), options.intercept, 1.0);
}

template <class T>
struct DenseRows {
  MatrixView<T> x;
  double constant;  // of the column behind; 0: none
  double square(size_t i) const {
    double sum = constant * constant;
    for (size_t j = 0; j < x.cols; ++j) sum += value(i, j) * value(i, j);
    if (!std::isfinite(sum)) throw NotFinite("X");
    return sum;
  }
  double dot(size_t i, const double* w) const {
    double sum = 0;
    for (size_t j = 0; j < x.cols; ++j) sum += value(i, j) * w[j];
    return constant == 0 ? sum : sum + constant * w[x.cols];
  }
  void add(size_t i, double factor, double* w) const {
    for (size_t j = 0; j < x.cols; ++j) w[j] += factor * value(i, j);
    if (constant != 0) w[x.cols] += factor * constant;
  }

 private:
  double value(size_t i, size_t j) const { return static_cast<double>(x(i, j)); }
};

template <class T>
struct SparseDotRows {
  CsrView<T> x;
  double constant;
  const T* values(size_t i) const { return x.values + x.starts[i]; }
  const int32_t* columns(size_t i) const { return x.columns + x.starts[i]; }
  size_t count(size_t i) const { return static_cast<size_t>(x.starts[i + 1] - x.starts[i]); }
  double square(size_t i) const {
    double sum = constant * constant;
    for (size_t k = 0; k < count(i); ++k) {
      const double v = static_cast<double>(values(i)[k]);
      sum += v * v;
    }
    if (!std::isfinite(sum)) throw NotFinite("X");
    return sum;
  }
  double dot(size_t i, const double* w) const {
    const double sum = csr_dot(values(i), columns(i), count(i), w);
    return constant == 0 ? sum : sum + constant * w[x.cols];
  }
  void add(size_t i, double factor, double* w) const {
    csr_add(factor, values(i), columns(i), count(i), w);
    if (constant != 0) w[x.cols] += factor * constant;
  }
};

template <class Rows>
HingeFit fit_dual(const Rows& rows, size_t features, VectorView<double> y, VectorView<double> weight,
                  const HingeOptions& options) {
  std::vector<double> sign = copy(y);
  for (double& s : sign) s = 2 * s - 1;
  const std::vector<double> upper = copy(weight);
  HingeDual<Rows> dual(rows, features + (options.intercept ? 1 : 0), sign, upper, options.squared);
  return unpack(dual.run(std::min(options.tolerance, 1e-9), 1e-6 * options.tolerance, options.max_iterations),
                features, options.intercept, options.intercept_scaling);
}

void check_sizes(size_t rows, VectorView<double> y, VectorView<double> weight) {
  if (y.size != rows || weight.size != rows) {
    throw_invalid("hinge", "expected as many classes and weights as rows");
  }
}

}  // namespace

template <class T>
HingeFit fit_hinge(const MatrixView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HingeOptions& options) {
  check_sizes(x.rows, y, weight);
  if (by_interior_point(options, x.rows, x.cols)) {
    return fit_points(DensePanels<T>(x, options.intercept, {}), y, weight, options);
  }
  return fit_dual(DenseRows<T>{x, options.intercept ? options.intercept_scaling : 0.0}, x.cols, y, weight,
                  options);
}

template <class T>
HingeFit fit_hinge(const CsrView<T>& x, VectorView<double> y, VectorView<double> weight,
                   const HingeOptions& options) {
  check_sizes(x.rows, y, weight);
  if (by_interior_point(options, x.rows, x.cols)) {
    return fit_points(CsrPanels<T>(x, options.intercept), y, weight, options);
  }
  return fit_dual(SparseDotRows<T>{x, options.intercept ? options.intercept_scaling : 0.0}, x.cols, y, weight,
                  options);
}

template HingeFit fit_hinge(const MatrixView<float>&, VectorView<double>, VectorView<double>,
                            const HingeOptions&);
template HingeFit fit_hinge(const MatrixView<double>&, VectorView<double>, VectorView<double>,
                            const HingeOptions&);
template HingeFit fit_hinge(const CsrView<float>&, VectorView<double>, VectorView<double>,
                            const HingeOptions&);
template HingeFit fit_hinge(const CsrView<double>&, VectorView<double>, VectorView<double>,
                            const HingeOptions&);

}  // namespace maas
