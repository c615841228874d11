#include "maas/kernels/class_hits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/class_hits.cc"
#include <algorithm>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// fn(k, mask of the lanes that are there) for each vector of a row.
template <class D, class Fn>
HWY_INLINE void ForMasks(D d, size_t cols, Fn fn) {
  const size_t lanes = hn::Lanes(d);
  for (size_t k = 0; k < cols; k += lanes) fn(k, hn::FirstN(d, std::min(lanes, cols - k)));
}

template <class D, class T = hn::TFromD<D>>
size_t LargestColumn(D d, const T* row, size_t cols) {
  auto top = hn::Set(d, row[0]);
  ForMasks(d, cols, [&](size_t k, auto there) HWY_ATTR {
    top = hn::Max(top, hn::IfThenElse(there, hn::Load(d, row + k), top));
  });
  top = hn::MaxOfLanes(d, top);
  for (size_t k = 0; k < cols; k += hn::Lanes(d)) {
    const auto equal = hn::Eq(hn::Load(d, row + k), top);
    const auto found = hn::FindFirstTrue(d, equal);
    if (found >= 0 && k + static_cast<size_t>(found) < cols) return k + static_cast<size_t>(found);
  }
  return cols;
}

// The class of row i; cols where it has none.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE size_t ClassOf(D d, const HitRows<T>& s, size_t i) {
  const T* target = s.target + i * s.target_ld;
  if (!s.sparse) return LargestColumn(d, target, s.cols);
  return *target >= 0 && *target < static_cast<T>(s.cols) ? static_cast<size_t>(*target) : s.cols;
}

template <class T>
size_t ClassHits(const HitRows<T>& s) {
  const hn::ScalableTag<T> d;
  size_t hits = 0;
  for (size_t i = 0; i < s.rows; ++i) {
    const size_t own = ClassOf(d, s, i);
    if (own == s.cols) continue;
    const T* row = s.prediction + i * s.ld;
    const auto value = hn::Set(d, row[own]), column = hn::Set(d, static_cast<T>(own));
    size_t below = 0;  // columns that do not beat it: smaller before it, not larger from it on
    ForMasks(d, s.cols, [&](size_t k, auto there) HWY_ATTR {
      const auto z = hn::Load(d, row + k);
      const auto before = hn::Lt(hn::Iota(d, static_cast<T>(k)), column);
      const auto equal = hn::AndNot(before, hn::Eq(z, value));
      below += hn::CountTrue(d, hn::And(there, hn::Or(hn::Lt(z, value), equal)));
    });
    hits += below == s.cols;
  }
  return hits;
}

template <class T>
size_t TopHits(const HitRows<T>& s, size_t most) {
  const hn::ScalableTag<T> d;
  size_t hits = 0;
  for (size_t i = 0; i < s.rows; ++i) {
    const size_t own = ClassOf(d, s, i);
    const T* row = s.prediction + i * s.ld;
    if (own == s.cols || row[own] != row[own]) continue;
    const auto value = hn::Set(d, row[own]);
    size_t above = 0;
    ForMasks(d, s.cols, [&](size_t k, auto there) HWY_ATTR {
      above += hn::CountTrue(d, hn::And(there, hn::Gt(hn::Load(d, row + k), value)));
    });
    hits += above < most;
  }
  return hits;
}

template <class T>
size_t BinaryHits(const HitRows<T>& s, T threshold) {
  const hn::ScalableTag<T> d;
  const auto limit = hn::Set(d, threshold), one = hn::Set(d, T(1));
  size_t hits = 0;
  for (size_t i = 0; i < s.rows; ++i) {
    const T* row = s.prediction + i * s.ld;
    const T* target = s.target + i * s.target_ld;
    ForMasks(d, s.cols, [&](size_t k, auto there) HWY_ATTR {
      const auto guess = hn::IfThenElseZero(hn::Gt(hn::Load(d, row + k), limit), one);
      hits += hn::CountTrue(d, hn::And(there, hn::Eq(guess, hn::Load(d, target + k))));
    });
  }
  return hits;
}

size_t ClassHitsF32(const HitRows<float>& s) { return ClassHits(s); }
size_t ClassHitsF64(const HitRows<double>& s) { return ClassHits(s); }
size_t TopHitsF32(const HitRows<float>& s, size_t k) { return TopHits(s, k); }
size_t TopHitsF64(const HitRows<double>& s, size_t k) { return TopHits(s, k); }
size_t BinaryHitsF32(const HitRows<float>& s, float threshold) { return BinaryHits(s, threshold); }
size_t BinaryHitsF64(const HitRows<double>& s, double threshold) { return BinaryHits(s, threshold); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(ClassHitsF32);
HWY_EXPORT(ClassHitsF64);
HWY_EXPORT(TopHitsF32);
HWY_EXPORT(TopHitsF64);
HWY_EXPORT(BinaryHitsF32);
HWY_EXPORT(BinaryHitsF64);

size_t count_class_hits(const HitRows<float>& rows) { return HWY_DYNAMIC_DISPATCH(ClassHitsF32)(rows); }
size_t count_class_hits(const HitRows<double>& rows) { return HWY_DYNAMIC_DISPATCH(ClassHitsF64)(rows); }
size_t count_top_hits(const HitRows<float>& rows, size_t k) {
  return HWY_DYNAMIC_DISPATCH(TopHitsF32)(rows, k);
}
size_t count_top_hits(const HitRows<double>& rows, size_t k) {
  return HWY_DYNAMIC_DISPATCH(TopHitsF64)(rows, k);
}
size_t count_binary_hits(const HitRows<float>& rows, float threshold) {
  return HWY_DYNAMIC_DISPATCH(BinaryHitsF32)(rows, threshold);
}
size_t count_binary_hits(const HitRows<double>& rows, double threshold) {
  return HWY_DYNAMIC_DISPATCH(BinaryHitsF64)(rows, threshold);
}

}  // namespace maas
#endif  // HWY_ONCE
