// Backward of one dense layer, out = activation(x · W + bias), W laid out as PackedMatrix lays it out.
//
// Bits: each value of the weight gradient and of the bias gradient is one chain along the rows of the batch
// (by FMA, and by addition), each of the input gradient one FMA chain along the units, whatever the shape,
// tile, thread or SIMD target with FMA. Accumulating continues those chains.
#pragma once

#include <cstddef>

#include "maas/kernels/dense.h"
#include "maas/kernels/gemm_task.h"

namespace maas {

// One batch. Matrices begin on 64 bytes and so do their rows, `ld` apart; they may be read and written to the
// end of the last line of 64 bytes of a row, and what lies beyond the last column reaches no result.
template <class T>
struct DenseBatch {
  size_t rows = 0;
  const T* x = nullptr;  // rows × inputs
  size_t ldx = 0;
  const T* weights = nullptr;
  const T* out = nullptr;  // rows × units, what forward gave
  T* delta = nullptr;      // in: gradient of the loss by `out`; overwritten
  size_t ldo = 0;
  T* weight_gradient = nullptr;  // laid out as the weights, padding left or zeroed; null: not wanted
  T* bias_gradient = nullptr;    // likewise; on 64 bytes and whole lines long
  T* in_gradient = nullptr;      // rows × inputs; null: not wanted
  size_t ldi = 0;
  bool accumulate = false;  // add to the gradients of weights and bias
  T* work = nullptr;        // work_values(rows or more), on 64 bytes
};

// Derivatives by the sum before the activation, made from those by the output, for whole slivers of units.
template <class T>
struct DeltaTask {
  size_t rows, units;
  const T* out;
  T* delta;
  size_t ld;
  bool relu;          // else `gradient`, or nothing where that is null
  MapFn<T> gradient;  // as kernels/activation_gradient.h
  T p, q;
  T* bias_gradient;  // or null
  bool accumulate;
  T* packed;      // or null: the same in slivers of units, as the B of a product along the rows
  T* transposed;  // or null: in slivers of rows, as the B of a product along the units
};

// The vector code, for one target.
template <class T>
struct DenseGradientFns {
  void (*multiply)(const GemmTask<T>& task);
  void (*delta)(const DeltaTask<T>& task, size_t first_unit, size_t last_unit);
  // to[j * ldt + i] = from[i * ldf + j]; rows of `to` are written in whole vectors, those of `from` (on 16
  // bytes) read to a multiple of 16 bytes.
  void (*transpose)(const T* from, size_t ldf, size_t rows, size_t cols, T* to, size_t ldt);
  // `depth` rows of `rows` values, ld apart, as strips of the A of a product along those rows.
  void (*pack_strips)(const T* from, size_t ld, size_t rows, size_t depth, T* to);
};

// Immutable; threads may share it. Stays with the SIMD target it was made for.
template <class T>
class DenseGradient {
 public:
  // The activation: none, or a map whose derivative follows from its output.
  DenseGradient(size_t inputs, size_t units, Activation<T> activation);

  size_t work_values(size_t rows) const;
  // Allocates nothing. Large batches use the thread pool.
  void run(const DenseBatch<T>& batch) const;

 private:
  struct Plan;
  bool transposes_weights(size_t rows) const;
  void transpose_weights(const T* weights, size_t first, T* to) const;
  void prepare(const DenseBatch<T>& batch, const Plan& plan) const;
  GemmTask<T> weight_product(const DenseBatch<T>& batch, const Plan& plan) const;
  GemmTask<T> input_product(const DenseBatch<T>& batch, const Plan& plan) const;
  void multiply_input(const DenseBatch<T>& batch, const Plan& plan, const GemmTask<T>& part) const;
  void multiply(const DenseBatch<T>& batch, const Plan& plan) const;

  size_t inputs_, units_;
  bool narrow_;
  bool relu_ = false;
  MapFn<T> gradient_ = nullptr;
  T p_, q_;
  DenseGradientFns<T> fns_;
};

extern template class DenseGradient<float>;
extern template class DenseGradient<double>;

}  // namespace maas
