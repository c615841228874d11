#include "maas/kernels/gemm.h"

#include "maas/kernels/gemm_task.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/gemm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

void task_f32(const GemmTask<float>& task, float* strips) { run_gemm_task(task, strips); }
void task_f64(const GemmTask<double>& task, double* strips) { run_gemm_task(task, strips); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/narrow.h"

namespace maas {

HWY_EXPORT(task_f32);
HWY_EXPORT(task_f64);

namespace {

// Multiply-adds up to which one thread is enough: about 20 µs of float32.
constexpr size_t kSerialWork = size_t{1} << 20;
constexpr size_t kSerialNarrowWork = size_t{1} << 18;  // bounded by memory, not by arithmetic
// Values of B packed at a time when B is large: 32 MB of float32.
constexpr size_t kPackedValues = size_t{1} << 23;

void run_task(const GemmTask<float>& task, float* strips) { HWY_DYNAMIC_DISPATCH(task_f32)(task, strips); }
void run_task(const GemmTask<double>& task, double* strips) { HWY_DYNAMIC_DISPATCH(task_f64)(task, strips); }

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

template <class Fn>
void for_tasks(size_t tasks, bool serial, Fn fn) {
  if (serial) {
    for (size_t task = 0; task < tasks; ++task) fn(task, 0);
  } else {
    parallel_for(tasks, fn);
  }
}

template <class T>
MatrixView<T> col_range(MatrixView<T> b, size_t begin, size_t end) {
  return {b.at(0, begin), b.rows, end - begin, b.row_stride, b.col_stride};
}

// The product of `whole`, cut into tasks of rows and columns.
template <class T>
void run_tasks(const GemmTask<T>& whole) {
  // About 24 tasks, so that no thread waits long for another's last one; larger where B's blocks, which each
  // task reads again, would not be worth their way to the second-level cache.
  const size_t col_tasks = divide_up(whole.cols, kTaskCols<T>);
  const size_t strips = divide_up(divide_up(whole.rows, kTileRows), std::max<size_t>(1, 24 / col_tasks));
  const size_t task_rows = std::min(kTileRows * strips, kTaskRows);
  const size_t row_tasks = divide_up(whole.rows, task_rows);
  // Rows of A are read in place when contiguous; a copy in strips pays for itself otherwise.
  const bool in_place = whole.a_col == 1 || whole.rows < kTileRows;
  if (in_place && row_tasks * col_tasks == 1) return run_task(whole, static_cast<T*>(nullptr));
  const bool serial = whole.rows * whole.cols * whole.depth <= kSerialWork;
  for_tasks(row_tasks * col_tasks, serial, [&](size_t index, int) {
    const size_t row = index % row_tasks * task_rows;
    const size_t col = index / row_tasks * kTaskCols<T>;
    const GemmTask<T> task =
        whole.part(row, std::min(task_rows, whole.rows - row), col, std::min(kTaskCols<T>, whole.cols - col));
    if (task.upper && task.diagonal >= static_cast<ptrdiff_t>(task.cols)) return;
    if (in_place) return run_task(task, static_cast<T*>(nullptr));
    AlignedBuffer<T> copy(divide_up(task.rows, kTileRows) *
                          strip_stride<T>(std::min(kBlockDepth, task.depth)));
    run_task(task, copy.data());
  });
}

template <class T>
GemmTask<T> whole_task(MatrixView<T> a, size_t cols, T* c, size_t ldc, GemmOptions<T> options) {
  return {.a = a.data,
          .a_row = a.row_stride,
          .a_col = a.col_stride,
          .b = nullptr,
          .ldb = static_cast<ptrdiff_t>(kSliver<T>),
          .sliver_stride = a.cols * kSliver<T>,
          .c = c,
          .ldc = ldc,
          .rows = a.rows,
          .cols = cols,
          .depth = a.cols,
          .accumulate = options.accumulate,
          .bias = options.bias,
          .upper = false,
          .diagonal = 0};
}

// Columns [begin, end) of the product `whole`.
template <class T>
GemmTask<T> task_cols(GemmTask<T> whole, size_t begin, size_t end) {
  whole.c += begin;
  whole.cols = end - begin;
  whole.diagonal -= static_cast<ptrdiff_t>(begin);
  if (whole.bias != nullptr) whole.bias += begin;
  return whole;
}

// Columns [begin, end) with B packed first, in groups that bound the memory.
template <class T>
void run_packed(const GemmTask<T>& whole, MatrixView<T> b, size_t begin, bool negate) {
  const size_t group = std::max<size_t>(1, kPackedValues / (b.rows * kSliver<T> + 1)) * kSliver<T>;
  const size_t widest = divide_up(std::min(group, b.cols - begin), kSliver<T>) * kSliver<T>;
  AlignedBuffer<T> packed(widest * b.rows);
  for (; begin < b.cols; begin += group) {
    const size_t end = std::min(b.cols, begin + group);
    const bool serial = b.rows * (end - begin) <= kSerialNarrowWork;
    for_tasks(divide_up(end - begin, kSliver<T>), serial, [&](size_t sliver, int) {
      const size_t col = begin + sliver * kSliver<T>;
      pack_sliver(col_range(b, col, std::min(end, col + kSliver<T>)), negate,
                  packed.data() + sliver * b.rows * kSliver<T>);
    });
    GemmTask<T> task = task_cols(whole, begin, end);
    task.b = packed.data();
    run_tasks(task);
  }
}

// B is read in place where that is cheaper than packing: few rows in A to share the packing, or B so small
// that it stays in the first-level cache; contiguous rows in B, and whole vectors of columns (of the widest
// target, so that one rule serves all).
template <class T>
size_t direct_cols(MatrixView<T> a, MatrixView<T> b) {
  const size_t bytes = b.rows * static_cast<size_t>(std::abs(b.row_stride)) * sizeof(T);
  const bool small = a.rows <= 12 || (a.rows <= 48 && bytes <= 65536) || (a.rows <= 128 && bytes <= 32768);
  if (!small || b.col_stride != 1) return 0;
  return b.cols / (kSliver<T> / 4) * (kSliver<T> / 4);
}

template <class T>
void run_narrow(MatrixView<T> a, const T* w, size_t cols, T* c, size_t ldc, GemmOptions<T> options) {
  const size_t task_rows = std::max<size_t>(64, 65536 / (a.cols + 1) / 64 * 64);
  const bool serial = a.rows * a.cols * cols <= kSerialNarrowWork;
  for_tasks(serial ? 1 : divide_up(a.rows, task_rows), serial, [&](size_t task, int) {
    const size_t begin = task * task_rows;
    const size_t end = serial ? a.rows : std::min(a.rows, begin + task_rows);
    gemm_narrow(a.row_range(begin, end), w, {c + begin * ldc, ldc, cols, options.accumulate, options.bias});
  });
}

template <class T>
void multiply(MatrixView<T> a, MatrixView<T> b, T* c, size_t ldc, GemmOptions<T> options) {
  if (a.rows == 0 || b.cols == 0) return;
  if (b.cols < kNarrowCols) {
    const size_t size = b.cols * narrow_stride<T>(b.rows);
    alignas(kAlignment) T small[8 * kDotPartials<T>];
    AlignedBuffer<T> large;
    if (size > std::size(small)) large = AlignedBuffer<T>(size);
    T* w = size > std::size(small) ? large.data() : small;
    pack_narrow(b, w);
    return run_narrow<T>(a, w, b.cols, c, ldc, options);
  }
  const GemmTask<T> whole = whole_task(a, b.cols, c, ldc, options);
  const size_t direct = direct_cols(a, b);
  if (direct > 0) {
    GemmTask<T> task = task_cols(whole, 0, direct);
    task.b = b.data;
    task.ldb = b.row_stride;
    task.sliver_stride = kSliver<T>;
    run_tasks(task);
  }
  if (direct < b.cols) run_packed(whole, b, direct, false);
}

template <class T>
void multiply(MatrixView<T> a, const PackedMatrix<T>& b, T* c, size_t ldc, GemmOptions<T> options) {
  if (a.rows == 0 || b.cols() == 0) return;
  if (b.cols() < kNarrowCols) return run_narrow<T>(a, b.data(), b.cols(), c, ldc, options);
  GemmTask<T> whole = whole_task(a, b.cols(), c, ldc, options);
  whole.b = b.data();
  run_tasks(whole);
}

template <class T>
void update(MatrixView<T> a, MatrixView<T> b, T* c, size_t ldc, Sign sign, Part part) {
  if (a.rows == 0 || b.cols == 0) return;
  GemmTask<T> whole = whole_task(a, b.cols, c, ldc, {.accumulate = true});
  whole.upper = part == Part::kUpper;
  run_packed(whole, b, 0, sign == Sign::kMinus);
}

}  // namespace

void gemm(MatrixView<float> a, MatrixView<float> b, float* c, size_t ldc, GemmOptions<float> options) {
  multiply(a, b, c, ldc, options);
}
void gemm(MatrixView<double> a, MatrixView<double> b, double* c, size_t ldc, GemmOptions<double> options) {
  multiply(a, b, c, ldc, options);
}
void gemm(MatrixView<float> a, const PackedMatrix<float>& b, float* c, size_t ldc,
          GemmOptions<float> options) {
  multiply(a, b, c, ldc, options);
}
void gemm(MatrixView<double> a, const PackedMatrix<double>& b, double* c, size_t ldc,
          GemmOptions<double> options) {
  multiply(a, b, c, ldc, options);
}
void gemm_update(MatrixView<float> a, MatrixView<float> b, float* c, size_t ldc, Sign sign, Part part) {
  update(a, b, c, ldc, sign, part);
}
void gemm_update(MatrixView<double> a, MatrixView<double> b, double* c, size_t ldc, Sign sign, Part part) {
  update(a, b, c, ldc, sign, part);
}

}  // namespace maas
#endif  // HWY_ONCE
