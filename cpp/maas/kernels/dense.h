// One dense layer on rows of features: out = activation(batch_norm(scale(x) · W + bias)), each part optional.
// The bits are those of gemm() of kernels/gemm.h with what precedes and follows it done by
// kernels/norm.h, kernels/elementwise.h and kernels/softmax.h, for any number of rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/base/aligned.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/norm.h"
#include "maas/kernels/packed_matrix.h"
#include "maas/kernels/softmax.h"

namespace maas {

// What follows the sum: a map with its p and q, or a softmax over the row.
template <class T>
struct Activation {
  enum Kind : uint8_t { kNone, kMap, kSoftmax, kLogSoftmax };
  Kind kind = kNone;
  MapOp op = MapOp::kRelu;  // of kMap: not one of two inputs
  T p = 0, q = 0;
};

// The weights outlive the layer; the vectors too.
template <class T>
struct DenseSpec {
  const PackedMatrix<T>* weights = nullptr;  // K × N, N >= 1
  FeatureScale<T> scale;                     // K values each; before the product
  const T* bias = nullptr;                   // N values, or null
  BatchNorm<T> norm;                         // N values each; after the bias
  Activation<T> activation;                  // last
};

// Weights and bias that may change between runs, as training has them. Both on 64 bytes, laid out as
// PackedMatrix has it and as the bias padded with zeros to whole lines of 64 bytes.
template <class T>
struct DenseInPlace {
  const T* weights = nullptr;  // depth × cols
  size_t depth = 0, cols = 0;
  const T* bias = nullptr;  // or null
  Activation<T> activation;
};

// A layer with its functions looked up, as the vector code takes it.
template <class T>
struct DensePlan {
  const T* weights = nullptr;  // as PackedMatrix lays them out
  size_t depth = 0, cols = 0;
  FeatureScale<T> scale;
  const T* bias = nullptr;  // null, or `cols` values and zeros up to whole lines of 64 bytes
  BatchNorm<T> norm;
  Activation<T> activation;
  NormFns<T> norms{};
  MapFn<T> map = nullptr;
  RowsFn<T> softmax = nullptr;
  size_t stored_cols = 0;  // `cols`, or more: columns that may be written, by W's padding
  bool relu = false;       // right after the bias, so no other activation is left
  size_t chunk = 0;        // rows at a time: their results are finished while in the first-level cache
};

// Immutable; threads may share it. Made for the SIMD target active at that moment and stays with it.
template <class T>
class Dense {
 public:
  Dense() = default;
  explicit Dense(const DenseSpec<T>& spec);
  // Rows of `out` are written to the end of their last line of 64 bytes; ldo is whole lines.
  explicit Dense(const DenseInPlace<T>& spec);

  // Values that `work` of a run with up to this many rows must hold; 0: it may be null.
  size_t work_values(size_t rows) const;

  // Row i is at x + i * ldx and goes to out + i * ldo; ldx >= K, ldo >= N; any alignment, nothing overlaps.
  // On the calling thread; no allocation, no lock. `work` on 64 bytes.
  void run(const T* x, size_t rows, size_t ldx, T* out, size_t ldo, T* work) const noexcept {
    run_(plan_, x, rows, ldx, out, ldo, work);
  }

  // The same on the thread pool where there is work for it. Nothing precedes the product, no softmax follows.
  void run_shared(const T* x, size_t rows, size_t ldx, T* out, size_t ldo) const;

  // The same with other weights of that shape, laid out as PackedMatrix lays them out.
  void run_with(const T* weights, const T* x, size_t rows, size_t ldx, T* out, size_t ldo,
                T* work) const noexcept {
    DensePlan<T> plan = plan_;
    plan.weights = weights;
    run_(plan, x, rows, ldx, out, ldo, work);
  }

 private:
  using RunFn = void (*)(const DensePlan<T>&, const T* x, size_t rows, size_t ldx, T* out, size_t ldo,
                         T* work);
  using PartFn = void (*)(const DensePlan<T>&, const T* x, size_t rows, size_t ldx, T* out, size_t ldo,
                          size_t first_col, size_t cols);

  void set_activation(const Activation<T>& activation);

  DensePlan<T> plan_;
  AlignedBuffer<T> bias_;
  RunFn run_ = nullptr;
  PartFn run_part_ = nullptr;
};

extern template class Dense<float>;
extern template class Dense<double>;

}  // namespace maas
