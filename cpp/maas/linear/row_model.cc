#include "maas/linear/row_model.h"

#include <algorithm>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/loss.h"
#include "maas/kernels/panel.h"

namespace maas {
namespace {

constexpr size_t kShardRows = 4096;

double sum_of(const double* v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += v[i];
  return sum;
}

}  // namespace

template <bool kSoftmax>
RowModel<kSoftmax>::RowModel(size_t rows, size_t outputs, const double* y, const double* weight)
    : rows_(rows),
      outputs_(outputs),
      ld_(panel_ld(rows)),
      y_(ld_, 0.0),
      weight_(ld_, 0.0),
      margins_(outputs * ld_, 0.0),
      residual_(outputs * ld_),
      curvature_(kSoftmax ? 0 : ld_),
      probability_(kSoftmax ? outputs * ld_ : 0),
      weighted_(kSoftmax ? outputs * ld_ : 0),
      curved_(outputs * ld_),
      mean_(kSoftmax ? ld_ : 0) {
  std::copy(y, y + rows, y_.begin());
  if (weight != nullptr) {
    std::copy(weight, weight + rows, weight_.begin());
  } else {
    std::fill(weight_.begin(), weight_.begin() + rows, 1.0);
  }
}

template <bool kSoftmax>
double RowModel<kSoftmax>::evaluate() {
  const Shards shards = make_shards(ld_, kShardRows, 1024);
  std::vector<double> losses(shards.count(), 0.0);
  parallel_for(shards.count(), [&](size_t shard, int) {
    const size_t begin = shards.begin(shard), n = shards.end(shard) - begin;
    const double* const s = weight_.data() + begin;
    if constexpr (!kSoftmax) {
      losses[shard] = loss_rows(Loss::kLogistic, margins_.data() + begin, y_.data() + begin, s, n,
                                residual_.data() + begin, curvature_.data() + begin);
      std::fill(curved_.data() + begin, curved_.data() + begin + n, 0.0);
    } else {
      for (size_t k = 0; k < outputs_; ++k) {
        const double* const z = margins_.data() + k * ld_ + begin;
        std::copy(z, z + n, probability_.data() + k * ld_ + begin);
      }
      losses[shard] = softmax_rows(probability_.data() + begin, ld_, outputs_, y_.data() + begin, s, n,
                                   residual_.data() + begin);
      for (size_t k = 0; k < outputs_; ++k) {
        const double* const p = probability_.data() + k * ld_ + begin;
        double* const weighted = weighted_.data() + k * ld_ + begin;
        for (size_t i = 0; i < n; ++i) weighted[i] = s[i] * p[i];
        double* const u = curved_.data() + k * ld_ + begin;
        std::fill(u, u + n, 0.0);
      }
      std::fill(mean_.data() + begin, mean_.data() + begin + n, 0.0);
    }
  });
  combine_tree(losses.data(), losses.size(), 1);
  return losses[0];
}

template <bool kSoftmax>
double RowModel<kSoftmax>::curvature_sum() const {
  return sum_of(curvature_.data(), curvature_.size() == 0 ? 0 : rows_);
}

template <bool kSoftmax>
double RowModel<kSoftmax>::residual_sum(size_t k) const {
  return sum_of(residual(k), rows_);
}

template class RowModel<false>;
template class RowModel<true>;

}  // namespace maas
