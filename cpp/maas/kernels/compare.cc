#include "maas/kernels/compare.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/compare.cc"
#include <functional>
#include <limits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// Plain loops: the compiler makes vectors of each target's width out of them, and there is nothing to round.
template <class Op, class T>
void Compare(size_t n, const T* x, const T* y, uint8_t* out) {
  const Op op;
  for (size_t i = 0; i < n; ++i) out[i] = op(x[i], y[i]) ? 1 : 0;
}

template <class T>
void Select(size_t n, const uint8_t* condition, const T* x, const T* y, T* out) {
  for (size_t i = 0; i < n; ++i) {
    const T a = x[i], b = y[i];
    out[i] = condition[i] != 0 ? a : b;
  }
}

template <class T>
CompareFn<T> Find(CompareOp op) {
  switch (op) {
    case CompareOp::kEqual: return Compare<std::equal_to<T>, T>;
    case CompareOp::kLess: return Compare<std::less<T>, T>;
    case CompareOp::kLessOrEqual: return Compare<std::less_equal<T>, T>;
    case CompareOp::kGreater: return Compare<std::greater<T>, T>;
    default: return Compare<std::greater_equal<T>, T>;
  }
}

CompareFn<float> FindCompareF32(CompareOp op) { return Find<float>(op); }
CompareFn<double> FindCompareF64(CompareOp op) { return Find<double>(op); }
CompareFn<int32_t> FindCompareI32(CompareOp op) { return Find<int32_t>(op); }
CompareFn<int64_t> FindCompareI64(CompareOp op) { return Find<int64_t>(op); }
CompareFn<uint8_t> FindCompareU8(CompareOp op) { return Find<uint8_t>(op); }

SelectFn<float> FindSelectF32() { return Select<float>; }
SelectFn<double> FindSelectF64() { return Select<double>; }
SelectFn<int32_t> FindSelectI32() { return Select<int32_t>; }
SelectFn<int64_t> FindSelectI64() { return Select<int64_t>; }
SelectFn<uint8_t> FindSelectU8() { return Select<uint8_t>; }

void Logic(LogicOp op, size_t n, const uint8_t* x, const uint8_t* y, uint8_t* out) {
  const auto each = [&](auto fn) HWY_ATTR {
    for (size_t i = 0; i < n; ++i) out[i] = fn(x[i] != 0, y[i] != 0) ? 1 : 0;
  };
  if (op == LogicOp::kAnd) return each([](bool a, bool b) HWY_ATTR { return a & b; });
  if (op == LogicOp::kOr) return each([](bool a, bool b) HWY_ATTR { return a | b; });
  each([](bool a, bool b) HWY_ATTR { return a != b; });
}
void Not(size_t n, const uint8_t* x, uint8_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = x[i] == 0 ? 1 : 0;
}

template <class T>
void IsNan(size_t n, const T* x, uint8_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = x[i] != x[i] ? 1 : 0;
}
template <class T>
void IsInf(size_t n, const T* x, bool positive, bool negative, uint8_t* out) {
  // An infinity that is not asked for becomes NaN here, which equals nothing.
  constexpr T kInfinity = std::numeric_limits<T>::infinity(), kNaN = std::numeric_limits<T>::quiet_NaN();
  const T high = positive ? kInfinity : kNaN, low = negative ? -kInfinity : kNaN;
  for (size_t i = 0; i < n; ++i) out[i] = (x[i] == high) | (x[i] == low) ? 1 : 0;
}
void IsNanF32(size_t n, const float* x, uint8_t* out) { IsNan(n, x, out); }
void IsNanF64(size_t n, const double* x, uint8_t* out) { IsNan(n, x, out); }
void IsInfF32(size_t n, const float* x, bool high, bool low, uint8_t* out) { IsInf(n, x, high, low, out); }
void IsInfF64(size_t n, const double* x, bool high, bool low, uint8_t* out) { IsInf(n, x, high, low, out); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

#define MAAS_EXPORT(T, suffix)                            \
  HWY_EXPORT(FindCompare##suffix);                        \
  HWY_EXPORT(FindSelect##suffix);                         \
  template <>                                             \
  CompareFn<T> find_compare(CompareOp op) {               \
    return HWY_DYNAMIC_DISPATCH(FindCompare##suffix)(op); \
  }                                                       \
  template <>                                             \
  SelectFn<T> find_select() {                             \
    return HWY_DYNAMIC_DISPATCH(FindSelect##suffix)();    \
  }                                                       \
  static_assert(true)
MAAS_EXPORT(float, F32);
MAAS_EXPORT(double, F64);
MAAS_EXPORT(int32_t, I32);
MAAS_EXPORT(int64_t, I64);
MAAS_EXPORT(uint8_t, U8);
#undef MAAS_EXPORT

HWY_EXPORT(Logic);
HWY_EXPORT(Not);
HWY_EXPORT(IsNanF32);
HWY_EXPORT(IsNanF64);
HWY_EXPORT(IsInfF32);
HWY_EXPORT(IsInfF64);

void map_logic(LogicOp op, size_t n, const uint8_t* x, const uint8_t* y, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(Logic)(op, n, x, y, out);
}
void map_not(size_t n, const uint8_t* x, uint8_t* out) { HWY_DYNAMIC_DISPATCH(Not)(n, x, out); }

template <>
void is_nan(size_t n, const float* x, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(IsNanF32)(n, x, out);
}
template <>
void is_nan(size_t n, const double* x, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(IsNanF64)(n, x, out);
}
template <>
void is_inf(size_t n, const float* x, bool positive, bool negative, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(IsInfF32)(n, x, positive, negative, out);
}
template <>
void is_inf(size_t n, const double* x, bool positive, bool negative, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(IsInfF64)(n, x, positive, negative, out);
}

}  // namespace maas
#endif  // HWY_ONCE
