#include "maas/kernels/dense_gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/dense_gradient.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/dense_gradient-inl.h"
#include "maas/kernels/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
void Multiply(const GemmTask<T>& task) {
  run_gemm_task(task, static_cast<T*>(nullptr));
}

template <class T>
void PackStrips(const T* from, size_t ld, size_t rows, size_t depth, T* to) {
  pack_strips(from, 1, static_cast<ptrdiff_t>(ld), rows, depth, to);
}

template <class T>
DenseGradientFns<T> FindFns() {
  return {Multiply<T>, make_delta<T>, transpose_panel<T>, PackStrips<T>};
}
DenseGradientFns<float> FindDenseGradientF32() { return FindFns<float>(); }
DenseGradientFns<double> FindDenseGradientF64() { return FindFns<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <numeric>

#include "maas/base/thread_pool.h"
#include "maas/kernels/activation_gradient.h"
#include "maas/kernels/product_grid.h"

namespace maas {

HWY_EXPORT(FindDenseGradientF32);
HWY_EXPORT(FindDenseGradientF64);

namespace {

auto find_fns(float) { return HWY_DYNAMIC_DISPATCH(FindDenseGradientF32)(); }
auto find_fns(double) { return HWY_DYNAMIC_DISPATCH(FindDenseGradientF64)(); }

// More rows are taken one lot after another, so that the copies stay small: the chains go on.
constexpr size_t kMostRows = 1024;

// Rows that a task of the transposed input gradient begins on: whole strips, and whole vectors of its result.
constexpr size_t kTransposedRows = 48;

template <class T>
constexpr size_t whole_lines(size_t values) {
  return divide_round_up(values, 64 / sizeof(T)) * (64 / sizeof(T));
}

// Values of a packed B of `depth` × `cols`.
template <class T>
size_t packed_values(size_t depth, size_t cols) {
  return divide_round_up(cols, kSliver<T>) * kSliver<T> * depth;
}

// Whether that many values, one a row of `ld`, would fight for the same lines of the first-level cache (64
// sets of 8 lines), B's among them.
template <class T>
bool share_sets(size_t rows, size_t ld) {
  constexpr size_t kSetBytes = 4096;
  const size_t sets = kSetBytes / std::gcd(kSetBytes, ld * sizeof(T));
  return std::min(rows, kBlockDepth) > 4 * sets;
}

}  // namespace

// What is copied before the products, chosen by the shape; null: nothing.
template <class T>
struct DenseGradient<T>::Plan {
  // A smaller δ is read in place, from the first-level cache.
  static constexpr size_t kCopyBytes = 32768;

  Plan(const DenseGradient& layer, const DenseBatch<T>& b) {
    if (layer.narrow_) return;
    const size_t inputs = layer.inputs_, units = layer.units_;
    if (b.weight_gradient != nullptr) {
      const bool large = b.rows * b.ldo * sizeof(T) > kCopyBytes;
      if (large && b.ldo > kSliver<T>) delta = take(b, packed_values<T>(b.rows, units));
      if (share_sets<T>(b.rows, b.ldx)) {
        strips = take(b, divide_round_up(inputs, kTileRows) * strip_stride<T>(b.rows));
      }
    }
    if (b.in_gradient == nullptr) return;
    if (layer.transposes_weights(b.rows)) {
      weights = take(b, packed_values<T>(units, inputs));
    } else {
      delta_transposed = take(b, packed_values<T>(units, b.rows));
      ldr = result_stride(b.rows);
      result = take(b, ldr * inputs);
    }
  }

  // A line more than whole lines: at multiples of 4 KB rows would fight for the same lines of a cache.
  static size_t result_stride(size_t rows) { return whole_lines<T>(rows) + 64 / sizeof(T); }

  T* take(const DenseBatch<T>& b, size_t values) {
    T* at = b.work + used;
    used += whole_lines<T>(values);
    return at;
  }

  T* delta = nullptr;             // δ in slivers
  T* strips = nullptr;            // xᵀ in strips
  T* weights = nullptr;           // Wᵀ in slivers
  T* delta_transposed = nullptr;  // δᵀ in slivers
  T* result = nullptr;            // the input gradient, transposed
  size_t ldr = 0;
  size_t used = 0;
};

template <class T>
DenseGradient<T>::DenseGradient(size_t inputs, size_t units, Activation<T> activation)
    : inputs_(inputs),
      units_(units),
      narrow_(units < kNarrowCols),
      relu_(activation.kind == Activation<T>::kMap && activation.op == MapOp::kRelu),
      p_(activation.p),
      q_(activation.q),
      fns_(find_fns(T{})) {
  if (activation.kind == Activation<T>::kMap && !relu_)
    gradient_ = find_activation_gradient<T>(activation.op);
}

// The input gradient reads either Wᵀ, or δᵀ and gives a result that is transposed back; then rows that do not
// fill vectors are lost work. A value takes about 3/8 of a cycle to transpose.
template <class T>
bool DenseGradient<T>::transposes_weights(size_t rows) const {
  constexpr size_t kLine = 64 / sizeof(T);
  const size_t values = inputs_ * units_;
  return values <= rows * (inputs_ + units_) + values * (whole_lines<T>(rows) - rows) * 8 / (3 * kLine);
}

template <class T>
size_t DenseGradient<T>::work_values(size_t rows) const {
  if (narrow_) return 0;
  rows = std::min(rows, kMostRows);
  const size_t strips = divide_round_up(inputs_, kTileRows) * strip_stride<T>(rows);
  // More rows transpose the weights.
  const size_t few = std::min(rows, divide_round_up(inputs_ * units_, inputs_ + units_));
  const size_t for_input = std::max(packed_values<T>(units_, inputs_),
                                    packed_values<T>(units_, few) + inputs_ * Plan::result_stride(few));
  return packed_values<T>(rows, units_) + whole_lines<T>(strips) + for_input;
}

// One sliver of Wᵀ: of the inputs from `first` on.
template <class T>
void DenseGradient<T>::transpose_weights(const T* weights, size_t first, T* to) const {
  const size_t count = std::min(kSliver<T>, inputs_ - first);
  for (size_t unit = 0; unit < units_; unit += kSliver<T>) {
    fns_.transpose(weights + unit * inputs_ + first * kSliver<T>, kSliver<T>, count,
                   std::min(kSliver<T>, units_ - unit), to + first * units_ + unit * kSliver<T>, kSliver<T>);
  }
}

// δ, and whatever the products read that is not as they need it.
template <class T>
void DenseGradient<T>::prepare(const DenseBatch<T>& b, const Plan& plan) const {
  const DeltaTask<T> delta{.rows = b.rows,
                           .units = units_,
                           .out = b.out,
                           .delta = b.delta,
                           .ld = b.ldo,
                           .relu = relu_,
                           .gradient = gradient_,
                           .p = p_,
                           .q = q_,
                           .bias_gradient = b.bias_gradient,
                           .accumulate = b.accumulate,
                           .packed = plan.delta,
                           .transposed = plan.delta_transposed};
  const bool copies = delta.packed != nullptr || delta.transposed != nullptr;
  const bool has_delta = relu_ || gradient_ != nullptr || b.bias_gradient != nullptr || copies;
  const size_t units = whole_lines<T>(units_);
  // Slivers of δ, of Wᵀ and groups of strips of x; all at once unless large.
  constexpr size_t kSerialValues = size_t{1} << 16, kSliverStrips = 8;
  const bool serial =
      b.rows * (units_ + inputs_) + inputs_ * units_ * (plan.weights != nullptr) <= kSerialValues;
  const size_t sliver = serial ? std::max(units, inputs_) : kSliver<T>;
  const size_t group = serial ? inputs_ : kSliverStrips * kTileRows;
  const size_t deltas = has_delta ? divide_round_up(units, sliver) : 0;
  const size_t weights = plan.weights == nullptr ? 0 : divide_round_up(inputs_, kSliver<T>);
  const size_t strips = plan.strips == nullptr ? 0 : divide_round_up(inputs_, group);
  const auto task = [&](size_t index, int) {
    if (index < deltas) return fns_.delta(delta, index * sliver, std::min(units, (index + 1) * sliver));
    index -= deltas;
    if (index < weights) return transpose_weights(b.weights, index * kSliver<T>, plan.weights);
    const size_t first = (index - weights) * group;
    fns_.pack_strips(b.x + first, b.ldx, std::min(group, inputs_ - first), b.rows,
                     plan.strips + first / kTileRows * strip_stride<T>(b.rows));
  };
  const size_t tasks = deltas + weights + strips;
  if (!serial) return parallel_for(tasks, task);
  for (size_t index = 0; index < tasks; ++index) task(index, 0);
}

// xᵀ · δ, or δᵀ · x for the columns of a narrow matrix.
template <class T>
GemmTask<T> DenseGradient<T>::weight_product(const DenseBatch<T>& b, const Plan& plan) const {
  GemmTask<T> task{.a = b.delta,
                   .a_row = 1,
                   .a_col = static_cast<ptrdiff_t>(b.ldo),
                   .b = b.x,
                   .ldb = static_cast<ptrdiff_t>(b.ldx),
                   .sliver_stride = kSliver<T>,
                   .c = b.weight_gradient,
                   .ldc = narrow_stride<T>(inputs_),
                   .rows = units_,
                   .cols = inputs_,
                   .depth = b.rows,
                   .accumulate = b.accumulate,
                   .bias = nullptr,
                   .upper = false,
                   .diagonal = 0,
                   .zero_tail = true};
  if (narrow_) return task;
  std::swap(task.a, task.b);
  task.rows = inputs_, task.cols = units_;
  task.a_col = static_cast<ptrdiff_t>(b.ldx), task.ldb = static_cast<ptrdiff_t>(b.ldo);
  task.ldc = kSliver<T>, task.c_sliver = inputs_ * kSliver<T>;
  if (plan.strips != nullptr) {
    task.a = plan.strips, task.a_col = kTileRows;
    task.a_strip = static_cast<ptrdiff_t>(strip_stride<T>(b.rows));
  }
  if (plan.delta != nullptr) {
    task.b = plan.delta, task.ldb = kSliver<T>, task.sliver_stride = b.rows * kSliver<T>;
  }
  return task;
}

// δ · Wᵀ, or (W · δᵀ)ᵀ; to the end of the last line of each row, which W's padding allows.
template <class T>
GemmTask<T> DenseGradient<T>::input_product(const DenseBatch<T>& b, const Plan& plan) const {
  GemmTask<T> task{.a = b.delta,
                   .a_row = static_cast<ptrdiff_t>(b.ldo),
                   .a_col = 1,
                   .b = b.weights,
                   .ldb = static_cast<ptrdiff_t>(narrow_stride<T>(inputs_)),
                   .sliver_stride = kSliver<T>,
                   .c = b.in_gradient,
                   .ldc = b.ldi,
                   .rows = b.rows,
                   .cols = whole_lines<T>(inputs_),
                   .depth = units_,
                   .accumulate = false,
                   .bias = nullptr,
                   .upper = false,
                   .diagonal = 0};
  if (narrow_) return task;
  task.b = plan.weights, task.ldb = kSliver<T>, task.sliver_stride = units_ * kSliver<T>;
  if (plan.weights != nullptr) return task;
  task.a = b.weights, task.a_row = kSliver<T>;
  task.a_run = kSliver<T>, task.a_next = static_cast<ptrdiff_t>(inputs_ * kSliver<T>);
  task.b = plan.delta_transposed;
  task.c = plan.result, task.ldc = plan.ldr;
  task.rows = inputs_, task.cols = whole_lines<T>(b.rows);
  return task;
}

// A part of the input gradient; of the transposed one turned while it is in the cache.
template <class T>
void DenseGradient<T>::multiply_input(const DenseBatch<T>& b, const Plan& plan,
                                      const GemmTask<T>& part) const {
  fns_.multiply(part);
  if (plan.result == nullptr) return;
  const size_t at = static_cast<size_t>(part.c - plan.result), row = at / plan.ldr, col = at % plan.ldr;
  fns_.transpose(part.c, plan.ldr, part.rows, std::min(part.cols, b.rows - col),
                 b.in_gradient + col * b.ldi + row, b.ldi);
}

template <class T>
void DenseGradient<T>::multiply(const DenseBatch<T>& b, const Plan& plan) const {
  const bool weights = b.weight_gradient != nullptr, input = b.in_gradient != nullptr;
  // Both products have as many multiply-adds.
  if (b.rows * inputs_ * units_ <= kSerialProduct) {
    if (input) multiply_input(b, plan, input_product(b, plan));
    if (weights) fns_.multiply(weight_product(b, plan));
    return;
  }
  GemmTask<T> by_weights{}, by_input{};
  ProductGrid weight_grid{}, input_grid{};
  if (weights) {
    by_weights = weight_product(b, plan);
    weight_grid = cut_product<T>(by_weights);
  }
  if (input) {
    by_input = input_product(b, plan);
    // Few rows of the transposed result at a time.
    const bool transposed = plan.result != nullptr;
    input_grid =
        cut_product<T>(by_input, transposed ? ProductCut{96, kTransposedRows, true} : ProductCut{384});
  }
  parallel_for(input_grid.tasks() + weight_grid.tasks(), [&](size_t index, int) {
    if (index < input_grid.tasks()) return multiply_input(b, plan, input_grid.part(by_input, index));
    fns_.multiply(weight_grid.part(by_weights, index - input_grid.tasks()));
  });
}

template <class T>
void DenseGradient<T>::run(const DenseBatch<T>& batch) const {
  DenseBatch<T> part = batch;
  size_t row = 0;
  do {
    part.rows = std::min(kMostRows, batch.rows - row);
    part.accumulate = batch.accumulate || row > 0;
    part.x = batch.x + row * batch.ldx;
    part.out = batch.out + row * batch.ldo;
    part.delta = batch.delta + row * batch.ldo;
    if (batch.in_gradient != nullptr) part.in_gradient = batch.in_gradient + row * batch.ldi;
    const Plan plan(*this, part);
    prepare(part, plan);
    multiply(part, plan);
    row += kMostRows;
  } while (row < batch.rows);
}

template class DenseGradient<float>;
template class DenseGradient<double>;

}  // namespace maas
#endif  // HWY_ONCE
