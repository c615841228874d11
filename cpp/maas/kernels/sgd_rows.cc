#include "maas/kernels/sgd_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/sgd_rows.cc"
#include <algorithm>
#include <cmath>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/sgd_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using namespace sgd;

// Bytes fetched ahead of the row being copied: enough to hide the memory's latency, few enough not to
// crowd out what is in use.
constexpr size_t kBytesAhead = 8192;

// Rows copied before their products are formed: a load of what an overlapping store has just written waits
// until that store has left the store buffer.
constexpr size_t kTogether = 8;

// The rows come in random order, which no hardware prefetcher can follow.
template <class T>
HWY_INLINE void fetch_row(const MatrixView<T>& x, size_t row) {
  const char* begin = reinterpret_cast<const char*>(x.at(row, 0));
  const size_t bytes = std::min(x.cols * sizeof(T), kBytesAhead);  // the hardware follows a longer row
  for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(begin + b, 0, 2);
  __builtin_prefetch(begin + bytes - 1, 0, 2);
}

struct RowProducts {
  double square, cross;
};

HWY_INLINE RowProducts multiply_rows(const double* HWY_RESTRICT x, const double* HWY_RESTRICT before,
                                     size_t padded) {
  const Wide d;
  Partials square, cross;
  for_each_vector(padded, [&](size_t at, size_t c) HWY_ATTR {
    const auto v = hn::Load(d, x + at);
    square.chain[c] = hn::MulAdd(v, v, square.chain[c]);
    cross.chain[c] = hn::MulAdd(v, hn::Load(d, before + at), cross.chain[c]);
  });
  return {square.sum(), cross.sum()};
}

bool all_finite(const double* x, size_t cols) {
  double zero = 0;  // stays 0 while all values are finite
  for (size_t j = 0; j < cols; ++j) zero += x[j] * 0;
  return zero == 0;
}

template <class T>
bool gather(const MatrixView<T>& x, const uint32_t* order, size_t count, double* rows, double* cross,
            double* square) {
  const size_t padded = sgd_padded(x.cols);
  const size_t ahead = x.col_stride == 1 ? 1 + kBytesAhead / (x.cols * sizeof(T)) : count;
  for (size_t i = 0; i < std::min(ahead, count); ++i) {
    if (x.col_stride == 1) fetch_row(x, order[i]);
  }
  bool finite = true;
  for (size_t begin = 0; begin < count; begin += kTogether) {
    const size_t end = std::min(begin + kTogether, count);
    for (size_t i = begin; i < end; ++i) {
      if (i + ahead < count) fetch_row(x, order[i + ahead]);
      gather_row(x.at(order[i], 0), x.col_stride, x.cols, rows + i * padded);
    }
    for (size_t i = begin; i < end; ++i) {
      const double* row = rows + i * padded;
      const RowProducts products = multiply_rows(row, i > 0 ? row - padded : row, padded);
      square[i] = products.square;
      if (i > 0) cross[i] = products.cross;
      // Only a row that is not finite, or one of values so large that it overflows, has no finite square.
      if (HWY_UNLIKELY(!(products.square < HUGE_VAL))) finite &= all_finite(row, x.cols);
    }
  }
  return finite;
}

}  // namespace

bool gather_float(const MatrixView<float>& x, const uint32_t* order, size_t count, double* rows,
                  double* cross, double* square) {
  return gather(x, order, count, rows, cross, square);
}

bool gather_double(const MatrixView<double>& x, const uint32_t* order, size_t count, double* rows,
                   double* cross, double* square) {
  return gather(x, order, count, rows, cross, square);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(gather_float);
HWY_EXPORT(gather_double);

bool sgd_gather(const MatrixView<float>& x, const uint32_t* order, size_t count, double* rows, double* cross,
                double* square) {
  return HWY_DYNAMIC_DISPATCH(gather_float)(x, order, count, rows, cross, square);
}

bool sgd_gather(const MatrixView<double>& x, const uint32_t* order, size_t count, double* rows, double* cross,
                double* square) {
  return HWY_DYNAMIC_DISPATCH(gather_double)(x, order, count, rows, cross, square);
}

}  // namespace maas
#endif  // HWY_ONCE
