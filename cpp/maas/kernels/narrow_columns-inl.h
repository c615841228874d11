// Narrow products of contiguous columns: vectors along the rows. Include per target.
#if defined(MAAS_KERNELS_NARROW_COLUMNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_NARROW_COLUMNS_INL_H_
#undef MAAS_KERNELS_NARROW_COLUMNS_INL_H_
#else
#define MAAS_KERNELS_NARROW_COLUMNS_INL_H_
#endif

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "maas/base/view.h"
#include "maas/kernels/narrow.h"
#include "maas/kernels/narrow_fold-inl.h"
#include "maas/kernels/packed_matrix.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Blocks of rows to prefetch ahead: about 1 KB of each column.
inline constexpr size_t kAhead = 4;

// One packed column against kVectors vectors of rows.
template <class T>
struct Columns {
  const T* a;
  ptrdiff_t col_stride;
  const T* w;
  size_t depth;
};

// The tree's branch whose partials are first, first + step, first + 2·step, …: leaves (step = all partials)
// are FMA chains. Branches without a term are not visited; they could only change the sign of a zero.
template <size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_NOINLINE void sum_branch(D d, const Columns<T>& x, size_t first, size_t step, hn::Vec<D>* sum) {
  if (step < kDotPartials<T> && first + step < x.depth) {
    hn::Vec<D> right[kVectors];
    sum_branch<kVectors>(d, x, first, 2 * step, sum);
    sum_branch<kVectors>(d, x, first + step, 2 * step, right);
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], right[v]);
    return;
  }
  hn::Vec<D> chain[kVectors];
  for (size_t v = 0; v < kVectors; ++v) chain[v] = hn::Zero(d);
  for (size_t k = first; k < x.depth; k += kDotPartials<T>) {
    const T* column = x.a + static_cast<ptrdiff_t>(k) * x.col_stride;
    // Few rows of many columns at a time are too many streams for the hardware to follow. A prefetch past the
    // end of the matrix is harmless.
    for (size_t line = 0; line < kVectors * HWY_LANES(T); line += 64 / sizeof(T)) {
      hwy::Prefetch(column + kAhead * kVectors * HWY_LANES(T) + line);
    }
    const auto wk = hn::Set(d, x.w[k]);
    for (size_t v = 0; v < kVectors; ++v) {
      chain[v] = hn::MulAdd(hn::LoadU(d, column + v * HWY_LANES(T)), wk, chain[v]);
    }
  }
  for (size_t v = 0; v < kVectors; ++v) sum[v] = chain[v];
}

// kVectors vectors of rows, contiguous in memory, against all packed columns: vectors along the rows.
template <size_t kVectors, class T>
void sum_columns(const T* a, ptrdiff_t col_stride, size_t depth, const T* w, const NarrowOutput<T>& out) {
  const hn::ScalableTag<T> d;
  constexpr size_t kRows = kVectors * HWY_LANES(T);
  for (size_t j = 0; j < out.cols; ++j) {
    hn::Vec<decltype(d)> sum[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
    if (depth > 0)
      sum_branch<kVectors>(d, Columns<T>{a, col_stride, w + j * narrow_stride<T>(depth), depth}, 0, 1, sum);
    HWY_ALIGN T lanes[kRows];
    T* c = out.c + j;
    const bool contiguous = out.ldc == 1;
    if (out.accumulate) {
      for (size_t i = 0; i < kRows; ++i) lanes[i] = c[i * out.ldc];
    }
    HWY_ALIGN T bias[HWY_LANES(T)];
    if (out.bias != nullptr) hn::Store(hn::Set(d, load_unaligned(out.bias + j)), d, bias);
    for (size_t v = 0; v < kVectors; ++v) {
      T* part = lanes + v * HWY_LANES(T);
      const auto old = out.accumulate ? hn::Load(d, part) : hn::Zero(d);
      const auto y = finish_sums(d, sum[v], out.accumulate, old, out.bias == nullptr ? nullptr : bias);
      hn::StoreU(y, d, contiguous ? c + v * HWY_LANES(T) : part);
    }
    if (contiguous) continue;
    for (size_t i = 0; i < kRows; ++i) c[i * out.ldc] = lanes[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_NARROW_COLUMNS_INL_H_
