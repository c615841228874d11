// Comparisons, logic and choice over contiguous arrays. Truth values are bytes, 0 or 1 out, anything but 0
// true in. Any alignment; `out` may be an input of the same item size. Broadcasting: for_pieces of
// kernels/broadcast.h. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// IEEE comparisons: false where an operand is NaN.
enum class CompareOp { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// T: float, double, int32_t, int64_t, uint8_t (bool: any nonzero byte counts as itself, so pass 0 and 1).
template <class T>
using CompareFn = void (*)(size_t n, const T* x, const T* y, uint8_t* out);
template <class T>
CompareFn<T> find_compare(CompareOp op);

// out[i] = condition[i] ? x[i] : y[i], bit for bit. T: as above.
template <class T>
using SelectFn = void (*)(size_t n, const uint8_t* condition, const T* x, const T* y, T* out);
template <class T>
SelectFn<T> find_select();

enum class LogicOp { kAnd, kOr, kXor };
void map_logic(LogicOp op, size_t n, const uint8_t* x, const uint8_t* y, uint8_t* out);
void map_not(size_t n, const uint8_t* x, uint8_t* out);

// T: float or double.
template <class T>
void is_nan(size_t n, const T* x, uint8_t* out);
template <class T>
void is_inf(size_t n, const T* x, bool positive, bool negative, uint8_t* out);

}  // namespace maas
