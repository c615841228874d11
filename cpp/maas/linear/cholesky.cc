#include "maas/linear/cholesky.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/gemm.h"
#include "maas/kernels/reduce.h"
#include "maas/kernels/triangle.h"

namespace maas {
namespace {

// Right-hand sides one task of a large solve takes.
constexpr size_t kSolveCols = 256;

MatrixView<double> block(const double* a, size_t ld, size_t rows, size_t cols) {
  return {a, rows, cols, static_cast<ptrdiff_t>(ld), 1};
}

// Where to halve: whole leaves on the left.
size_t half(size_t n) { return (n / 2 + kTriangleRows - 1) / kTriangleRows * kTriangleRows; }

size_t factor_leaf(double* a, size_t n, size_t ld) {
  for (size_t k = 0; k < n; ++k) {
    double* row = a + k * ld;
    if (!(row[k] > 0)) return k;
    const double pivot = std::sqrt(row[k]);
    for (size_t j = k; j < n; ++j) row[j] = j == k ? pivot : row[j] / pivot;
    for (size_t i = k + 1; i < n; ++i) {
      double* below = a + i * ld;
      for (size_t j = i; j < n; ++j) below[j] -= row[i] * row[j];
    }
  }
  return n;
}

void solve_transposed_columns(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols) {
  if (n <= kTriangleRows) return solve_triangle_transposed(u, ld, n, b, ldb, cols);
  const size_t n1 = half(n), n2 = n - n1;
  double* b2 = b + n1 * ldb;
  solve_transposed_columns(u, n1, ld, b, ldb, cols);
  const auto u12 = block(u + n1, ld, n1, n2);
  gemm_update(u12.transposed(), block(b, ldb, n1, cols), b2, ldb, Sign::kMinus, Part::kAll);
  solve_transposed_columns(u + n1 * ld + n1, n2, ld, b2, ldb, cols);
}

void solve_columns(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols) {
  if (n <= kTriangleRows) return solve_triangle(u, ld, n, b, ldb, cols);
  const size_t n1 = half(n), n2 = n - n1;
  double* b2 = b + n1 * ldb;
  solve_columns(u + n1 * ld + n1, n2, ld, b2, ldb, cols);
  gemm_update(block(u + n1, ld, n1, n2), block(b2, ldb, n2, cols), b, ldb, Sign::kMinus, Part::kAll);
  solve_columns(u, n1, ld, b, ldb, cols);
}

// One contiguous right-hand side: memory sets the pace, so each row of U is read once, in address order.
void solve_transposed_vector(const double* u, size_t n, size_t ld, double* b) {
  for (size_t i = 0; i < n; ++i) {
    const double* row = u + i * ld + i;
    b[i] /= row[0];
    double* rest = b + i + 1;
    map_arrays(MapOp::kAxpy, n - i - 1, row + 1, rest, rest, -b[i]);
  }
}

void solve_vector(const double* u, size_t n, size_t ld, double* b) {
  for (size_t i = n; i-- > 0;) {
    const double* row = u + i * ld + i;
    b[i] = (b[i] - reduce(Reduction::kDot, n - i - 1, row + 1, b + i + 1)) / row[0];
  }
}

// Right-hand sides are independent: each task solves its own from end to end.
template <class Solve>
void for_column_groups(size_t cols, double* b, Solve solve) {
  const size_t groups = (cols + kSolveCols - 1) / kSolveCols;
  if (groups == 1) return solve(b, cols);
  parallel_for(groups, [&](size_t group, int) {
    const size_t begin = group * kSolveCols;
    solve(b + begin, std::min(kSolveCols, cols - begin));
  });
}

double sum_abs(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += std::abs(v);
  return sum;
}

size_t largest_abs(const std::vector<double>& x) {
  size_t at = 0;
  for (size_t i = 1; i < x.size(); ++i) {
    if (std::abs(x[i]) > std::abs(x[at])) at = i;
  }
  return at;
}

// Estimate of the 1-norm of the symmetric operator A⁻¹: climbs from x = 1/n along the signs of A⁻¹x.
double inverse_norm1(const double* u, size_t n, size_t ld) {
  const auto solve = [&](std::vector<double>& x) { cholesky_solve(u, n, ld, x.data(), 1, 1); };
  std::vector<double> x(n, 1.0 / static_cast<double>(n)), sign(n, 0.0);
  solve(x);
  double estimate = sum_abs(x);
  size_t last = n;
  for (int iteration = 0; iteration < 5; ++iteration) {
    bool changed = false;
    for (size_t i = 0; i < n; ++i) {
      const double s = x[i] >= 0 ? 1.0 : -1.0;
      changed |= s != sign[i];
      sign[i] = s;
    }
    if (!changed) break;
    x = sign;
    solve(x);
    const size_t at = largest_abs(x);
    if (last != n && std::abs(x[at]) <= std::abs(x[last])) break;
    last = at;
    x.assign(n, 0.0);
    x[at] = 1;
    solve(x);
    const double now = sum_abs(x);
    if (!(now > estimate)) break;
    estimate = now;
  }
  // Higham's safeguard against exact cancellation in the climb.
  for (size_t i = 0; i < n; ++i) {
    const double step = n > 1 ? static_cast<double>(i) / static_cast<double>(n - 1) : 0.0;
    x[i] = (i % 2 == 0 ? 1.0 : -1.0) * (1.0 + step);
  }
  solve(x);
  return std::max(estimate, 2.0 * sum_abs(x) / (3.0 * static_cast<double>(n)));
}

}  // namespace

size_t cholesky(double* a, size_t n, size_t ld) {
  if (n <= kTriangleRows) return factor_leaf(a, n, ld);
  const size_t n1 = half(n), n2 = n - n1;
  const size_t done = cholesky(a, n1, ld);
  if (done != n1) return done;
  double* a12 = a + n1;
  double* a22 = a + n1 * ld + n1;
  solve_upper_transposed(a, n1, ld, a12, ld, n2);
  const auto u12 = block(a12, ld, n1, n2);
  gemm_update(u12.transposed(), u12, a22, ld, Sign::kMinus, Part::kUpper);
  return n1 + cholesky(a22, n2, ld);
}

void solve_upper_transposed(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols) {
  if (cols == 1 && ldb == 1) return solve_transposed_vector(u, n, ld, b);
  for_column_groups(
      cols, b, [&](double* part, size_t count) { solve_transposed_columns(u, n, ld, part, ldb, count); });
}

void solve_upper(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols) {
  if (cols == 1 && ldb == 1) return solve_vector(u, n, ld, b);
  for_column_groups(cols, b, [&](double* part, size_t count) { solve_columns(u, n, ld, part, ldb, count); });
}

void cholesky_solve(const double* u, size_t n, size_t ld, double* b, size_t ldb, size_t cols) {
  solve_upper_transposed(u, n, ld, b, ldb, cols);
  solve_upper(u, n, ld, b, ldb, cols);
}

double symmetric_norm1(const double* a, size_t n, size_t ld) {
  std::vector<double> sums(n, 0.0);
  for (size_t i = 0; i < n; ++i) {
    sums[i] += std::abs(a[i * ld + i]);
    for (size_t j = i + 1; j < n; ++j) {
      const double v = std::abs(a[i * ld + j]);
      sums[i] += v;
      sums[j] += v;
    }
  }
  double norm = 0;
  for (const double sum : sums) norm = sum > norm || std::isnan(sum) ? sum : norm;
  return norm;
}

double cholesky_rcond(const double* u, size_t n, size_t ld, double norm1) {
  if (n == 0) return 1;
  if (!(norm1 > 0) || !std::isfinite(norm1)) return 0;
  const double rcond = 1.0 / inverse_norm1(u, n, ld) / norm1;
  return std::isfinite(rcond) ? rcond : 0;
}

}  // namespace maas
