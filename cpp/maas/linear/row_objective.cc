#include "maas/linear/row_objective.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/kernels/linear_pass.h"
#include "maas/kernels/panel.h"

namespace maas {
namespace {

// Rows that keep a panel in the first-level cache, or, when there are many columns, in the second.
size_t rows_in_cache(size_t row_bytes) {
  constexpr size_t kFirstLevel = 24 << 10;
  constexpr size_t kSecondLevel = 512 << 10;
  const size_t first = kFirstLevel / row_bytes / 64 * 64;
  if (first >= 128) return std::min<size_t>(first, 512);
  return std::clamp<size_t>(kSecondLevel / row_bytes / 16 * 16, 16, 128);
}

// A shard is worth waking a thread for from about 20 microseconds of work on.
size_t shards_for(size_t rows, size_t work_per_row) {
  return std::clamp<size_t>(rows * work_per_row / (size_t{1} << 16), 1, 64);
}

template <class T>
MatrixView<T> as_column(VectorView<T> v) {
  return {v.data, v.size, 1, v.stride, 1};
}

}  // namespace

template <class T>
WeightedRows<T> WeightedRows<T>::sample(size_t stride) const {
  const size_t count = (x.rows + stride - 1) / stride;
  const auto step = static_cast<ptrdiff_t>(stride);
  WeightedRows out = *this;
  out.x = {x.data, count, x.cols, x.row_stride * step, x.col_stride};
  out.y = {y.data, count, y.stride * step};
  if (weight) out.weight = {weight.data, count, weight.stride * step};
  return out;
}

// What one worker needs for a block of rows.
template <class T>
struct RowObjective<T>::Scratch {
  Scratch(size_t columns, size_t outputs, size_t block_rows)
      : panel(columns * block_rows, T(0)),
        z(outputs * block_rows),
        residual(outputs * block_rows),
        y(block_rows),
        weight(block_rows),
        curvature(block_rows) {}

  AlignedBuffer<T> panel, z, residual, y, weight, curvature;
  AlignedBuffer<double> gram;
  size_t ld = 0;
  const T* weights = nullptr;  // null: ld real rows that count 1
};

template <class T>
RowObjective<T>::RowObjective(const WeightedRows<T>& rows, const LinearModelShape& shape, double alpha,
                              const std::vector<double>& shift)
    : rows_(rows),
      shape_(shape),
      alpha_(alpha),
      shift_(shift.begin(), shift.end()),
      columns_(rows.x.cols + (shape.intercept ? 1 : 0)),
      block_rows_(rows_in_cache(columns_ * sizeof(T))) {
  sum_targets();
}

template <class T>
void RowObjective<T>::load_block(size_t begin, size_t rows, Scratch& s) const {
  const size_t ld = s.ld = panel_ld(rows);
  const T* shift = shift_.empty() ? nullptr : shift_.data();
  if (!pack_panel(rows_.x, begin, rows, shift, s.panel.data(), ld)) throw NotFinite("X");
  if (!pack_panel(as_column(rows_.y), begin, rows, nullptr, s.y.data(), ld)) throw NotFinite("y");
  if (shape_.intercept) {
    T* ones = s.panel.data() + rows_.x.cols * ld;
    std::fill(ones, ones + rows, T(1));
    std::fill(ones + rows, ones + ld, T(0));
  }
  s.weights = s.weight.data();
  if (rows_.weight) {
    if (!pack_panel(as_column(rows_.weight), begin, rows, nullptr, s.weight.data(), ld)) {
      throw NotFinite("sample_weight");
    }
  } else if (rows == ld) {
    s.weights = nullptr;
  } else {
    std::fill(s.weight.data(), s.weight.data() + rows, T(1));
    std::fill(s.weight.data() + rows, s.weight.data() + ld, T(0));
  }
}

// Runs fold(scratch, sums) on every block of rows and finish(scratch, sums) at the end of each shard; the
// shards' sums of `size` doubles are combined by the fixed tree.
template <class T>
template <class Fold, class Finish>
std::vector<double> RowObjective<T>::fold_rows(size_t size, size_t max_shards, const Fold& fold,
                                               const Finish& finish) const {
  const Shards shards = make_shards(rows_.x.rows, block_rows_, max_shards);
  std::vector<double> sums(shards.count() * size, 0.0);
  std::vector<std::unique_ptr<Scratch>> scratch(static_cast<size_t>(num_threads()));
  const bool backwards = backwards_;
  backwards_ = !backwards_;
  parallel_for(shards.count(), [&](size_t task, int worker) {
    const size_t shard = backwards ? shards.count() - 1 - task : task;
    auto& own = scratch[static_cast<size_t>(worker)];
    if (!own) own = std::make_unique<Scratch>(columns_, shape_.outputs, block_rows_);
    for (size_t begin = shards.begin(shard); begin < shards.end(shard); begin += block_rows_) {
      load_block(begin, std::min(block_rows_, shards.end(shard) - begin), *own);
      fold(*own, sums.data() + shard * size);
    }
    finish(*own, sums.data() + shard * size);
  });
  combine_tree(sums.data(), shards.count(), size);
  sums.resize(size);
  return sums;
}

// The weights' sum and the unit of the tolerance: for the squared loss the loss of the best constant.
template <class T>
void RowObjective<T>::sum_targets() {
  const size_t rows = rows_.x.rows;
  double weight = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < rows; ++i) {
    const double s = rows_.weight ? static_cast<double>(rows_.weight[i]) : 1.0;
    weight += s;
    if (shape_.loss != Loss::kSquared && shape_.loss != Loss::kPoisson) {
      if (!rows_.weight) break;
      continue;
    }
    const double y = static_cast<double>(rows_.y[i]);
    sum += s * y;
    squares += s * y * y;
  }
  total_weight_ = rows_.weight ? weight : static_cast<double>(rows);
  // The mean target is the mean curvature at the optimum.
  if (shape_.loss == Loss::kPoisson) scale_ = std::max(sum / total_weight_, 1e-300);
  if (shape_.loss == Loss::kSquared && total_weight_ > 0) {
    const double mean = sum / total_weight_;
    scale_ = std::max(squares / total_weight_ - mean * mean, 1e-300) / 2;
  }
}

