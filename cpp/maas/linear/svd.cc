#include "maas/linear/svd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "maas/base/aligned.h"
#include "maas/base/interrupt.h"
#include "maas/kernels/orthogonal.h"

namespace maas {
namespace {

constexpr int kMaxSweeps = 60;  // convergence is quadratic; 6 to 10 are usual
// Columns whose cosine is below this count as orthogonal: one rounding of a dot product of unit vectors.
constexpr double kOrthogonal = 2 * std::numeric_limits<double>::epsilon();

// Columns of A V and of V, rotated until those of A V are orthogonal.
class Jacobi {
 public:
  Jacobi(const double* a, size_t n) : n_(n), ld_(padded_column(n)), av_(n * ld_, 0.0), v_(n * ld_, 0.0) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) av_[j * ld_ + i] = a[i * n + j];
      v_[i * ld_ + i] = 1;
    }
  }

  void run() {
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
      bool rotated = false;
      for (size_t p = 0; p + 1 < n_; ++p) {
        poll_interrupt();
        for (size_t q = p + 1; q < n_; ++q) rotated |= rotate(p, q);
      }
      if (!rotated) return;
    }
  }

  Svd result() {
    std::vector<double> norm(n_);
    for (size_t k = 0; k < n_; ++k) norm[k] = std::sqrt(pair_products(av(k), av(k), ld_).xx);
    std::vector<size_t> order(n_);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return norm[i] > norm[j]; });
    Svd out;
    out.columns = n_;
    out.u.resize(n_ * n_);
    out.v.resize(n_ * n_);
    for (size_t k = 0; k < n_; ++k) {
      const size_t from = order[k];
      out.singular.push_back(norm[from]);
      std::copy(v(from), v(from) + n_, out.v.begin() + static_cast<ptrdiff_t>(k * n_));
      if (norm[from] == 0) continue;
      for (size_t i = 0; i < n_; ++i) out.u[k * n_ + i] = av(from)[i] / norm[from];
    }
    return out;
  }

 private:
  double* av(size_t k) { return av_.data() + k * ld_; }
  double* v(size_t k) { return v_.data() + k * ld_; }

  bool rotate(size_t p, size_t q) {
    const PairProducts g = pair_products(av(p), av(q), ld_);
    if (g.xy == 0 || std::fabs(g.xy) <= kOrthogonal * std::sqrt(g.xx) * std::sqrt(g.yy)) return false;
    const double zeta = (g.yy - g.xx) / (2 * g.xy);
    const double size = std::fabs(zeta);
    // The smaller root of t² + 2ζt - 1; for a huge ζ its square would overflow.
    const double t = (zeta < 0 ? -1.0 : 1.0) / (size > 1e150 ? 2 * size : size + std::sqrt(1 + zeta * zeta));
    const double c = 1 / std::sqrt(1 + t * t);
    rotate_columns(av(p), av(q), ld_, c, c * t);
    rotate_columns(v(p), v(q), ld_, c, c * t);
    return true;
  }

  size_t n_;
  size_t ld_;
  AlignedBuffer<double> av_;
  AlignedBuffer<double> v_;
};

}  // namespace

Svd svd(const double* a, size_t columns) {
  Jacobi jacobi(a, columns);
  jacobi.run();
  return jacobi.result();
}

}  // namespace maas
