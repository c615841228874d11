#include "maas/kernels/linear_pass.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/linear_pass.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/lane_tree-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 32 vector registers hold a tile of 16 accumulators and its operands, 16 registers hold one of 8.
constexpr size_t kTile = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM ? 16 : 8;

// R row vectors by O outputs: a broadcast weight serves R vectors, a loaded vector serves O outputs.
template <size_t R, size_t O, class T>
void margins_tile(const T* panel, size_t ld, size_t cols, const T* w, T* z) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> acc[O][R];
  for (size_t o = 0; o < O; ++o) {
    for (size_t r = 0; r < R; ++r) acc[o][r] = hn::Zero(d);
  }
  for (size_t k = 0; k < cols; ++k) {
    hn::Vec<decltype(d)> rows[R];
    for (size_t r = 0; r < R; ++r) rows[r] = hn::LoadU(d, panel + k * ld + r * lanes);
    for (size_t o = 0; o < O; ++o) {
      const auto weight = hn::Set(d, w[o * cols + k]);
      for (size_t r = 0; r < R; ++r) acc[o][r] = hn::MulAdd(rows[r], weight, acc[o][r]);
    }
  }
  for (size_t o = 0; o < O; ++o) {
    for (size_t r = 0; r < R; ++r) hn::StoreU(acc[o][r], d, z + o * ld + r * lanes);
  }
}

template <size_t O, class T>
void margins_rows(const T* panel, size_t ld, size_t cols, const T* w, T* z) {
  constexpr size_t R = O == 1 ? 8 : kTile / O;
  const size_t lanes = hn::Lanes(hn::ScalableTag<T>());
  size_t i = 0;
  for (; i + R * lanes <= ld; i += R * lanes) margins_tile<R, O>(panel + i, ld, cols, w, z + i);
  for (; i < ld; i += lanes) margins_tile<1, O>(panel + i, ld, cols, w, z + i);
}

template <class T>
void margins(const T* panel, size_t ld, size_t cols, const T* w, size_t outputs, T* z) {
  size_t o = 0;
  for (; o + 4 <= outputs; o += 4) margins_rows<4>(panel, ld, cols, w + o * cols, z + o * ld);
  for (; o + 2 <= outputs; o += 2) margins_rows<2>(panel, ld, cols, w + o * cols, z + o * ld);
  for (; o < outputs; ++o) margins_rows<1>(panel, ld, cols, w + o * cols, z + o * ld);
}

// A x B sums at once. A target with fewer lanes than the fixed partials walks the rows once for each group
// of partials, and the groups meet in the same tree.
template <size_t A, size_t B, class T>
void products_tile(const T* a, const T* b, size_t ld, double* sums, size_t sums_ld) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN T partials[A * B][kPartials<T>];
  for (size_t part = 0; part < kPartials<T>; part += lanes) {
    hn::Vec<decltype(d)> acc[A][B];
    for (size_t p = 0; p < A; ++p) {
      for (size_t q = 0; q < B; ++q) acc[p][q] = hn::Zero(d);
    }
    for (size_t i = part; i < ld; i += kPartials<T>) {
      hn::Vec<decltype(d)> left[A];
      for (size_t p = 0; p < A; ++p) left[p] = hn::LoadU(d, a + p * ld + i);
      for (size_t q = 0; q < B; ++q) {
        const auto right = hn::LoadU(d, b + q * ld + i);
        for (size_t p = 0; p < A; ++p) acc[p][q] = hn::MulAdd(left[p], right, acc[p][q]);
      }
    }
    for (size_t p = 0; p < A; ++p) {
      for (size_t q = 0; q < B; ++q) hn::Store(acc[p][q], d, partials[p * B + q] + part);
    }
  }
  for (size_t p = 0; p < A; ++p) {
    for (size_t q = 0; q < B; ++q) sums[p * sums_ld + q] += lane_tree(partials[p * B + q]);
  }
}

template <size_t A, class T>
void products_rows(const T* a, const T* b, size_t b_cols, size_t ld, double* sums) {
  constexpr size_t B = A == 1 ? 8 : kTile / A;
  size_t q = 0;
  for (; q + B <= b_cols; q += B) products_tile<A, B>(a, b + q * ld, ld, sums + q, b_cols);
  for (; q + 2 <= b_cols; q += 2) products_tile<A, 2>(a, b + q * ld, ld, sums + q, b_cols);
  for (; q < b_cols; ++q) products_tile<A, 1>(a, b + q * ld, ld, sums + q, b_cols);
}

template <class T>
void products(const T* a, size_t a_cols, const T* b, size_t b_cols, size_t ld, double* sums) {
  size_t p = 0;
  for (; p + 4 <= a_cols; p += 4) products_rows<4>(a + p * ld, b, b_cols, ld, sums + p * b_cols);
  for (; p + 2 <= a_cols; p += 2) products_rows<2>(a + p * ld, b, b_cols, ld, sums + p * b_cols);
  for (; p < a_cols; ++p) products_rows<1>(a + p * ld, b, b_cols, ld, sums + p * b_cols);
}

void margins_f32(const float* panel, size_t ld, size_t cols, const float* w, size_t outputs, float* z) {
  margins(panel, ld, cols, w, outputs, z);
}
void margins_f64(const double* panel, size_t ld, size_t cols, const double* w, size_t outputs, double* z) {
  margins(panel, ld, cols, w, outputs, z);
}
void products_f32(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, double* sums) {
  products(a, a_cols, b, b_cols, ld, sums);
}
void products_f64(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, double* sums) {
  products(a, a_cols, b, b_cols, ld, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(margins_f32);
HWY_EXPORT(margins_f64);
HWY_EXPORT(products_f32);
HWY_EXPORT(products_f64);

void panel_margins(const float* panel, size_t ld, size_t cols, const float* w, size_t outputs, float* z) {
  HWY_DYNAMIC_DISPATCH(margins_f32)(panel, ld, cols, w, outputs, z);
}
void panel_margins(const double* panel, size_t ld, size_t cols, const double* w, size_t outputs, double* z) {
  HWY_DYNAMIC_DISPATCH(margins_f64)(panel, ld, cols, w, outputs, z);
}
void panel_products(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, double* sums) {
  HWY_DYNAMIC_DISPATCH(products_f32)(a, a_cols, b, b_cols, ld, sums);
}
void panel_products(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, double* sums) {
  HWY_DYNAMIC_DISPATCH(products_f64)(a, a_cols, b, b_cols, ld, sums);
}

}  // namespace maas
#endif  // HWY_ONCE