template <class T>
std::vector<T> RowObjective<T>::as_rows_type(const double* theta) const {
  return std::vector<T>(theta, theta + size());
}

template <class T>
double RowObjective<T>::value_and_gradient(const double* theta, double* gradient) {
  const std::vector<T> w = as_rows_type(theta);
  const size_t outputs = shape_.outputs;
  const auto fold = [&](Scratch& s, double* sums) {
    panel_margins(s.panel.data(), s.ld, columns_, w.data(), outputs, s.z.data());
    sums[0] += shape_.loss == Loss::kSoftmax
                   ? softmax_rows(s.z.data(), s.ld, outputs, s.y.data(), s.weights, s.ld, s.residual.data())
                   : loss_rows(shape_.loss, s.z.data(), s.y.data(), s.weights, s.ld, s.residual.data(),
                               static_cast<T*>(nullptr));
    panel_products(s.residual.data(), outputs, s.panel.data(), columns_, s.ld, sums + 1);
  };
  const std::vector<double> sums =
      fold_rows(1 + size(), shards_for(rows_.x.rows, columns_ * outputs), fold, [](Scratch&, double*) {});

  double squares = 0;
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t j = 0; j < columns_; ++j) {
      const size_t at = o * columns_ + j;
      const double weight = j < rows_.x.cols ? theta[at] : shape_.intercept_penalty * theta[at];
      gradient[at] = sums[1 + at] / total_weight_ + alpha_ * weight;
      squares += weight * theta[at];
    }
  }
  return sums[0] / total_weight_ + alpha_ / 2 * squares;
}

// Pᵀ diag(d²loss/dz_p dz_q) P, side by side: for all pairs of outputs q <= p, or for p == q only.
template <class T>
std::vector<double> RowObjective<T>::curvature_sums(const double* theta, bool diagonal_blocks) const {
  const std::vector<T> w = as_rows_type(theta);
  const size_t outputs = shape_.outputs;
  const size_t area = columns_ * columns_;
  const size_t pairs = diagonal_blocks ? outputs : outputs * (outputs + 1) / 2;
  const size_t gram_size = gram_accumulator_size(columns_, columns_);

  const auto fold = [&](Scratch& s, double*) {
    if (s.gram.size() == 0) s.gram = AlignedBuffer<double>(pairs * gram_size, 0.0);
    panel_margins(s.panel.data(), s.ld, columns_, w.data(), outputs, s.z.data());
    if (shape_.loss == Loss::kSoftmax) {
      softmax_rows(s.z.data(), s.ld, outputs, s.y.data(), s.weights, s.ld, static_cast<T*>(nullptr));
    } else {
      loss_rows(shape_.loss, s.z.data(), s.y.data(), s.weights, s.ld, s.residual.data(), s.curvature.data());
    }
    double* gram = s.gram.data();
    for (size_t p = 0; p < outputs; ++p) {
      for (size_t q = diagonal_blocks ? p : 0; q <= p; ++q, gram += gram_size) {
        if (shape_.loss == Loss::kSoftmax) {
          softmax_curvature(s.z.data() + p * s.ld, s.z.data() + q * s.ld, p == q, s.weights, s.ld,
                            s.curvature.data());
        }
        gram_panel(s.panel.data(), columns_, s.panel.data(), columns_, s.ld, s.ld, s.curvature.data(), gram);
      }
    }
  };
  const auto finish = [&](Scratch& s, double* sums) {
    for (size_t pair = 0; pair < pairs; ++pair) {
      gram_finish(s.gram.data() + pair * gram_size, columns_, columns_, true, sums + pair * area, columns_);
    }
    std::fill(s.gram.begin(), s.gram.end(), 0.0);
  };
  // The shards' sums must not outgrow the cache they are combined in.
  const size_t room = std::max<size_t>(4, (size_t{1} << 19) / (pairs * area));
  return fold_rows(pairs * area, std::min(room, shards_for(rows_.x.rows, columns_ * columns_ * pairs)), fold,
                   finish);
}

template <class T>
void RowObjective<T>::curvature(const double* theta, double* h, bool diagonal_blocks) const {
  const std::vector<double> sums = curvature_sums(theta, diagonal_blocks);
  const size_t area = columns_ * columns_;
  const size_t n = diagonal_blocks ? columns_ : size();
  const double* block = sums.data();
  for (size_t p = 0; p < shape_.outputs; ++p) {
    for (size_t q = diagonal_blocks ? p : 0; q <= p; ++q, block += area) {
      double* const out = diagonal_blocks ? h + p * area : h;
      const size_t row = diagonal_blocks ? 0 : p * columns_;
      const size_t col = diagonal_blocks ? 0 : q * columns_;
      for (size_t i = 0; i < columns_; ++i) {
        for (size_t j = 0; j < columns_; ++j) {
          double v = block[i * columns_ + j] / total_weight_;
          if (p == q && i == j) v += i < rows_.x.cols ? alpha_ : alpha_ * shape_.intercept_penalty;
          out[(row + i) * n + col + j] = v;
          out[(col + j) * n + row + i] = v;
        }
      }
    }
  }
}

template struct WeightedRows<float>;
template struct WeightedRows<double>;
template class RowObjective<float>;
template class RowObjective<double>;

}  // namespace maas
