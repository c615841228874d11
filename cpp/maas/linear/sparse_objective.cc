#include "maas/linear/sparse_objective.h"

#include <algorithm>
#include <cmath>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/csr.h"
#include "maas/kernels/loss.h"
#include "maas/kernels/panel.h"

namespace maas {
namespace {

// Shards: so many that their sums are small beside the matrix, few that adding them up costs little, and
// none with less than some 30 microseconds of work.
size_t shards_for(size_t nonzeros, size_t columns) {
  const size_t per_column = nonzeros / columns;
  const size_t wanted = std::max(per_column / 32, std::min<size_t>(4, per_column / 2));
  const size_t most = std::clamp<size_t>(std::min(wanted, nonzeros >> 15), 1, 64);
  size_t shards = 1;
  while (2 * shards <= most) shards *= 2;
  return shards;
}

// Adds elements [begin, end) of `count` runs of `size` into the first run, by the tree of combine_tree().
void combine_part(double* runs, size_t count, size_t size, size_t begin, size_t end) {
  for (size_t step = 1; step < count; step *= 2) {
    for (size_t i = 0; i + step < count; i += 2 * step) {
      double* into = runs + i * size;
      const double* from = runs + (i + step) * size;
      for (size_t k = begin; k < end; ++k) into[k] += from[k];
    }
  }
}

}  // namespace

// What one worker needs for a block of rows: outputs x block_rows where margins are meant.
template <class T>
struct SparseObjective<T>::Scratch {
  Scratch(size_t outputs, size_t block_rows)
      : z(outputs * block_rows),
        residual(outputs * block_rows),
        y(block_rows),
        weight(block_rows),
        curvature(block_rows),
        curvature_sums(outputs) {}
  AlignedBuffer<double> z, residual, y, weight, curvature;
  std::vector<double> curvature_sums;
  size_t ld = 0;
  const double* weights = nullptr;  // null: ld real rows that count 1
};

template <class T>
SparseObjective<T>::~SparseObjective() = default;

template <class T>
SparseObjective<T>::SparseObjective(const SparseRows<T>& rows, const LinearModelShape& shape, double alpha)
    : rows_(rows), shape_(shape), alpha_(alpha), columns_(rows.x.cols + (shape.intercept ? 1 : 0)) {
  if (!csr_finite(rows.x)) throw NotFinite("X");
  check_targets();
  cut_rows();
  const size_t row_nonzeros = rows.x.nonzeros() / std::max<size_t>(1, rows.x.rows) + 1;
  block_rows_ = std::clamp<size_t>(4096 / row_nonzeros / kPanelPad * kPanelPad, kPanelPad, 512);
  sums_ = AlignedBuffer<double>((cuts_.size() - 1) * size());
  if (shape.outputs > 1) weights_ = AlignedBuffer<double>(size());
  curved_ = AlignedBuffer<double>(rows.x.rows * shape.outputs);
}

// The weights' sum; for the squared loss also the loss of the best constant, the unit of its tolerance.
template <class T>
void SparseObjective<T>::check_targets() {
  double weight = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < rows_.x.rows; ++i) {
    const double s = rows_.weight ? rows_.weight[i] : 1.0;
    const double y = rows_.y[i];
    if (!std::isfinite(s)) throw NotFinite("sample_weight");
    if (!std::isfinite(y)) throw NotFinite("y");
    weight += s;
    sum += s * y;
    squares += s * y * y;
  }
  total_weight_ = weight;
  if (shape_.loss == Loss::kPoisson) scale_ = std::max(sum / weight, 1e-300);
  if (shape_.loss == Loss::kSquared && weight > 0) {
    const double mean = sum / weight;
    scale_ = std::max(squares / weight - mean * mean, 1e-300) / 2;
  }
}

template <class T>
void SparseObjective<T>::cut_rows() {
  const auto& x = rows_.x;
  const size_t count = shards_for(x.nonzeros() + x.rows, columns_);
  // A row costs about as much as a nonzero, so that empty rows are shared out too.
  const auto work = [&](size_t row) { return static_cast<size_t>(x.starts[row] - x.starts[0]) + row; };
  cuts_.assign(1, 0);
  for (size_t k = 1; k < count; ++k) {
    const size_t target = work(x.rows) / count * k;
    size_t low = cuts_.back(), high = x.rows;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (work(middle) < target) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    cuts_.push_back(low);
  }
  cuts_.push_back(x.rows);
}

template <class T>
void SparseObjective<T>::set_intercept(double value, bool penalised) {
  intercept_value_ = value;
  intercept_penalised_ = penalised;
}

template <class T>
double SparseObjective<T>::penalty(size_t column) const {
  return column < rows_.x.cols || intercept_penalised_ ? alpha_ : 0.0;
}

