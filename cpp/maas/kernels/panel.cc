#include "maas/kernels/panel.h"

#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/panel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where the values of one panel go and what is done to them on the way.
template <class Out>
struct Sink {
  const Out* shift;
  Out* dst;
  size_t ld;

  Out shift_of(size_t j) const { return shift == nullptr ? Out{0} : shift[j]; }
};

// x * 0 is 0 for every finite x and NaN for the others, so one multiply-add a vector collects the verdict.
template <class D, class V = hn::Vec<D>>
V track_finite(D d, V values, V verdict) {
  return hn::MulAdd(values, hn::Zero(d), verdict);
}

// Rows lane by lane: vector `v` holds rows i.. of column j. x - 0 keeps every finite value.
template <class D, class T = hn::TFromD<D>>
void put(D d, hn::Vec<D> v, const Sink<T>& sink, size_t i, size_t j) {
  if (sink.shift != nullptr) v = hn::Sub(v, hn::Set(d, sink.shift[j]));
  hn::StoreU(v, d, sink.dst + j * sink.ld + i);
}

template <class D>
void put(D, hn::Vec<D> v, const Sink<double>& sink, size_t i, size_t j)
  requires std::is_same_v<hn::TFromD<D>, float>
{
  const hn::Half<D> half;
  const hn::Rebind<double, hn::Half<D>> wide;
  put(wide, hn::PromoteTo(wide, hn::LowerHalf(half, v)), sink, i, j);
  put(wide, hn::PromoteTo(wide, hn::UpperHalf(half, v)), sink, i + hn::Lanes(half), j);
}

template <class T, class Out>
bool pack_scalar(MatrixView<T> x, size_t row_begin, size_t i0, size_t i1, size_t j0, size_t j1,
                 const Sink<Out>& sink) {
  T verdict = 0;
  for (size_t j = j0; j < j1; ++j) {
    const Out shift = sink.shift_of(j);
    for (size_t i = i0; i < i1; ++i) {
      const T value = x(row_begin + i, j);
      verdict += value * T{0};
      sink.dst[j * sink.ld + i] = static_cast<Out>(value) - shift;
    }
  }
  return verdict == T{0};
}

// Columns are contiguous: convert down each column.
template <class T, class Out>
bool pack_columns(MatrixView<T> x, size_t row_begin, size_t rows, const Sink<Out>& sink) {
  const hn::ScalableTag<T> d;
  const size_t n = hn::Lanes(d);
  auto verdict = hn::Zero(d);
  const size_t whole = rows / n * n;
  for (size_t j = 0; j < x.cols; ++j) {
    const T* column = x.at(row_begin, j);
    for (size_t i = 0; i < whole; i += n) {
      const auto v = hn::LoadU(d, column + i);
      verdict = track_finite(d, v, verdict);
      put(d, v, sink, i, j);
    }
  }
  const bool finite = hn::AllTrue(d, hn::Eq(verdict, hn::Zero(d)));
  return pack_scalar(x, row_begin, whole, rows, 0, x.cols, sink) && finite;
}

// 128-bit pieces of rows p, p + step, p + 2 step, ... side by side in one vector.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_blocks(D d, const T* p, ptrdiff_t step) {
  if constexpr (hn::MaxLanes(D()) * sizeof(T) <= 16) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    const ptrdiff_t blocks = static_cast<ptrdiff_t>(hn::MaxLanes(D()) * sizeof(T) / 32);
    return hn::Combine(d, load_blocks(half, p + blocks * step, step), load_blocks(half, p, step));
  }
}

