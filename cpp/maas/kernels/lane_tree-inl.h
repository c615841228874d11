// The fixed number of partial sums a panel's rows are spread over, and the one tree that joins them.
// Per-target include guard: Highway re-includes this file for each target.
#if defined(MAAS_KERNELS_LANE_TREE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_LANE_TREE_INL_H_
#undef MAAS_KERNELS_LANE_TREE_INL_H_
#else
#define MAAS_KERNELS_LANE_TREE_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One 64-byte vector: the widest target keeps them in one register.
template <class T>
constexpr size_t kPartials = 64 / sizeof(T);

template <class D>
HWY_INLINE double join_lanes([[maybe_unused]] D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return join_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// Lane i meets lane i + n/2, then i + n/4, ...: ((0+4)+(2+6))+((1+5)+(3+7)) for 8 doubles.
template <class Load>
HWY_INLINE double join_eight(Load load) {
  const hn::CappedTag<double, 8> d;
  constexpr size_t kVectors = 8 / hn::MaxLanes(decltype(d)());
  hn::Vec<decltype(d)> v[kVectors];
  for (size_t i = 0; i < kVectors; ++i) v[i] = load(d, i * hn::MaxLanes(d));
  for (size_t count = kVectors / 2; count > 0; count /= 2) {
    for (size_t i = 0; i < count; ++i) v[i] = hn::Add(v[i], v[i + count]);
  }
  return join_lanes(d, v[0]);
}

// Sums kPartials<T> values in double.
HWY_INLINE double lane_tree(const double* partials) {
  return join_eight([partials](auto d, size_t i) { return hn::LoadU(d, partials + i); });
}
HWY_INLINE double lane_tree(const float* partials) {
  return join_eight([partials](auto d, size_t i) {
    const hn::Rebind<float, decltype(d)> df;
    return hn::Add(hn::PromoteTo(d, hn::LoadU(df, partials + i)),
                   hn::PromoteTo(d, hn::LoadU(df, partials + 8 + i)));
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif
