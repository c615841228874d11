#include "maas/kernels/count_dots.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/count_dots.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kPartials = 16;
constexpr size_t kGroup = 8;    // a vector of AVX-512; others go over the cached rows several times
constexpr size_t kColumns = 4;  // that share the reading of counts

// partials[c][k] += counts times column over rows k, k + 16, ... of `steps` steps.
template <size_t kWidth>
void AddSteps(const uint32_t* counts, const double* const* columns, size_t steps,
              double (*partials)[kPartials]) {
  const hn::CappedTag<double, kGroup> d;
  const hn::Rebind<int32_t, decltype(d)> d32;
  using V = hn::Vec<decltype(d)>;
  const auto* drawn = reinterpret_cast<const int32_t*>(counts);
  for (size_t lane = 0; lane < kGroup; lane += hn::Lanes(d)) {
    V low[kWidth], high[kWidth];
    for (size_t c = 0; c < kWidth; ++c) {
      low[c] = hn::LoadU(d, partials[c] + lane);
      high[c] = hn::LoadU(d, partials[c] + lane + kGroup);
    }
    for (size_t step = 0; step < steps; ++step) {
      const size_t i = step * kPartials + lane;
      const V first = hn::PromoteTo(d, hn::LoadU(d32, drawn + i));
      const V second = hn::PromoteTo(d, hn::LoadU(d32, drawn + i + kGroup));
      for (size_t c = 0; c < kWidth; ++c) {
        low[c] = hn::MulAdd(first, hn::LoadU(d, columns[c] + i), low[c]);
        high[c] = hn::MulAdd(second, hn::LoadU(d, columns[c] + i + kGroup), high[c]);
      }
    }
    for (size_t c = 0; c < kWidth; ++c) {
      hn::StoreU(low[c], d, partials[c] + lane);
      hn::StoreU(high[c], d, partials[c] + lane + kGroup);
    }
  }
}

template <size_t kWidth>
void AddColumns(const uint32_t* counts, const double* const* columns, size_t begin, size_t n, double* sums) {
  const size_t steps = n / kPartials, left = n % kPartials;
  double partials[kWidth][kPartials] = {};
  const double* starts[kWidth];
  for (size_t c = 0; c < kWidth; ++c) starts[c] = columns[c] + begin;
  AddSteps<kWidth>(counts, starts, steps, partials);
  if (left != 0) {
    uint32_t last_counts[kPartials] = {};
    double last[kWidth][kPartials] = {};
    std::memcpy(last_counts, counts + steps * kPartials, left * sizeof(uint32_t));
    for (size_t c = 0; c < kWidth; ++c) {
      std::memcpy(last[c], starts[c] + steps * kPartials, left * sizeof(double));
      starts[c] = last[c];
    }
    AddSteps<kWidth>(last_counts, starts, 1, partials);
  }
  for (size_t c = 0; c < kWidth; ++c) {
    for (size_t half = kPartials / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) partials[c][k] += partials[c][k + half];
    }
    sums[c] += partials[c][0];
  }
}

void CountDots(const uint32_t* counts, const double* const* columns, size_t width, size_t begin, size_t n,
               double* sums) {
  for (size_t c = 0; c < width; c += kColumns) {
    switch (std::min(kColumns, width - c)) {
      case 1: AddColumns<1>(counts, columns + c, begin, n, sums + c); break;
      case 2: AddColumns<2>(counts, columns + c, begin, n, sums + c); break;
      case 3: AddColumns<3>(counts, columns + c, begin, n, sums + c); break;
      default: AddColumns<4>(counts, columns + c, begin, n, sums + c);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(CountDots);

void count_dots(const uint32_t* counts, const double* const* columns, size_t width, size_t begin, size_t n,
                double* sums) {
  HWY_DYNAMIC_DISPATCH(CountDots)(counts, columns, width, begin, n, sums);
}

}  // namespace maas
#endif  // HWY_ONCE