// theta with the outputs of a column side by side.
template <class T>
const double* SparseObjective<T>::by_column(const double* theta) {
  if (shape_.outputs == 1) return theta;
  for (size_t o = 0; o < shape_.outputs; ++o) {
    for (size_t j = 0; j < columns_; ++j) weights_[j * shape_.outputs + o] = theta[o * columns_ + j];
  }
  return weights_.data();
}

template <class T>
void SparseObjective<T>::load_targets(size_t first, size_t count, Scratch& s) const {
  s.ld = panel_ld(count);
  for (size_t i = 0; i < s.ld; ++i) {
    s.y[i] = i < count ? rows_.y[first + i] : 0.0;
    s.weight[i] = i < count ? (rows_.weight ? rows_.weight[first + i] : 1.0) : 0.0;
  }
  s.weights = rows_.weight || count < s.ld ? s.weight.data() : nullptr;
}

template <class T>
void SparseObjective<T>::margins(size_t first, size_t count, const double* w, double* z, size_t ld) const {
  const size_t outputs = shape_.outputs;
  std::vector<double> bias(outputs, 0.0);
  if (shape_.intercept) {
    const double* const b = w + rows_.x.cols * outputs;
    for (size_t o = 0; o < outputs; ++o) bias[o] = intercept_value_ * b[o];
  }
  csr_margins(rows_.x.row_range(first, first + count), w, outputs, bias.data(), z, ld);
  for (size_t o = 0; o < outputs; ++o) std::fill(z + o * ld + count, z + (o + 1) * ld, 0.0);
}

template <class T>
void SparseObjective<T>::add_products(size_t first, size_t count, const double* r, size_t ld,
                                      double* sums) const {
  const size_t outputs = shape_.outputs;
  csr_accumulate(rows_.x.row_range(first, first + count), r, ld, outputs, sums);
  if (!shape_.intercept) return;
  for (size_t o = 0; o < outputs; ++o) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += r[o * ld + i];
    sums[rows_.x.cols * outputs + o] += intercept_value_ * sum;
  }
}

// Runs block(shard, first row, rows, scratch, sums) on every block of rows; the shards' sums, combined and
// divided by the total weight, go to `out` in the layout of theta.
template <class T>
template <class Block>
void SparseObjective<T>::fold_rows(double* out, const Block& block) {
  scratch_.resize(std::max(scratch_.size(), static_cast<size_t>(num_threads())));
  parallel_for(cuts_.size() - 1, [&](size_t shard, int worker) {
    auto& own = scratch_[static_cast<size_t>(worker)];
    if (!own) own = std::make_unique<Scratch>(shape_.outputs, block_rows_);
    double* const sums = sums_.data() + shard * size();
    std::fill(sums, sums + size(), 0.0);
    for (size_t first = cuts_[shard]; first < cuts_[shard + 1]; first += block_rows_) {
      block(shard, first, std::min(block_rows_, cuts_[shard + 1] - first), *own, sums);
    }
  });
  finish_sums(out);
}

template <class T>
void SparseObjective<T>::finish_sums(double* out) {
  constexpr size_t kPiece = size_t{1} << 13;
  const size_t outputs = shape_.outputs;
  const size_t columns_of_piece = std::max<size_t>(1, kPiece / outputs);
  parallel_for((columns_ + columns_of_piece - 1) / columns_of_piece, [&](size_t piece, int) {
    const size_t begin = piece * columns_of_piece, end = std::min(columns_, begin + columns_of_piece);
    combine_part(sums_.data(), cuts_.size() - 1, size(), begin * outputs, end * outputs);
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t j = begin; j < end; ++j) {
        out[o * columns_ + j] = sums_[j * outputs + o] / total_weight_;
      }
    }
  });
}

// From the margins in s.z: the loss is returned, its derivative is in s.residual, and what the second
// derivative needs is kept.
template <class T>
double SparseObjective<T>::block_derivatives(size_t first, size_t count, Scratch& s) {
  const size_t outputs = shape_.outputs, ld = s.ld;
  if (shape_.loss != Loss::kSoftmax) {
    const double loss =
        loss_rows(shape_.loss, s.z.data(), s.y.data(), s.weights, ld, s.residual.data(), s.curvature.data());
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      curved_[first + i] = s.curvature[i];
      sum += s.curvature[i];
    }
    s.curvature_sums[0] += sum;
    return loss;
  }
  const double loss = softmax_rows(s.z.data(), ld, outputs, s.y.data(), s.weights, ld, s.residual.data());
  for (size_t o = 0; o < outputs; ++o) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      const double p = s.z[o * ld + i];
      curved_[(first + i) * outputs + o] = p;
      sum += s.weight[i] * p * (1 - p);
    }
    s.curvature_sums[o] += sum;
  }
  return loss;
}

