#include "maas/kernels/integers.h"

#include <type_traits>

namespace maas {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

template <class T, class Fn>
bool map_each(size_t n, const T* x, const T* y, T* out, Fn fn) {
  for (size_t i = 0; i < n; ++i) out[i] = fn(x[i], y[i]);
  return true;
}

template <class T>
T negate(T x) {
  return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(x));
}

// Quotient, or remainder with the sign of x; by -1 without the overflow of the least value.
template <class T>
T divide(T x, T y) {
  return y == 0 ? T{0} : y == T{-1} ? negate(x) : static_cast<T>(x / y);
}
template <class T>
T remainder(T x, T y) {
  return y == 0 || y == T{-1} ? T{0} : static_cast<T>(x % y);
}

template <class T>
T power(T x, T y) {
  if (y < 0) return x == 1 ? T{1} : x == T{-1} ? (y % 2 == 0 ? T{1} : T{-1}) : T{0};
  Unsigned<T> result = 1, square = static_cast<Unsigned<T>>(x);
  for (auto rest = static_cast<Unsigned<T>>(y); rest != 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return static_cast<T>(result);
}

template <class T>
bool map_division(MapOp op, size_t n, const T* x, const T* y, T* out) {
  bool zero = false;
  for (size_t i = 0; i < n; ++i) {
    const T a = x[i], b = y[i];
    zero |= b == 0;
    if (op == MapOp::kDivide) {
      out[i] = divide(a, b);
      continue;
    }
    const T r = remainder(a, b);
    out[i] = op == MapOp::kMod && r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  }
  return !zero;
}

template <class T>
bool map_unary(MapOp op, size_t n, const T* x, T* out) {
  switch (op) {
    case MapOp::kAbs: return map_each(n, x, x, out, [](T a, T) { return a < 0 ? negate(a) : a; });
    case MapOp::kNeg: return map_each(n, x, x, out, [](T a, T) { return negate(a); });
    default: return map_each(n, x, x, out, [](T a, T) { return static_cast<T>((a > 0) - (a < 0)); });
  }
}

}  // namespace

template <class T>
bool map_integers(MapOp op, size_t n, const T* x, const T* y, T* out) {
  using U = Unsigned<T>;
  switch (op) {
    case MapOp::kMax: return map_each(n, x, y, out, [](T a, T b) { return a > b ? a : b; });
    case MapOp::kMin: return map_each(n, x, y, out, [](T a, T b) { return a < b ? a : b; });
    case MapOp::kAdd: return map_each(n, x, y, out, [](T a, T b) { return static_cast<T>(U(a) + U(b)); });
    case MapOp::kSubtract:
      return map_each(n, x, y, out, [](T a, T b) { return static_cast<T>(U(a) - U(b)); });
    case MapOp::kMultiply:
      return map_each(n, x, y, out, [](T a, T b) { return static_cast<T>(U(a) * U(b)); });
    case MapOp::kPow: return map_each(n, x, y, out, [](T a, T b) { return power(a, b); });
    case MapOp::kDivide:
    case MapOp::kFmod:
    case MapOp::kMod: return map_division(op, n, x, y, out);
    default: return map_unary(op, n, x, out);
  }
}
template bool map_integers(MapOp op, size_t n, const int32_t* x, const int32_t* y, int32_t* out);
template bool map_integers(MapOp op, size_t n, const int64_t* x, const int64_t* y, int64_t* out);

}  // namespace maas
