#include "maas/linear/conjugate_gradients.h"

#include <algorithm>
#include <vector>

#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {

// Calls fn(begin, end) for pieces of [0, n) on the pool and returns the sum of what it returns: pieces and
// order depend on n alone.
template <class Fn>
double sum_pieces(size_t n, const Fn& fn) {
  constexpr size_t kPiece = size_t{1} << 14;
  const size_t pieces = (n + kPiece - 1) / kPiece;
  if (pieces == 1) return fn(0, n);
  std::vector<double> sums(pieces);
  parallel_for(pieces, [&](size_t k, int) { sums[k] = fn(k * kPiece, std::min(n, (k + 1) * kPiece)); });
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

// Σ term(i) over [begin, end) in eight partials, so that additions do not wait for each other.
template <class Term>
double sum_lanes(size_t begin, size_t end, const Term& term) {
  double lanes[8] = {};
  size_t i = begin;
  for (; i + 8 <= end; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += term(i + lane);
  }
  for (size_t lane = 0; i < end; ++i, ++lane) lanes[lane] += term(i);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// The energy's falls of the last ten steps.
class RecentFalls {
 public:
  // `continues`: as if ten steps without a fall had gone before.
  explicit RecentFalls(bool continues) : count_(continues ? kWindow : 0) {}
  void add(double fall) { falls_[count_++ % kWindow] = fall; }
  bool below(double bound) const {
    double sum = 0;
    for (const double f : falls_) sum += f;
    return count_ >= kWindow && sum < bound;
  }

 private:
  static constexpr size_t kWindow = 10;
  double falls_[kWindow] = {};
  size_t count_;
};

}  // namespace

CgResult conjugate_gradients(const std::function<void(const double*, double*)>& apply, CgVectors& v,
                             const CgStop& stop, double* d) {
  const size_t n = v.residual.size();
  const double* const inverse = v.inverse_diagonal.data();
  double* const r = v.residual.data();
  double* const p = v.direction.data();
  double* const hp = v.product.data();
  double rho = sum_pieces(n, [&](size_t begin, size_t end) {
    return sum_lanes(begin, end, [&](size_t i) {
      d[i] = 0;
      p[i] = inverse[i] * r[i];
      return r[i] * p[i];
    });
  });
  CgResult result;
  RecentFalls recent(stop.fallen > 0);
  const double enough = std::max(stop.residual, stop.relative * rho);
  while (result.products < stop.products && rho > enough) {
    poll_interrupt();
    apply(p, hp);
    ++result.products;
    const double curvature = sum_pieces(n, [&](size_t begin, size_t end) {
      return sum_lanes(begin, end, [&](size_t i) { return p[i] * hp[i]; });
    });
    if (!(curvature > 0)) {
      if (result.products == 1) std::copy(p, p + n, d);
      break;
    }
    const double length = rho / curvature;
    const double fall = rho * length / 2;
    const double next = sum_pieces(n, [&](size_t begin, size_t end) {
      return sum_lanes(begin, end, [&](size_t i) {
        d[i] += length * p[i];
        r[i] -= length * hp[i];
        return r[i] * r[i] * inverse[i];
      });
    });
    result.fall += fall;
    recent.add(fall);
    if (recent.below(stop.energy * (stop.fallen + result.fall))) break;
    const double keep = next / rho;
    rho = next;
    sum_pieces(n, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) p[i] = inverse[i] * r[i] + keep * p[i];
      return 0.0;
    });
  }
  return result;
}

}  // namespace maas
