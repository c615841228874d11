#include "maas/kernels/gram.h"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/gram.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A tile is kTile × kTile pairs held in registers over a whole panel: 16 of AVX-512's 32 (4 chains hide the
// latency of an FMA), 9 of the others' 16. The shape changes no bits: a pair's chain is its own.
#if HWY_TARGET <= HWY_AVX3
constexpr int kTile = 4;
#else
constexpr int kTile = 3;
#endif
constexpr size_t kLanes = 8;                          // logical lanes of a double accumulator
constexpr size_t kTileSize = kTile * kTile * kLanes;  // doubles a tile owns, used or not
constexpr size_t kLine = 64;
constexpr size_t tiles(size_t cols) { return (cols + kTile - 1) / kTile; }

template <class T>
struct Operands {
  const T* a;
  const T* b;
  size_t ld;
  size_t rows;
  const T* h;
};

// One register pass over logical lanes [lane, lane + Lanes(d)) of all rows.
template <int kM, int kN, bool kDiagonal, class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE void multiply_lanes(D d, const Operands<T>& x, size_t lane, size_t step, V (&c)[kM][kN]) {
  for (size_t r = lane; r < x.rows; r += step) {
    V b[kN];
    for (int j = 0; j < kN; ++j) b[j] = hn::LoadU(d, x.b + j * x.ld + r);
    for (int i = 0; i < kM; ++i) {
      V a = hn::LoadU(d, x.a + i * x.ld + r);
      if (x.h != nullptr) a = hn::Mul(a, hn::LoadU(d, x.h + r));
      for (int j = kDiagonal ? i : 0; j < kN; ++j) c[i][j] = hn::MulAdd(a, b[j], c[i][j]);
    }
  }
}

template <int kM, int kN, bool kDiagonal>
void multiply_tile(const Operands<double>& x, double* acc) {
  const hn::CappedTag<double, kLanes> d;
  for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    hn::Vec<decltype(d)> c[kM][kN];
    for (int i = 0; i < kM; ++i) {
      for (int j = 0; j < kN; ++j) c[i][j] = hn::Load(d, acc + (i * kTile + j) * kLanes + lane);
    }
    multiply_lanes<kM, kN, kDiagonal>(d, x, lane, kLanes, c);
    for (int i = 0; i < kM; ++i) {
      for (int j = 0; j < kN; ++j) hn::Store(c[i][j], d, acc + (i * kTile + j) * kLanes + lane);
    }
  }
}

// 16 float lanes; lanes l and l + 8 meet in double.
template <int kM, int kN, bool kDiagonal>
void multiply_tile(const Operands<float>& x, double* acc) {
  const hn::CappedTag<float, 2 * kLanes> d;
  alignas(64) float sums[kM][kN][2 * kLanes];
  for (size_t lane = 0; lane < 2 * kLanes; lane += hn::Lanes(d)) {
    hn::Vec<decltype(d)> c[kM][kN];
    for (int i = 0; i < kM; ++i) {
      for (int j = 0; j < kN; ++j) c[i][j] = hn::Zero(d);
    }
    multiply_lanes<kM, kN, kDiagonal>(d, x, lane, 2 * kLanes, c);
    for (int i = 0; i < kM; ++i) {
      for (int j = 0; j < kN; ++j) hn::Store(c[i][j], d, sums[i][j] + lane);
    }
  }
  const hn::CappedTag<double, kLanes> dd;
  const hn::Rebind<float, decltype(dd)> df;
  for (int i = 0; i < kM; ++i) {
    for (int j = kDiagonal ? i : 0; j < kN; ++j) {
      double* into = acc + (i * kTile + j) * kLanes;
      for (size_t lane = 0; lane < kLanes; lane += hn::Lanes(dd)) {
        const auto low = hn::PromoteTo(dd, hn::Load(df, sums[i][j] + lane));
        const auto high = hn::PromoteTo(dd, hn::Load(df, sums[i][j] + kLanes + lane));
        hn::Store(hn::Add(hn::Load(dd, into + lane), hn::Add(low, high)), dd, into + lane);
      }
    }
  }
}

// Picks the compiled tile for the last, narrower group of columns.
template <int kN, class T>
HWY_INLINE void multiply_edge(const Operands<T>& x, size_t n, bool diagonal, double* acc) {
  if constexpr (kN > 0) {
    if (n != kN) return multiply_edge<kN - 1>(x, n, diagonal, acc);
    diagonal ? multiply_tile<kN, kN, true>(x, acc) : multiply_tile<kTile, kN, false>(x, acc);
  }
}

