#include "maas/kernels/dense.h"

#include <algorithm>

#include "maas/kernels/gemm_task.h"
#include "maas/kernels/narrow.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/dense.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/dense_row-inl.h"
#include "maas/kernels/gemm-inl.h"
#include "maas/kernels/narrow_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// Rows that a narrow layer takes one by one.
inline constexpr size_t kFewRows = 5;

// A wide layer's tiles.
template <class T>
void MultiplyRows(const DensePlan<T>& plan, const T* x, size_t rows, size_t ldx, T* out, size_t ldo) {
  const GemmTask<T> task{.a = x,
                         .a_row = static_cast<ptrdiff_t>(ldx),
                         .a_col = 1,
                         .b = plan.weights,
                         .ldb = static_cast<ptrdiff_t>(kSliver<T>),
                         .sliver_stride = plan.depth * kSliver<T>,
                         .c = out,
                         .ldc = ldo,
                         .rows = rows,
                         .cols = plan.stored_cols,
                         .depth = plan.depth,
                         .accumulate = false,
                         .bias = plan.bias,
                         .upper = false,
                         .diagonal = 0,
                         .relu = plan.relu};
  run_gemm_task(task, static_cast<T*>(nullptr));
}

// Sums, bias and, where the plan says so, ReLU.
template <class T>
void Multiply(const DensePlan<T>& plan, const T* x, size_t rows, size_t ldx, T* out, size_t ldo) {
  if (rows == 1 && plan.cols >= kNarrowCols) return run_wide_row(plan, x, out);
  if (plan.cols < kNarrowCols && rows <= kFewRows) {
    for (size_t i = 0; i < rows; ++i) run_narrow_row(plan, x + i * ldx, out + i * ldo);
    return;
  }
  if (plan.cols < kNarrowCols) {
    const MatrixView<T> a{x, rows, plan.depth, static_cast<ptrdiff_t>(ldx), 1};
    return run_rows(a, plan.weights, NarrowOutput<T>{out, ldo, plan.cols, false, plan.bias});
  }
  MultiplyRows(plan, x, rows, ldx, out, ldo);
}

template <class T>
void Finish(const DensePlan<T>& plan, T* out, size_t rows, size_t ldo) {
  const size_t cols = plan.cols;
  if (plan.norm) plan.norms.batch(plan.norm, out, rows, cols, ldo, out, ldo);
  const Activation<T>& last = plan.activation;
  if (last.kind == Activation<T>::kNone || (plan.relu && (rows <= kFewRows || cols >= kNarrowCols))) return;
  if (last.kind != Activation<T>::kMap) {
    const RowOp op = last.kind == Activation<T>::kSoftmax ? RowOp::kSoftmax : RowOp::kLogSoftmax;
    return plan.softmax(op, out, rows, cols, ldo, out, ldo);
  }
  if (ldo == cols) return plan.map(rows * cols, out, nullptr, out, last.p, last.q);
  for (size_t i = 0; i < rows; ++i) plan.map(cols, out + i * ldo, nullptr, out + i * ldo, last.p, last.q);
}

template <class T>
void RunDense(const DensePlan<T>& plan, const T* x, size_t rows, size_t ldx, T* out, size_t ldo, T* work) {
  for (size_t i = 0; i < rows; i += plan.chunk) {
    const size_t count = std::min(plan.chunk, rows - i);
    const T* in = x + i * ldx;
    size_t ld = ldx;
    if (plan.scale) {
      plan.norms.scale(plan.scale, in, count, plan.depth, ldx, work, plan.depth);
      in = work, ld = plan.depth;
    }
    Multiply(plan, in, count, ld, out + i * ldo, ldo);
    Finish(plan, out + i * ldo, count, ldo);
  }
}

// Columns from `first` (of kSliver<T>) on, where the layer is wide. The rows stay in the cache while a block
// of K passes, so the weights are read once.
template <class T>
void RunPart(const DensePlan<T>& plan, const T* x, size_t rows, size_t ldx, T* out, size_t ldo, size_t first,
             size_t cols) {
  if (plan.cols < kNarrowCols) return RunDense(plan, x, rows, ldx, out, ldo, static_cast<T*>(nullptr));
  DensePlan<T> part = plan;
  part.weights += first * plan.depth;
  part.cols = std::min(cols, plan.cols - first);
  part.stored_cols = std::min(cols, plan.stored_cols - first);
  if (plan.bias != nullptr) part.bias += first;
  MultiplyRows(part, x, rows, ldx, out + first, ldo);
  Finish(part, out + first, rows, ldo);
}

