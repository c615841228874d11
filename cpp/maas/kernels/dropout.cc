#include "maas/kernels/dropout.h"

#include <algorithm>

#include "maas/kernels/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/dropout.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// Words as wide as the values they decide on.
template <class D, class W>
HWY_INLINE auto Widen([[maybe_unused]] D d, W words) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    return words;
  } else {
    return hn::PromoteTo(hn::RebindToUnsigned<D>(), words);
  }
}

template <class T>
void Drop(size_t n, uint32_t threshold, T scale, const uint32_t* words, const T* x, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::Rebind<uint32_t, decltype(d)> dw;
  const V factor = hn::Set(d, scale);
  const auto least = hn::Set(du, threshold);
  const auto drop = [&](auto word, V v) HWY_ATTR {
    const auto dropped = hn::RebindMask(d, hn::Lt(Widen(d, word), least));
    return hn::IfThenZeroElse(dropped, hn::Mul(factor, v));
  };
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(drop(hn::LoadU(dw, words + i), hn::LoadU(d, x + i)), d, out + i);
  }
  if (i < n) StoreTail(d, drop(LoadTail(dw, words + i, n - i), LoadTail(d, x + i, n - i)), out + i, n - i);
}

template <class T>
using DropFn = void (*)(size_t n, uint32_t threshold, T scale, const uint32_t* words, const T* x, T* out);
DropFn<float> FindDropF32() { return Drop<float>; }
DropFn<double> FindDropF64() { return Drop<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(FindDropF32);
HWY_EXPORT(FindDropF64);

namespace {

constexpr size_t kWindowWords = 2048;                              // 8 KiB of stack
constexpr size_t kBlockWords = 4, kVectorWords = 8 * kBlockWords;  // of Philox, and of its widest vector code

// The words of one stretch of values, made many at a time: short rows share one making.
class WordWindow {
 public:
  WordWindow(const DropoutMask& mask, size_t end) : mask_(mask), end_(end) {}

  // Words for values [begin, begin + n) in ascending order; n is cut to what there is.
  const uint32_t* words(size_t begin, size_t& n) {
    if (begin >= made_) {
      first_ = begin / kBlockWords * kBlockWords;
      const size_t wanted = (end_ - first_ + kVectorWords - 1) / kVectorWords * kVectorWords;
      made_ = first_ + std::min(wanted, kWindowWords);
      philox_words(mask_.seed, mask_.stream, mask_.counter + first_ / kBlockWords,
                   (made_ - first_) / kBlockWords, words_);
    }
    n = std::min(n, made_ - begin);
    return words_ + (begin - first_);
  }

 private:
  const DropoutMask& mask_;
  size_t end_, first_ = 0, made_ = 0;
  uint32_t words_[kWindowWords];
};

template <class T, class Fn>
void drop_rows(const DropoutMask& mask, T scale, size_t first, size_t rows, size_t cols, size_t ld,
               const T* x, T* out, Fn drop) {
  WordWindow window(mask, (first + rows) * cols);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols;) {
      size_t n = cols - j;
      const uint32_t* words = window.words((first + i) * cols + j, n);
      drop(n, mask.threshold, scale, words, x + i * ld + j, out + i * ld + j);
      j += n;
    }
  }
}

}  // namespace

void dropout_rows(const DropoutMask& mask, float scale, size_t first, size_t rows, size_t cols, size_t ld,
                  const float* x, float* out) {
  drop_rows(mask, scale, first, rows, cols, ld, x, out, HWY_DYNAMIC_DISPATCH(FindDropF32)());
}
void dropout_rows(const DropoutMask& mask, double scale, size_t first, size_t rows, size_t cols, size_t ld,
                  const double* x, double* out) {
  drop_rows(mask, scale, first, rows, cols, ld, x, out, HWY_DYNAMIC_DISPATCH(FindDropF64)());
}

}  // namespace maas
#endif  // HWY_ONCE
