// Rows of float64, padded to whole partial sums, for the per-sample loop (kernels/sgd.h): how a row is
// gathered from the caller's array and how two rows are multiplied.

#if defined(MAAS_KERNELS_SGD_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_SGD_ROWS_INL_H_
#undef MAAS_KERNELS_SGD_ROWS_INL_H_
#else
#define MAAS_KERNELS_SGD_ROWS_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "maas/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace sgd {

using Wide = hn::CappedTag<double, 8>;
using One = hn::CappedTag<double, 1>;
constexpr size_t kPartials = 16;
constexpr size_t kLanes = hn::MaxLanes(Wide());
constexpr size_t kChains = kPartials / kLanes;

HWY_INLINE double mul_add(double a, double b, double c) {
  const One d;
  return hn::GetLane(hn::MulAdd(hn::Set(d, a), hn::Set(d, b), hn::Set(d, c)));
}

template <class D>
HWY_INLINE double sum_lanes(D, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return sum_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// Sixteen partial sums, k mod 16, over as many registers as the target needs.
struct Partials {
  hn::Vec<Wide> chain[kChains];

  HWY_INLINE Partials() {
    for (size_t c = 0; c < kChains; ++c) chain[c] = hn::Zero(Wide());
  }
  HWY_INLINE double sum() {
    for (size_t half = kChains / 2; half > 0; half /= 2) {
      for (size_t c = 0; c < half; ++c) chain[c] = hn::Add(chain[c], chain[c + half]);
    }
    return sum_lanes(Wide(), chain[0]);
  }
};

// Calls body(at, c) for each vector of a padded row: it begins at column `at` and belongs to chain c. The
// last group may be half full.
template <class Body>
HWY_INLINE void for_each_vector(size_t padded, const Body& body) {
  size_t k = 0;
  for (; k + kPartials <= padded; k += kPartials) {
    for (size_t c = 0; c < kChains; ++c) body(k + c * kLanes, c);
  }
  if (k == padded) return;
  for (size_t c = 0; c < kChains / 2; ++c) body(k + c * kLanes, c);
}

HWY_INLINE double dot(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, size_t padded) {
  const Wide d;
  Partials sum;
  for_each_vector(padded, [&](size_t at, size_t c) HWY_ATTR {
    sum.chain[c] = hn::MulAdd(hn::Load(d, a + at), hn::Load(d, b + at), sum.chain[c]);
  });
  return sum.sum();
}

HWY_INLINE void add_scaled(double* HWY_RESTRICT into, double factor, const double* HWY_RESTRICT x,
                           size_t padded) {
  const Wide d;
  const auto f = hn::Set(d, factor);
  for (size_t k = 0; k < padded; k += kLanes) {
    hn::Store(hn::MulAdd(f, hn::Load(d, x + k), hn::Load(d, into + k)), d, into + k);
  }
}

HWY_INLINE void multiply(double* v, double factor, size_t padded) {
  const Wide d;
  const auto f = hn::Set(d, factor);
  for (size_t k = 0; k < padded; k += kLanes) hn::Store(hn::Mul(f, hn::Load(d, v + k)), d, v + k);
}

HWY_INLINE hn::Vec<Wide> load_double(const double* p) { return hn::LoadU(Wide(), p); }
HWY_INLINE hn::Vec<Wide> load_double(const float* p) {
  return hn::PromoteTo(Wide(), hn::LoadU(hn::Rebind<float, Wide>(), p));
}

// Copies one row.
template <class T>
HWY_INLINE void gather_row(const T* row, ptrdiff_t stride, size_t cols, double* HWY_RESTRICT out) {
  if (stride != 1 || cols < kLanes) {
    for (size_t j = 0; j < cols; ++j) {
      out[j] = static_cast<double>(load_unaligned(row + static_cast<ptrdiff_t>(j) * stride));
    }
    return;
  }
  for (size_t j = 0; j < cols; j += kLanes) {
    const size_t at = std::min(j, cols - kLanes);  // the last vector overlaps the one before
    hn::StoreU(load_double(row + at), Wide(), out + at);
  }
}

}  // namespace sgd
}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_SGD_ROWS_INL_H_
