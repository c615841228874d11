#include "maas/kernels/count_at_least.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/count_at_least.cc"
#include <algorithm>
#include <bit>
#include <limits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// counts[lane] += count of that lane.
template <class D>
HWY_INLINE void AddTo(D d, hn::Vec<D> count, uint64_t* counts) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    hn::StoreU(hn::Add(hn::LoadU(d, counts), count), d, counts);
  } else {
    const hn::Half<D> half;
    const hn::Rebind<uint64_t, decltype(half)> d64;
    const size_t lanes = hn::Lanes(d64);
    const auto low = hn::PromoteTo(d64, hn::LowerHalf(half, count));
    const auto high = hn::PromoteTo(d64, hn::UpperHalf(half, count));
    hn::StoreU(hn::Add(hn::LoadU(d64, counts), low), d64, counts);
    hn::StoreU(hn::Add(hn::LoadU(d64, counts + lanes), high), d64, counts + lanes);
  }
}

// Lanes are thresholds: one value at a time is compared with kVectors of them, whose counts stay in
// registers.
template <size_t kVectors, class T>
HWY_INLINE void CountVectors(const std::byte* values, ptrdiff_t stride, size_t n, const T* thresholds,
                             uint64_t* counts) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> limit[kVectors];
  hn::Vec<decltype(du)> count[kVectors];
  for (size_t k = 0; k < kVectors; ++k) {
    limit[k] = hn::LoadU(d, thresholds + k * lanes);
    count[k] = hn::Zero(du);
  }
  [[maybe_unused]] const auto one = hn::Set(du, 1);
  for (size_t i = 0; i < n; ++i, values += stride) {
    const auto value = hn::Set(d, load_unaligned(reinterpret_cast<const T*>(values)));
    for (size_t k = 0; k < kVectors; ++k) {
      const auto reaches = hn::RebindMask(du, hn::Ge(value, limit[k]));
#if HWY_TARGET <= HWY_AVX3
      count[k] = hn::IfThenElse(reaches, hn::Add(count[k], one), count[k]);  // one masked add
#else
      count[k] = hn::Sub(count[k], hn::VecFromMask(du, reaches));  // all ones are -1
#endif
    }
  }
  for (size_t k = 0; k < kVectors; ++k) AddTo(du, count[k], counts + k * lanes);
}

// Vectors of thresholds at a time: with their counts they fill the registers.
constexpr size_t kMostVectors = 8;

template <size_t kVectors, class T>
void CountUpTo(const std::byte* values, ptrdiff_t stride, size_t n, const T* thresholds, size_t vectors,
               uint64_t* counts) {
  if constexpr (kVectors > 0) {
    if (vectors == kVectors) {
      CountVectors<kVectors>(values, stride, n, thresholds, counts);
    } else {
      CountUpTo<kVectors - 1>(values, stride, n, thresholds, vectors, counts);
    }
  }
}

template <class T>
void CountAtLeast(const T* values, ptrdiff_t stride, size_t n, const T* thresholds, size_t size,
                  uint64_t* counts) {
  const size_t lanes = hn::Lanes(hn::ScalableTag<T>());
  const auto* bytes = reinterpret_cast<const std::byte*>(values);
  for (size_t k = 0; k < size; k += kMostVectors * lanes) {
    const size_t vectors = std::min(kMostVectors, (size - k) / lanes);
    CountUpTo<kMostVectors>(bytes, stride, n, thresholds + k, vectors, counts + k);
  }
}

void CountAtLeastF32(const float* values, ptrdiff_t stride, size_t n, const float* thresholds, size_t size,
                     uint64_t* counts) {
  CountAtLeast(values, stride, n, thresholds, size, counts);
}
void CountAtLeastF64(const double* values, ptrdiff_t stride, size_t n, const double* thresholds, size_t size,
                     uint64_t* counts) {
  CountAtLeast(values, stride, n, thresholds, size, counts);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(CountAtLeastF32);
HWY_EXPORT(CountAtLeastF64);

namespace {

// A lane of floats counts in 32 bits.
constexpr size_t kMostValues = size_t{1} << 31;

}  // namespace

void count_at_least(const float* values, ptrdiff_t stride, size_t n, const float* thresholds, size_t size,
                    uint64_t* counts) noexcept {
  while (n > 0) {
    const size_t some = std::min(n, kMostValues);
    HWY_DYNAMIC_DISPATCH(CountAtLeastF32)(values, stride, some, thresholds, size, counts);
    values = reinterpret_cast<const float*>(reinterpret_cast<const std::byte*>(values) +
                                            static_cast<ptrdiff_t>(some) * stride);
    n -= some;
  }
}

void count_at_least(const double* values, ptrdiff_t stride, size_t n, const double* thresholds, size_t size,
                    uint64_t* counts) noexcept {
  HWY_DYNAMIC_DISPATCH(CountAtLeastF64)(values, stride, n, thresholds, size, counts);
}

float float_threshold(double threshold) noexcept {
  const auto nearest = static_cast<float>(threshold);
  if (!(static_cast<double>(nearest) < threshold)) return nearest;
  // The next float: the bits of negative ones fall.
  const auto bits = std::bit_cast<int32_t>(nearest);
  if (nearest == 0) return std::numeric_limits<float>::denorm_min();
  return std::bit_cast<float>(bits < 0 ? bits - 1 : bits + 1);
}

}  // namespace maas
#endif  // HWY_ONCE