template <class T>
using DenseFn = void (*)(const DensePlan<T>&, const T*, size_t, size_t, T*, size_t, T*);
template <class T>
using PartFn = void (*)(const DensePlan<T>&, const T*, size_t, size_t, T*, size_t, size_t, size_t);
DenseFn<float> FindDenseF32() { return RunDense<float>; }
DenseFn<double> FindDenseF64() { return RunDense<double>; }
PartFn<float> FindPartF32() { return RunPart<float>; }
PartFn<double> FindPartF64() { return RunPart<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "maas/base/thread_pool.h"
#include "maas/kernels/product_grid.h"

namespace maas {

HWY_EXPORT(FindDenseF32);
HWY_EXPORT(FindDenseF64);
HWY_EXPORT(FindPartF32);
HWY_EXPORT(FindPartF64);

namespace {

auto find_dense(float) { return HWY_DYNAMIC_DISPATCH(FindDenseF32)(); }
auto find_dense(double) { return HWY_DYNAMIC_DISPATCH(FindDenseF64)(); }
auto find_part(float) { return HWY_DYNAMIC_DISPATCH(FindPartF32)(); }
auto find_part(double) { return HWY_DYNAMIC_DISPATCH(FindPartF64)(); }

// Whole strips of kTileRows whose results, and scaled features if any, take about 16 KB.
template <class T>
size_t chunk_rows(const DensePlan<T>& plan) {
  const size_t row = plan.cols + (plan.scale ? plan.depth : 0) + 1;
  const size_t strips = 16384 / (row * sizeof(T) * kTileRows);
  return kTileRows * std::clamp<size_t>(strips, 4, plan.cols < kNarrowCols ? 160 : 32);
}

}  // namespace

template <class T>
void Dense<T>::set_activation(const Activation<T>& activation) {
  plan_.activation = activation;
  if (activation.kind == Activation<T>::kMap) plan_.map = find_map<T>(activation.op);
  plan_.softmax = find_rows<T>();
  plan_.relu = !plan_.norm && activation.kind == Activation<T>::kMap && activation.op == MapOp::kRelu;
  plan_.chunk = chunk_rows(plan_);
}

template <class T>
Dense<T>::Dense(const DenseSpec<T>& spec) : run_(find_dense(T{})), run_part_(find_part(T{})) {
  plan_.weights = spec.weights->data();
  plan_.depth = spec.weights->rows();
  plan_.cols = plan_.stored_cols = spec.weights->cols();
  plan_.scale = spec.scale;
  plan_.norm = spec.norm;
  plan_.norms = find_norms<T>();
  set_activation(spec.activation);
  if (spec.bias == nullptr) return;
  bias_ = AlignedBuffer<T>((plan_.cols + kSliver<T> - 1) / kSliver<T> * kSliver<T>, T{0});
  for (size_t j = 0; j < plan_.cols; ++j) bias_[j] = load_unaligned(spec.bias + j);
  plan_.bias = bias_.data();
}

template <class T>
Dense<T>::Dense(const DenseInPlace<T>& spec) : run_(find_dense(T{})), run_part_(find_part(T{})) {
  constexpr size_t kLine = 64 / sizeof(T);
  plan_.weights = spec.weights;
  plan_.depth = spec.depth;
  plan_.cols = spec.cols;
  plan_.stored_cols = (spec.cols + kLine - 1) / kLine * kLine;
  plan_.bias = spec.bias;
  set_activation(spec.activation);
}

template <class T>
void Dense<T>::run_shared(const T* x, size_t rows, size_t ldx, T* out, size_t ldo) const {
  // A block of K of the rows of a task is to fit the second-level cache.
  constexpr size_t kMostRows = (size_t{1} << 19) / (kBlockDepth * sizeof(T));
  const bool narrow = plan_.cols < kNarrowCols;
  const ProductGrid grid = cut_product<T>(rows, plan_.cols, plan_.depth, {kMostRows, kTileRows, narrow});
  if (grid.tasks() == 1) return run_(plan_, x, rows, ldx, out, ldo, nullptr);
  parallel_for(grid.tasks(), [&](size_t index, int) {
    const size_t row = index % grid.row_tasks * grid.task_rows, col = index / grid.row_tasks * grid.task_cols;
    run_part_(plan_, x + row * ldx, std::min(grid.task_rows, rows - row), ldx, out + row * ldo, ldo, col,
              grid.task_cols);
  });
}

template <class T>
size_t Dense<T>::work_values(size_t rows) const {
  return plan_.scale ? std::min(rows, plan_.chunk) * plan_.depth : 0;
}

template class Dense<float>;
template class Dense<double>;

}  // namespace maas
#endif  // HWY_ONCE
