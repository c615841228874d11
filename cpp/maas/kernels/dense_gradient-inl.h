// Vector code of kernels/dense_gradient.cc beside the products: transposes, and the derivatives by the sums.
// Include per target.
#if defined(MAAS_KERNELS_DENSE_GRADIENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_DENSE_GRADIENT_INL_H_
#undef MAAS_KERNELS_DENSE_GRADIENT_INL_H_
#else
#define MAAS_KERNELS_DENSE_GRADIENT_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "hwy/highway.h"
#include "maas/kernels/canonical-inl.h"
#include "maas/kernels/dense_gradient.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Values of 16 bytes.
template <class T>
inline constexpr size_t kQuad = 16 / sizeof(T);

// 16 bytes from each of several rows, `stride` apart, side by side.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_quads(D d, const T* p, size_t stride) {
  if constexpr (hn::MaxLanes(D()) == kQuad<T>) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    constexpr size_t kRows = hn::MaxLanes(D()) / kQuad<T> / 2;
    return hn::Combine(d, load_quads(half, p + kRows * stride, stride), load_quads(half, p, stride));
  }
}

// One vector of rows times 16 bytes of columns, of which the first `cols` are stored.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void transpose_quad(D d, const T* from, size_t ldf, size_t cols, T* to, size_t ldt) {
  if constexpr (sizeof(T) == 8) {
    const auto r0 = load_quads(d, from, 2 * ldf), r1 = load_quads(d, from + ldf, 2 * ldf);
    hn::StoreU(hn::InterleaveLower(d, r0, r1), d, to);
    if (cols > 1) hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, to + ldt);
  } else {
    const auto r0 = load_quads(d, from, 4 * ldf), r1 = load_quads(d, from + ldf, 4 * ldf);
    const auto r2 = load_quads(d, from + 2 * ldf, 4 * ldf), r3 = load_quads(d, from + 3 * ldf, 4 * ldf);
    const auto l02 = hn::InterleaveLower(d, r0, r2), l13 = hn::InterleaveLower(d, r1, r3);
    const auto u02 = hn::InterleaveUpper(d, r0, r2), u13 = hn::InterleaveUpper(d, r1, r3);
    hn::StoreU(hn::InterleaveLower(d, l02, l13), d, to);
    if (cols > 1) hn::StoreU(hn::InterleaveUpper(d, l02, l13), d, to + ldt);
    if (cols > 2) hn::StoreU(hn::InterleaveLower(d, u02, u13), d, to + 2 * ldt);
    if (cols > 3) hn::StoreU(hn::InterleaveUpper(d, u02, u13), d, to + 3 * ldt);
  }
}

template <class T>
void transpose_panel(const T* from, size_t ldf, size_t rows, size_t cols, T* to, size_t ldt) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T), kLine = 64 / sizeof(T);
  size_t i = 0;
  for (; i + kLanes <= rows; i += kLanes) {
    for (size_t j = 0; j < cols; j += kQuad<T>) {
      transpose_quad(d, from + i * ldf + j, ldf, cols - j, to + j * ldt + i, ldt);
    }
  }
  if (i == rows) return;
  HWY_ALIGN T rest[kLanes * kLine] = {};  // the rows left, a line of columns at a time
  for (size_t line = 0; line < cols; line += kLine) {
    const size_t count = std::min(kLine, (cols - line + kQuad<T> - 1) / kQuad<T> * kQuad<T>);
    for (size_t r = i; r < rows; ++r) {
      std::memcpy(rest + (r - i) * kLine, from + r * ldf + line, count * sizeof(T));
    }
    for (size_t j = 0; j < count; j += kQuad<T>) {
      transpose_quad(d, rest + j, kLine, cols - line - j, to + (line + j) * ldt + i, ldt);
    }
  }
}

