#include "maas/kernels/count.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/count.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
size_t count_equal_lanes(const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, size_t n) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  size_t equal[4] = {};  // independent counters hide the latency of mask-to-integer moves
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    for (size_t k = 0; k < 4; ++k) {
      const size_t at = i + k * lanes;
      equal[k] += hn::CountTrue(d, hn::Eq(hn::LoadU(d, a + at), hn::LoadU(d, b + at)));
    }
  }
  size_t total = equal[0] + equal[1] + equal[2] + equal[3];
  for (; i < n; ++i) total += load_unaligned(a + i) == load_unaligned(b + i);
  return total;
}

size_t count_equal(const void* a, const void* b, size_t n, size_t item_size) {
  switch (item_size) {
    case 1: return count_equal_lanes(static_cast<const uint8_t*>(a), static_cast<const uint8_t*>(b), n);
    case 2: return count_equal_lanes(static_cast<const uint16_t*>(a), static_cast<const uint16_t*>(b), n);
    case 4: return count_equal_lanes(static_cast<const uint32_t*>(a), static_cast<const uint32_t*>(b), n);
    default: return count_equal_lanes(static_cast<const uint64_t*>(a), static_cast<const uint64_t*>(b), n);
  }
}

LabelRange label_range(const int64_t* HWY_RESTRICT labels, size_t n) {
  const hn::ScalableTag<int64_t> d;
  const size_t lanes = hn::Lanes(d);
  LabelRange range;
  size_t i = 0;
  if (n >= 2 * lanes) {
    auto min0 = hn::LoadU(d, labels), max0 = min0, min1 = min0, max1 = min0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto v0 = hn::LoadU(d, labels + i);
      const auto v1 = hn::LoadU(d, labels + i + lanes);
      min0 = hn::Min(min0, v0);
      max0 = hn::Max(max0, v0);
      min1 = hn::Min(min1, v1);
      max1 = hn::Max(max1, v1);
    }
    range.min = hn::GetLane(hn::MinOfLanes(d, hn::Min(min0, min1)));
    range.max = hn::GetLane(hn::MaxOfLanes(d, hn::Max(max0, max1)));
  }
  for (; i < n; ++i) {
    const int64_t v = load_unaligned(labels + i);
    range.include({v, v});
  }
  return range;
}

void pair_cells(const int64_t* HWY_RESTRICT rows, const int64_t* HWY_RESTRICT cols, int64_t origin,
                uint32_t width, size_t n, uint32_t* HWY_RESTRICT cells) {
  const hn::ScalableTag<int64_t> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::Rebind<uint32_t, decltype(d)> half;
  const size_t lanes = hn::Lanes(d);
  const auto shift = hn::Set(d, origin);
  const auto factor = hn::BitCast(d32, hn::Set(du, width));
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto row = hn::Sub(hn::LoadU(d, rows + i), shift);
    const auto col = hn::BitCast(du, hn::Sub(hn::LoadU(d, cols + i), shift));
    // Both fit 32 bits, so the even-lane product is the whole product.
    const auto cell = hn::Add(hn::MulEven(hn::BitCast(d32, row), factor), col);
    hn::StoreU(hn::TruncateTo(half, cell), half, cells + i);
  }
  for (; i < n; ++i) {
    const auto row = static_cast<uint32_t>(load_unaligned(rows + i) - origin);
    cells[i] = row * width + static_cast<uint32_t>(load_unaligned(cols + i) - origin);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(count_equal);
HWY_EXPORT(label_range);
HWY_EXPORT(pair_cells);

size_t count_equal(const void* a, const void* b, size_t n, size_t item_size) {
  return HWY_DYNAMIC_DISPATCH(count_equal)(a, b, n, item_size);
}

LabelRange label_range(const int64_t* labels, size_t n) {
  return HWY_DYNAMIC_DISPATCH(label_range)(labels, n);
}

void pair_cells(const int64_t* rows, const int64_t* cols, int64_t origin, uint32_t width, size_t n,
                uint32_t* cells) {
  HWY_DYNAMIC_DISPATCH(pair_cells)(rows, cols, origin, width, n, cells);
}

void count_cells(const uint32_t* cells, size_t n, uint32_t* counts, size_t stride) {
  static_assert(kCellLanes == 4);
  uint32_t* lane[kCellLanes] = {counts, counts + stride, counts + 2 * stride, counts + 3 * stride};
  size_t i = 0;
  for (; i + kCellLanes <= n; i += kCellLanes) {
    ++lane[0][cells[i]];
    ++lane[1][cells[i + 1]];
    ++lane[2][cells[i + 2]];
    ++lane[3][cells[i + 3]];
  }
  for (; i < n; ++i) ++lane[i % kCellLanes][cells[i]];
}

}  // namespace maas
#endif  // HWY_ONCE