// One tile: a vector's worth of rows by 4 float32 columns. Block b of load q is row 4b + q, so transposing
// 4x4 inside each block leaves whole column vectors in row order.
template <class D, class Out>
HWY_INLINE void pack_tile(D d, const float* p, ptrdiff_t row_stride, const Sink<Out>& sink, size_t i,
                          size_t j) {
  const hn::Repartition<double, D> pair;
  const auto r0 = load_blocks(d, p, 4 * row_stride);
  const auto r1 = load_blocks(d, p + row_stride, 4 * row_stride);
  const auto r2 = load_blocks(d, p + 2 * row_stride, 4 * row_stride);
  const auto r3 = load_blocks(d, p + 3 * row_stride, 4 * row_stride);
  const auto low01 = hn::BitCast(pair, hn::InterleaveLower(d, r0, r1));  // a0 b0 a1 b1
  const auto low23 = hn::BitCast(pair, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(pair, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(pair, hn::InterleaveUpper(d, r2, r3));
  put(d, hn::BitCast(d, hn::InterleaveLower(pair, low01, low23)), sink, i, j);
  put(d, hn::BitCast(d, hn::InterleaveUpper(pair, low01, low23)), sink, i, j + 1);
  put(d, hn::BitCast(d, hn::InterleaveLower(pair, high01, high23)), sink, i, j + 2);
  put(d, hn::BitCast(d, hn::InterleaveUpper(pair, high01, high23)), sink, i, j + 3);
}

// The same for 2 float64 columns.
template <class D>
HWY_INLINE void pack_tile(D d, const double* p, ptrdiff_t row_stride, const Sink<double>& sink, size_t i,
                          size_t j) {
  const auto r0 = load_blocks(d, p, 2 * row_stride);
  const auto r1 = load_blocks(d, p + row_stride, 2 * row_stride);
  put(d, hn::InterleaveLower(d, r0, r1), sink, i, j);
  put(d, hn::InterleaveUpper(d, r0, r1), sink, i, j + 1);
}

// Reads p[0, count) in address order and folds it into the verdict; count is at least one 128-bit piece, and
// the last piece overlaps the one before, so nothing outside is read.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> stream(D d, const T* p, size_t count, hn::Vec<D> verdict) {
  const size_t n = hn::Lanes(d);
  auto v1 = hn::Zero(d), v2 = v1, v3 = v1;
  size_t k = 0;
  for (; k + 4 * n <= count; k += 4 * n) {
    verdict = track_finite(d, hn::LoadU(d, p + k), verdict);
    v1 = track_finite(d, hn::LoadU(d, p + k + n), v1);
    v2 = track_finite(d, hn::LoadU(d, p + k + 2 * n), v2);
    v3 = track_finite(d, hn::LoadU(d, p + k + 3 * n), v3);
  }
  const hn::Full128<T> piece;
  const size_t step = hn::Lanes(piece);
  auto rest = hn::Zero(piece);
  for (; k < count; k += step) {
    rest = track_finite(piece, hn::LoadU(piece, p + HWY_MIN(k, count - step)), rest);
  }
  const auto tail = hn::Set(d, hn::GetLane(hn::SumOfLanes(piece, rest)));
  return hn::Add(hn::Add(hn::Add(verdict, v1), hn::Add(v2, v3)), tail);
}

template <class D, class T = hn::TFromD<D>>
hn::Vec<D> stream_rows(D d, const MatrixView<T>& x, size_t begin, size_t end, hn::Vec<D> verdict) {
  if (x.row_stride == static_cast<ptrdiff_t>(x.cols)) {
    return stream(d, x.at(begin, 0), (end - begin) * x.cols, verdict);
  }
  for (size_t i = begin; i < end; ++i) verdict = stream(d, x.at(i, 0), x.cols, verdict);
  return verdict;
}

template <class D, class T = hn::TFromD<D>, class Out>
void transpose_rows(D d, const MatrixView<T>& x, size_t row, const Sink<Out>& sink, size_t i) {
  constexpr size_t kTileCols = 16 / sizeof(T);
  const T* p = x.at(row, 0);
  size_t j = 0;
  for (; j + kTileCols <= x.cols; j += kTileCols) pack_tile(d, p + j, x.row_stride, sink, i, j);
  if (j == x.cols) return;
  j = x.cols - kTileCols;  // overlaps its neighbour and writes the same values again
  pack_tile(d, p + j, x.row_stride, sink, i, j);
}

// Rows are contiguous: read a stretch of rows in address order, then transpose it from the cache. Transposing
// hops between rows, which hardware prefetchers do not follow: from memory it ran at 8 GB/s; after an ordered
// read of about 48 KiB at 15 (one thread) and 24 (two) where plain reading reaches 25 and 31.
template <class T, class Out>
bool pack_rows(const MatrixView<T>& x, size_t row_begin, size_t rows, const Sink<Out>& sink) {
  const hn::ScalableTag<T> d;
  const size_t n = hn::Lanes(d);
  if (x.cols * sizeof(T) < 16) return pack_scalar(x, row_begin, 0, rows, 0, x.cols, sink);
  const size_t whole = rows / n * n;
  const size_t stretch = HWY_MAX(n, size_t{49152} / sizeof(T) / x.cols / n * n);
  auto verdict = hn::Zero(d);
  for (size_t begin = 0; begin < whole; begin += stretch) {
    const size_t end = HWY_MIN(whole, begin + stretch);
    verdict = stream_rows(d, x, row_begin + begin, row_begin + end, verdict);
    for (size_t i = begin; i < end; i += n) transpose_rows(d, x, row_begin + i, sink, i);
  }
  const bool finite = hn::AllTrue(d, hn::Eq(verdict, hn::Zero(d)));
  return pack_scalar(x, row_begin, whole, rows, 0, x.cols, sink) && finite;
}

template <class T, class Out>
bool pack(const MatrixView<T>& x, size_t row_begin, size_t rows, const Out* shift, Out* dst, size_t ld) {
  const Sink<Out> sink{shift, dst, ld};
  for (size_t j = 0; j < x.cols; ++j) {
    for (size_t i = rows; i < ld; ++i) dst[j * ld + i] = Out{0};
  }
  if (x.row_stride == 1) return pack_columns(x, row_begin, rows, sink);
  if (x.col_stride == 1) return pack_rows(x, row_begin, rows, sink);
  return pack_scalar(x, row_begin, 0, rows, 0, x.cols, sink);
}

bool pack_f32(const MatrixView<float>& x, size_t begin, size_t rows, const float* shift, float* dst,
              size_t ld) {
  return pack(x, begin, rows, shift, dst, ld);
}
bool pack_f64(const MatrixView<double>& x, size_t begin, size_t rows, const double* shift, double* dst,
              size_t ld) {
  return pack(x, begin, rows, shift, dst, ld);
}
bool pack_f32_to_f64(const MatrixView<float>& x, size_t begin, size_t rows, const double* shift, double* dst,
                     size_t ld) {
  return pack(x, begin, rows, shift, dst, ld);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(pack_f32);
HWY_EXPORT(pack_f64);
HWY_EXPORT(pack_f32_to_f64);

bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const float* shift, float* dst,
                size_t ld) {
  return HWY_DYNAMIC_DISPATCH(pack_f32)(x, row_begin, rows, shift, dst, ld);
}

bool pack_panel(MatrixView<double> x, size_t row_begin, size_t rows, const double* shift, double* dst,
                size_t ld) {
  return HWY_DYNAMIC_DISPATCH(pack_f64)(x, row_begin, rows, shift, dst, ld);
}

bool pack_panel(MatrixView<float> x, size_t row_begin, size_t rows, const double* shift, double* dst,
                size_t ld) {
  return HWY_DYNAMIC_DISPATCH(pack_f32_to_f64)(x, row_begin, rows, shift, dst, ld);
}

}  // namespace maas
#endif  // HWY_ONCE
