// The second derivative of SparseObjective as a matrix, for few columns.
#include <algorithm>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/loss.h"
#include "maas/linear/sparse_objective.h"

namespace maas {

namespace {

// block += curvature x_i x_iᵀ, the intercept's column (value; null: none) behind the features. ld: of block.
template <class T>
void add_row_products(const CsrView<T>& x, size_t row, const double* intercept, double curvature,
                      double* block, size_t ld) {
  const int64_t begin = x.starts[row], end = x.starts[row + 1];
  double* const last = block + x.cols * ld;
  for (int64_t a = begin; a < end; ++a) {
    double* const line = block + static_cast<size_t>(x.columns[a]) * ld;
    const double scaled = curvature * static_cast<double>(x.values[a]);
    for (int64_t b = begin; b < end; ++b) line[x.columns[b]] += scaled * static_cast<double>(x.values[b]);
    if (intercept == nullptr) continue;
    line[x.cols] += scaled * *intercept;
    last[x.columns[a]] += scaled * *intercept;
  }
  if (intercept != nullptr) last[x.cols] += curvature * *intercept * *intercept;
}

}  // namespace

template <class T>
void SparseObjective<T>::hessian(const double* theta, double* h) {
  evaluate_curvature(theta);
  const size_t n = size(), outputs = shape_.outputs;
  // As many shards as fit beside the result in a few megabytes.
  const size_t room = std::max<size_t>(1, (size_t{1} << 19) / (n * n));
  const Shards shards = make_shards(rows_.x.rows, 64, std::min<size_t>(room, 16));
  AlignedBuffer<double> sums(shards.count() * n * n, 0.0);
  const double* const intercept = shape_.intercept ? &intercept_value_ : nullptr;
  parallel_for(shards.count(), [&](size_t shard, int) {
    double* const own = sums.data() + shard * n * n;
    for (size_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const double* const c = curved_.data() + i * outputs;
      if (shape_.loss != Loss::kSoftmax) {
        add_row_products(rows_.x, i, intercept, c[0], own, n);
        continue;
      }
      const double weight = rows_.weight ? rows_.weight[i] : 1.0;
      for (size_t p = 0; p < outputs; ++p) {
        for (size_t q = 0; q < outputs; ++q) {
          add_row_products(rows_.x, i, intercept, weight * c[p] * ((p == q ? 1.0 : 0.0) - c[q]),
                           own + p * columns_ * n + q * columns_, n);
        }
      }
    }
  });
  combine_tree(sums.data(), shards.count(), n * n);
  for (size_t k = 0; k < n * n; ++k) h[k] = sums[k] / total_weight_;
  for (size_t k = 0; k < n; ++k) h[k * n + k] += penalty(k % columns_);
}

template <class T>
void SparseObjective<T>::hessian_blocks(const double* theta, double* h) {
  const size_t n = size();
  std::vector<double> whole(n * n);
  hessian(theta, whole.data());
  for (size_t o = 0; o < shape_.outputs; ++o) {
    for (size_t i = 0; i < columns_; ++i) {
      const double* const from = whole.data() + (o * columns_ + i) * n + o * columns_;
      std::copy(from, from + columns_, h + (o * columns_ + i) * columns_);
    }
  }
}

template void SparseObjective<float>::hessian(const double*, double*);
template void SparseObjective<double>::hessian(const double*, double*);
template void SparseObjective<float>::hessian_blocks(const double*, double*);
template void SparseObjective<double>::hessian_blocks(const double*, double*);

}  // namespace maas
