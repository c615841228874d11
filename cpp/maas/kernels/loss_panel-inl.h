// What losses over rows share: a block of narrow rows turned to columns, so that vectors run over rows, and
// the sums of both forms. Include per target.
#if defined(MAAS_KERNELS_LOSS_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MAAS_KERNELS_LOSS_PANEL_INL_H_
#undef MAAS_KERNELS_LOSS_PANEL_INL_H_
#else
#define MAAS_KERNELS_LOSS_PANEL_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "maas/kernels/network_loss.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows of a block, and columns up to which rows are turned.
inline constexpr size_t kPanelRows = 64;
inline constexpr size_t kPanelCols = 16;

// Column j of a block is at j * kPanelRows.
template <class T>
struct LossPanel {
  alignas(64) T prediction[kPanelCols * kPanelRows];
  alignas(64) T target[kPanelCols * kPanelRows];
  alignas(64) T gradient[kPanelCols * kPanelRows];
  alignas(64) T weight[kPanelRows];
};

// Zeros up to a whole number of the widest vectors.
template <class T>
HWY_INLINE void TurnRows(const T* from, size_t ld, size_t rows, size_t cols, T* panel) {
  constexpr size_t kWhole = 64 / sizeof(T);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) panel[j * kPanelRows + i] = from[i * ld + j];
  }
  const size_t missing = (kWhole - rows % kWhole) % kWhole;
  for (size_t j = 0; missing > 0 && j < cols; ++j) {
    std::fill_n(panel + j * kPanelRows + rows, missing, T(0));
  }
}
template <class T>
HWY_INLINE void TurnBack(const T* panel, size_t rows, size_t cols, T* to, size_t ld) {
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) to[i * ld + j] = panel[j * kPanelRows + i];
  }
}

// Sixteen doubles: row i is added to the (i mod 16)th.
class RowSums {
 public:
  // Rows i... of v, of which `count` are there.
  template <class D>
  HWY_INLINE void add(D d, size_t i, size_t count, hn::Vec<D> v) {
    using T = hn::TFromD<D>;
    v = hn::IfThenElseZero(hn::FirstN(d, std::min(count, hn::Lanes(d))), v);
    double* at = sums_ + i % kSums;
    if constexpr (sizeof(T) == sizeof(double)) {
      hn::Store(hn::Add(hn::Load(d, at), v), d, at);
    } else {
      const hn::Half<D> half;
      const hn::Rebind<double, decltype(half)> wide;
      const size_t lanes = hn::Lanes(wide);
      hn::Store(hn::Add(hn::Load(wide, at), hn::PromoteTo(wide, hn::LowerHalf(half, v))), wide, at);
      at += lanes;
      hn::Store(hn::Add(hn::Load(wide, at), hn::PromoteTo(wide, hn::UpperHalf(half, v))), wide, at);
    }
  }
  double total() const {
    double sums[kSums];
    std::copy(sums_, sums_ + kSums, sums);
    for (size_t half = kSums / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
    }
    return sums[0];
  }

 private:
  static constexpr size_t kSums = 16;
  alignas(64) double sums_[kSums] = {};
};

// Runs fn(panel, rows) for each block of narrow rows, its predictions, weights and (unless there
// is one target a row, which is no column) targets turned; then turns the gradient back.
template <class T, class Fn>
HWY_INLINE void ForPanels(const LossRows<T>& s, bool target_columns, Fn fn) {
  LossPanel<T> panel;
  for (size_t first = 0; first < s.rows; first += kPanelRows) {
    const size_t rows = std::min(kPanelRows, s.rows - first);
    TurnRows(s.prediction + first * s.ld, s.ld, rows, s.cols, panel.prediction);
    TurnRows(s.target + first * s.target_ld, s.target_ld, rows, target_columns ? s.cols : 1, panel.target);
    if (s.weight == nullptr) {
      std::fill_n(panel.weight, kPanelRows, T(1));
    } else {
      TurnRows(s.weight + first, 1, rows, 1, panel.weight);
    }
    fn(panel, rows);
    if (s.gradient != nullptr) TurnBack(panel.gradient, rows, s.cols, s.gradient + first * s.ld, s.ld);
  }
}

// fn(v, k) for each vector k... of a row of n values, where v < kSumVectors<D> is the accumulator it goes to.
template <class D, class Fn>
HWY_INLINE void ForVectors(D d, size_t n, Fn fn) {
  constexpr size_t kBlock = kSumPartials<hn::TFromD<D>>;
  const size_t lanes = hn::Lanes(d);
  size_t k = 0;
  for (; k + kBlock <= n; k += kBlock) {
    for (size_t v = 0; v < kSumVectors<D>; ++v) fn(v, k + v * lanes);
  }
  for (size_t v = 0; k < n; ++v, k += lanes) fn(v, k);
}

// `v` with zeros for what lies beyond n.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V UpTo(D d, size_t k, size_t n, V v) {
  const size_t lanes = hn::Lanes(d);
  return n - k >= lanes ? v : hn::IfThenElseZero(hn::FirstN(d, n - k), v);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#endif