template <class T>
double SparseObjective<T>::value_and_gradient(const double* theta, double* gradient) {
  const size_t outputs = shape_.outputs, shards = cuts_.size() - 1;
  const double* const w = by_column(theta);
  // The loss, then the curvature of each output; summed shard by shard.
  const size_t width = 1 + outputs;
  std::vector<double> totals(shards * width, 0.0);
  fold_rows(gradient, [&](size_t shard, size_t first, size_t count, Scratch& s, double* sums) {
    load_targets(first, count, s);
    margins(first, count, w, s.z.data(), s.ld);
    std::fill(s.curvature_sums.begin(), s.curvature_sums.end(), 0.0);
    totals[shard * width] += block_derivatives(first, count, s);
    for (size_t o = 0; o < outputs; ++o) totals[shard * width + 1 + o] += s.curvature_sums[o];
    add_products(first, count, s.residual.data(), s.ld, sums);
  });
  combine_tree(totals.data(), shards, width);
  mean_curvature_.assign(totals.begin() + 1, totals.begin() + static_cast<ptrdiff_t>(width));
  for (double& c : mean_curvature_) c /= total_weight_;
  last_.assign(theta, theta + size());
  double squares = 0;
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t j = 0; j < columns_; ++j) {
      const size_t at = o * columns_ + j;
      gradient[at] += penalty(j) * theta[at];
      squares += penalty(j) * theta[at] * theta[at];
    }
  }
  return totals[0] / total_weight_ + squares / 2;
}

// s.residual = (d²loss/dz²) (the margins of a direction, in s.z).
template <class T>
void SparseObjective<T>::curve(size_t first, size_t count, Scratch& s) const {
  const size_t outputs = shape_.outputs, ld = s.ld;
  if (shape_.loss != Loss::kSoftmax) {
    for (size_t i = 0; i < count; ++i) s.residual[i] = curved_[first + i] * s.z[i];
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const double* const p = curved_.data() + (first + i) * outputs;
    const double weight = rows_.weight ? rows_.weight[first + i] : 1.0;
    double mean = 0;
    for (size_t o = 0; o < outputs; ++o) mean += p[o] * s.z[o * ld + i];
    for (size_t o = 0; o < outputs; ++o) s.residual[o * ld + i] = weight * p[o] * (s.z[o * ld + i] - mean);
  }
}

template <class T>
void SparseObjective<T>::hessian_times(const double* v, double* out) {
  const double* const w = by_column(v);
  fold_rows(out, [&](size_t, size_t first, size_t count, Scratch& s, double* sums) {
    s.ld = panel_ld(count);
    margins(first, count, w, s.z.data(), s.ld);
    curve(first, count, s);
    add_products(first, count, s.residual.data(), s.ld, sums);
  });
  for (size_t o = 0; o < shape_.outputs; ++o) {
    for (size_t j = 0; j < columns_; ++j) out[o * columns_ + j] += penalty(j) * v[o * columns_ + j];
  }
}

template <class T>
void SparseObjective<T>::hessian_diagonal(double* diagonal) {
  if (squares_.size() == 0) {
    squares_ = AlignedBuffer<double>(size());
    fold_rows(squares_.data(), [&](size_t, size_t first, size_t count, Scratch& s, double* sums) {
      load_targets(first, count, s);
      const auto x = rows_.x.row_range(first, first + count);
      // Every output has the same squares: only the first output's place is used.
      for (size_t i = 0; i < count; ++i) {
        for (int64_t k = x.starts[i]; k < x.starts[i + 1]; ++k) {
          const auto value = static_cast<double>(x.values[k]);
          sums[static_cast<size_t>(x.columns[k]) * shape_.outputs] += s.weight[i] * value * value;
        }
        if (shape_.intercept)
          sums[rows_.x.cols * shape_.outputs] += s.weight[i] * intercept_value_ * intercept_value_;
      }
    });
  }
  for (size_t o = 0; o < shape_.outputs; ++o) {
    for (size_t j = 0; j < columns_; ++j)
      diagonal[o * columns_ + j] = mean_curvature_[o] * squares_[j] + penalty(j);
  }
}

// Brings the curvature to theta if the last pass was elsewhere.
template <class T>
void SparseObjective<T>::evaluate_curvature(const double* theta) {
  if (last_.size() == size() && std::equal(last_.begin(), last_.end(), theta)) return;
  std::vector<double> gradient(size());
  value_and_gradient(theta, gradient.data());
}

template class SparseObjective<float>;
template class SparseObjective<double>;

}  // namespace maas
