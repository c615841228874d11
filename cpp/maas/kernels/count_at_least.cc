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

// Lanes are thresholds: one value at a time is compared with kVectors of them, whose counts stay in
// registers.
template <size_t kVectors, class T>
HWY_INLINE void CountVectors(const std::byte* values, ptrdiff_t stride, size_t n, const T* thresholds,
                             uint64_t* counts) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const size_t lanes = hn::Lanes(d);
  decltype(hn::Zero(d)) limit[kVectors];
  decltype(hn::Zero(du)) count[kVectors];
  for (size_t k = 0; k < kVectors; ++k) {
    limit[k] = hn::LoadU(d, thresholds + k * lanes);
    count[k] = hn::Zero(du);
  }
  const auto one = hn::Set(du, 1);
  for (size_t i = 0; i < n; ++i, values += stride) {
    const auto value = hn::Set(d, load_unaligned(reinterpret_cast<const T*>(values)));
    for (size_t k = 0; k < kVectors; ++k) {
      const auto reaches = hn::RebindMask(du, hn::Ge(value, limit[k]));
      count[k] = hn::Add(count[k], hn::IfThenElseZero(reaches, one));
    }
  }
  HWY_ALIGN hn::TFromD<decltype(du)> stored[kThresholdGroup];
  for (size_t k = 0; k < kVectors; ++k) {
    hn::Store(count[k], du, stored);
    for (size_t lane = 0; lane < lanes; ++lane) counts[k * lanes + lane] += stored[lane];
  }
}

template <class T>
void CountAtLeast(const T* values, ptrdiff_t stride, size_t n, const T* thresholds, size_t size,
                  uint64_t* counts) {
  const size_t lanes = hn::Lanes(hn::ScalableTag<T>());
  const auto* bytes = reinterpret_cast<const std::byte*>(values);
  for (size_t k = 0; k < size;) {
    const size_t left = (size - k) / lanes;
    if (left >= 4) {
      CountVectors<4>(bytes, stride, n, thresholds + k, counts + k);
      k += 4 * lanes;
    } else if (left >= 2) {
      CountVectors<2>(bytes, stride, n, thresholds + k, counts + k);
      k += 2 * lanes;
    } else {
      CountVectors<1>(bytes, stride, n, thresholds + k, counts + k);
      k += lanes;
    }
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