// A block that is not symmetric can also end in a short group of rows: those go one row of the tile at a
// time.
template <class T>
HWY_INLINE void multiply_short(Operands<T> x, size_t m, size_t n, double* acc) {
  for (size_t i = 0; i < m; ++i, x.a += x.ld, acc += kTile * kLanes) {
    Operands<T> column = x;
    for (size_t j = 0; j < n; ++j, column.b += x.ld) multiply_tile<1, 1, false>(column, acc + j * kLanes);
  }
}

template <class T>
void multiply_panel(const T* a, size_t a_cols, const T* b, size_t b_cols, size_t ld, size_t rows, const T* h,
                    double* acc, const NextRows& next) {
  const size_t count = a == b ? tiles(a_cols) * (tiles(a_cols) + 1) / 2 : tiles(a_cols) * tiles(b_cols);
  const size_t share = (next.bytes / count / kLine + 1) * kLine;  // of each tile
  const char* ahead = static_cast<const char*>(next.data);
  const char* const ahead_end = ahead + next.bytes;
  for (size_t i = 0; i < a_cols; i += kTile) {
    const size_t m = std::min<size_t>(kTile, a_cols - i);
    for (size_t j = a == b ? i : 0; j < b_cols; j += kTile, acc += kTileSize) {
      const char* const stop = ahead_end - ahead < static_cast<ptrdiff_t>(share) ? ahead_end : ahead + share;
      for (; ahead < stop; ahead += kLine) __builtin_prefetch(ahead, 0, 2);
      const size_t n = std::min<size_t>(kTile, b_cols - j);
      const Operands<T> x{a + i * ld, b + j * ld, ld, rows, h};
      const bool diagonal = a == b && i == j;
      if (m == kTile || diagonal) {
        multiply_edge<kTile>(x, n, diagonal, acc);
      } else {
        multiply_short(x, m, n, acc);
      }
    }
  }
}

void gram_panel_f64(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, size_t rows,
                    const double* h, double* acc, const NextRows& next) {
  multiply_panel(a, a_cols, b, b_cols, ld, rows, h, acc, next);
}
void gram_panel_f32(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, size_t rows,
                    const float* h, double* acc, const NextRows& next) {
  multiply_panel(a, a_cols, b, b_cols, ld, rows, h, acc, next);
}

size_t accumulator_size(size_t a_cols, size_t b_cols) { return tiles(a_cols) * tiles(b_cols) * kTileSize; }

void finish(const double* acc, size_t a_cols, size_t b_cols, bool symmetric, double* out, size_t out_ld) {
  for (size_t i0 = 0; i0 < a_cols; i0 += kTile) {
    for (size_t j0 = symmetric ? i0 : 0; j0 < b_cols; j0 += kTile, acc += kTileSize) {
      for (size_t i = i0; i < std::min(i0 + kTile, a_cols); ++i) {
        for (size_t j = symmetric ? std::max(i, j0) : j0; j < std::min(j0 + kTile, b_cols); ++j) {
          const double* v = acc + ((i - i0) * kTile + (j - j0)) * kLanes;
          const double sum = ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
          out[i * out_ld + j] += sum;
          if (symmetric && i != j) out[j * out_ld + i] += sum;
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(gram_panel_f64);
HWY_EXPORT(gram_panel_f32);
HWY_EXPORT(accumulator_size);
HWY_EXPORT(finish);

size_t gram_accumulator_size(size_t a_cols, size_t b_cols) {
  return HWY_DYNAMIC_DISPATCH(accumulator_size)(a_cols, b_cols);
}

void gram_panel(const double* a, size_t a_cols, const double* b, size_t b_cols, size_t ld, size_t rows,
                const double* h, double* accumulators, NextRows next) {
  HWY_DYNAMIC_DISPATCH(gram_panel_f64)(a, a_cols, b, b_cols, ld, rows, h, accumulators, next);
}
void gram_panel(const float* a, size_t a_cols, const float* b, size_t b_cols, size_t ld, size_t rows,
                const float* h, double* accumulators, NextRows next) {
  HWY_DYNAMIC_DISPATCH(gram_panel_f32)(a, a_cols, b, b_cols, ld, rows, h, accumulators, next);
}

void gram_finish(const double* accumulators, size_t a_cols, size_t b_cols, bool symmetric, double* out,
                 size_t out_ld) {
  HWY_DYNAMIC_DISPATCH(finish)(accumulators, a_cols, b_cols, symmetric, out, out_ld);
}

}  // namespace maas
#endif  // HWY_ONCE