// kVectors vectors of units of each row: the activation, a copy to `packed` if any, and the sums.
template <bool kRelu, class D, size_t kVectors, class T = hn::TFromD<D>>
HWY_INLINE void sum_delta_rows(D d, const T* out, T* delta, size_t ld, size_t rows, T* packed,
                               hn::Vec<D> (&sum)[kVectors]) {
  constexpr size_t kLanes = HWY_LANES(T);
  for (size_t r = 0; r < rows; ++r, out += ld, delta += ld) {
    hn::Vec<D> x[kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      x[v] = hn::Load(d, delta + v * kLanes);
      if constexpr (kRelu) {
        x[v] = hn::IfThenZeroElse(hn::Le(hn::Load(d, out + v * kLanes), hn::Zero(d)), x[v]);
        hn::Store(x[v], d, delta + v * kLanes);
      }
      sum[v] = hn::Add(sum[v], x[v]);
    }
    if (packed == nullptr) continue;
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) hn::Store(x[v], d, packed + v * kLanes);
    packed += kSliver<T>;
  }
}

// kVectors vectors of units from `first` on; rows in blocks that stay in the first-level cache from the
// activation to the transpose.
template <size_t kVectors, class T>
HWY_NOINLINE void make_delta_vectors(const DeltaTask<T>& t, size_t first) {
  const hn::ScalableTag<T> d;
  constexpr size_t kLanes = HWY_LANES(T);
  const bool blocked = t.gradient != nullptr || t.transposed != nullptr;
  const size_t block = blocked ? 16 : std::max<size_t>(t.rows, 1);
  hn::Vec<decltype(d)> sum[kVectors];
  for (size_t v = 0; v < kVectors; ++v) {
    const bool old = t.bias_gradient != nullptr && t.accumulate;
    sum[v] = old ? hn::Load(d, t.bias_gradient + first + v * kLanes) : hn::Zero(d);
  }
  const size_t sliver = first / kSliver<T> * kSliver<T>;
  for (size_t begin = 0; begin < t.rows; begin += block) {
    const size_t rows = std::min(block, t.rows - begin);
    const T* out = t.out + begin * t.ld + first;
    T* delta = t.delta + begin * t.ld + first;
    T* packed =
        t.packed == nullptr ? nullptr : t.packed + sliver * t.rows + begin * kSliver<T> + (first - sliver);
    for (size_t r = 0; t.gradient != nullptr && r < rows; ++r) {
      T* row = delta + r * t.ld;
      t.gradient(kVectors * kLanes, out + r * t.ld, row, row, t.p, t.q);
    }
    if (t.relu) {
      sum_delta_rows<true>(d, out, delta, t.ld, rows, packed, sum);
    } else {
      sum_delta_rows<false>(d, out, delta, t.ld, rows, packed, sum);
    }
    if (t.transposed == nullptr || first >= t.units) continue;
    T* to = t.transposed + (begin / kSliver<T> * t.units + first) * kSliver<T> + begin % kSliver<T>;
    transpose_panel(delta, t.ld, rows, std::min(kVectors * kLanes, t.units - first), to, kSliver<T>);
  }
  if (t.bias_gradient == nullptr) return;
  for (size_t v = 0, unit = first; v < kVectors && unit < t.units; ++v, unit += kLanes) {
    const auto mask = hn::FirstN(d, t.units - unit);
    hn::Store(hn::IfThenElseZero(mask, Canonical(d, sum[v])), d, t.bias_gradient + unit);
  }
}

template <class T>
void make_delta(const DeltaTask<T>& t, size_t first, size_t last) {
  constexpr size_t kLanes = HWY_LANES(T);
  for (size_t unit = first; unit < last; unit += 4 * kLanes) {
    switch ((last - unit + kLanes - 1) / kLanes) {
      case 1: return make_delta_vectors<1>(t, unit);
      case 2: return make_delta_vectors<2>(t, unit);
      case 3: return make_delta_vectors<3>(t, unit);
      default: make_delta_vectors<4>(t, unit);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif  // MAAS_KERNELS_DENSE_GRADIENT_INL_H_
