#include "maas/kernels/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/softmax.cc"
#include <cstring>
#include <limits>

#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// What is taken off a row before e^x: its maximum, or 0 where that is infinite. With NaN in the row any value
// will do, for every result is NaN.
template <class D, class T = hn::TFromD<D>>
T RowShift(D d, const T* x, size_t n) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const size_t lanes = hn::Lanes(d);
  auto high = hn::Set(d, -kInfinity);
  size_t k = 0;
  for (; k + lanes <= n; k += lanes) high = hn::Max(high, hn::LoadU(d, x + k));
  if (k < n) {
    const auto tail = LoadTail(d, x + k, n - k);
    high = hn::Max(high, hn::IfThenElse(hn::FirstN(d, n - k), tail, high));
  }
  const T largest = hn::GetLane(hn::MaxOfLanes(d, high));
  return largest > -kInfinity && largest < kInfinity ? largest : T(0);
}

// Sum of e^(x - shift) over a row; the terms go to `terms` unless that is null (it may be x).
template <class D, class T = hn::TFromD<D>>
T SumExp(D d, const T* x, size_t n, T shift, T* terms) {
  constexpr size_t kBlock = kSumPartials<T>;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<D> acc[kSumVectors<D>];
  for (auto& a : acc) a = hn::Zero(d);
  const auto taken = hn::Set(d, shift);
  const auto add_vector = [&](size_t v, size_t k) HWY_ATTR {
    const auto term = Exp(d, hn::Sub(hn::LoadU(d, x + k), taken));
    acc[v] = hn::Add(acc[v], term);
    if (terms != nullptr) hn::StoreU(term, d, terms + k);
  };
  size_t k = 0;
  for (; k + kBlock <= n; k += kBlock) {
    for (size_t v = 0; v < kSumVectors<D>; ++v) add_vector(v, k + v * lanes);
  }
  size_t v = 0;
  for (; k + lanes <= n; k += lanes) add_vector(v++, k);
  if (k < n) {
    const auto term = Exp(d, hn::Sub(LoadTail(d, x + k, n - k), taken));
    acc[v] = hn::Add(acc[v], hn::IfThenElseZero(hn::FirstN(d, n - k), term));
    if (terms != nullptr) StoreTail(d, term, terms + k, n - k);
  }
  return CombinePartials(d, acc);
}

template <class T>
void ExpRows(RowOp op, const T* x, size_t rows, size_t cols, size_t ld, T* out, size_t out_ld) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto canonical = [d](V v) HWY_ATTR { return hn::IfThenElse(hn::IsNaN(v), CanonicalNaN(d), v); };
  for (size_t i = 0; i < rows; ++i, x += ld, out += out_ld) {
    const T shift = RowShift(d, x, cols);
    const V taken = hn::Set(d, shift);
    const V total = hn::Set(d, SumExp(d, x, cols, shift, op == RowOp::kSoftmax ? out : nullptr));
    if (op == RowOp::kSoftmax) {
      const auto share = [=](V v) HWY_ATTR { return canonical(hn::Div(v, total)); };
      MapArrays(d, cols, share, out, static_cast<const T*>(out));
      continue;
    }
    const V log_total = Log(d, total);
    const auto difference = [=](V v) HWY_ATTR { return canonical(hn::Sub(hn::Sub(v, taken), log_total)); };
    if (op == RowOp::kLogSoftmax) MapArrays(d, cols, difference, out, x);
    if (op == RowOp::kLogSumExp) *out = hn::GetLane(canonical(hn::Add(taken, log_total)));
  }
}

RowsFn<float> FindRowsF32() { return ExpRows<float>; }
RowsFn<double> FindRowsF64() { return ExpRows<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(FindRowsF32);
HWY_EXPORT(FindRowsF64);

template <>
RowsFn<float> find_rows() {
  return HWY_DYNAMIC_DISPATCH(FindRowsF32)();
}
template <>
RowsFn<double> find_rows() {
  return HWY_DYNAMIC_DISPATCH(FindRowsF64)();
}

void map_rows(RowOp op, const float* x, size_t rows, size_t cols, size_t ld, float* out, size_t out_ld) {
  find_rows<float>()(op, x, rows, cols, ld, out, out_ld);
}
void map_rows(RowOp op, const double* x, size_t rows, size_t cols, size_t ld, double* out, size_t out_ld) {
  find_rows<double>()(op, x, rows, cols, ld, out, out_ld);
}

namespace {

// Plain comparisons: rows of class scores are too short for vectors to pay.
template <class T>
uint32_t argmax(const T* x, size_t n) {
  size_t best = 0;
  for (size_t j = 0; j < n; ++j) {
    if (x[j] != x[j]) return static_cast<uint32_t>(j);
    if (x[j] > x[best]) best = j;
  }
  return static_cast<uint32_t>(best);
}

template <class T>
void argmax_each(const T* x, size_t rows, size_t cols, size_t ld, uint32_t* out) {
  for (size_t i = 0; i < rows; ++i) out[i] = argmax(x + i * ld, cols);
}

}  // namespace

void argmax_rows(const float* x, size_t rows, size_t cols, size_t ld, uint32_t* out) {
  argmax_each(x, rows, cols, ld, out);
}
void argmax_rows(const double* x, size_t rows, size_t cols, size_t ld, uint32_t* out) {
  argmax_each(x, rows, cols, ld, out);
}

}  // namespace maas
#endif  // HWY_ONCE
