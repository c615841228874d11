#include "maas/linear/column_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"
#include "maas/kernels/panel.h"
#include "maas/kernels/reduce.h"

namespace maas {
namespace {

constexpr size_t kBlockColumns = 64;
constexpr size_t kBlockRows = 2048;  // two packed blocks of columns stay in the second-level cache
constexpr size_t kSquares = 1024;    // squares held at a time
constexpr size_t kSmallWork = 1 << 15;

// Blocks of columns on the pool, inline when there is little to do.
template <class Fn>
void for_column_blocks(size_t cols, size_t work, Fn&& fn) {
  const size_t blocks = (cols + kBlockColumns - 1) / kBlockColumns;
  const auto run = [&](size_t block, int) {
    for (size_t j = block * kBlockColumns; j < std::min(cols, (block + 1) * kBlockColumns); ++j) fn(j);
  };
  if (work < kSmallWork) {
    for (size_t block = 0; block < blocks; ++block) run(block, 0);
  } else {
    parallel_for(blocks, run);
  }
}

template <class T>
class DenseColumns : public ColumnSource {
 public:
  explicit DenseColumns(MatrixView<T> x) : rows_(x.rows), cols_(x.cols), data_(x.data), ld_(x.col_stride) {
    const bool contiguous = x.row_stride == 1 || x.rows == 1;
    if (!contiguous || reinterpret_cast<uintptr_t>(x.data) % alignof(T) != 0) copy(x);
    for_column_blocks(cols_, rows_ * cols_, [&](size_t j) {
      if (!all_finite(column(j), rows_)) throw NotFinite("Input X");
    });
  }

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t work() const override { return rows_ * cols_; }

  double product(size_t j, const double* v) const override {
    return reduce(Reduction::kWeightedSum, rows_, column(j), static_cast<const T*>(nullptr), v);
  }
  void add_column(size_t j, double a, double* out) const override {
    const T* x = column(j);
    for (size_t i = 0; i < rows_; ++i) out[i] += a * static_cast<double>(x[i]);
  }
  void add_weighted_column(size_t j, double a, const double* weights, double* out) const override {
    if (weights == nullptr) return add_column(j, a, out);
    const T* x = column(j);
    for (size_t i = 0; i < rows_; ++i) out[i] += a * weights[i] * static_cast<double>(x[i]);
  }

  void extend_gram(const std::vector<uint32_t>& set, size_t from, const ColumnMoments& moments, double* gram,
                   size_t ld) const override {
    std::vector<double> root(rows_);
    for (size_t i = 0; i < rows_; ++i) root[i] = std::sqrt(moments.weights[i]);
    const size_t size = set.size();
    const size_t new_blocks = (size - from + kBlockColumns - 1) / kBlockColumns;
    const size_t old_blocks = (size + kBlockColumns - 1) / kBlockColumns;
    const auto run = [&](size_t task, int) {
      const size_t a = from + task / old_blocks * kBlockColumns, b = task % old_blocks * kBlockColumns;
      const size_t a_end = std::min(size, a + kBlockColumns), b_end = std::min(size, b + kBlockColumns);
      if (b < a_end) gram_block(set, {a, a_end}, {b, b_end}, moments, root, gram, ld);
    };
    if (rows_ * size * (size - from) < kSmallWork) {
      for (size_t task = 0; task < new_blocks * old_blocks; ++task) run(task, 0);
    } else {
      parallel_for(new_blocks * old_blocks, run);
    }
    for (size_t i = from; i < size; ++i) {
      for (size_t k = 0; k < i; ++k) gram[k * ld + i] = gram[i * ld + k];
    }
  }

 protected:
  double centred_square(size_t j, const double* weights, double, double mean) const override {
    double squares[kSquares], sum = 0;
    const T* x = column(j);
    for (size_t first = 0; first < rows_; first += kSquares) {
      const size_t n = std::min(kSquares, rows_ - first);
      for (size_t i = 0; i < n; ++i) {
        const double centred = static_cast<double>(x[first + i]) - mean;
        squares[i] = centred * centred;
      }
      sum +=
          reduce(Reduction::kWeightedSum, n, squares, static_cast<const double*>(nullptr), weights + first);
    }
    return sum;
  }

 private:
  using Range = std::pair<size_t, size_t>;

  const T* column(size_t j) const { return data_ + static_cast<ptrdiff_t>(j) * ld_; }

  void copy(MatrixView<T> x) {
    const size_t ld = panel_ld(rows_);
    copy_ = AlignedBuffer<T>(ld * cols_);
    const size_t blocks = (cols_ + kBlockColumns - 1) / kBlockColumns;
    parallel_for(blocks, [&](size_t block, int) {
      const size_t j = block * kBlockColumns, count = std::min(kBlockColumns, cols_ - j);
      const MatrixView<T> part{x.at(0, j), rows_, count, x.row_stride, x.col_stride};
      const T* no_shift = nullptr;
      pack_panel(part, 0, rows_, no_shift, copy_.data() + j * ld, ld);
    });
    data_ = copy_.data();
    ld_ = static_cast<ptrdiff_t>(ld);
  }

  void pack(const std::vector<uint32_t>& set, Range range, size_t first, size_t n,
            const ColumnMoments& moments, const std::vector<double>& root, double* to) const {
    for (size_t c = range.first; c < range.second; ++c, to += n) {
      const T* x = column(set[c]) + first;
      const double mean = moments.mean[set[c]];
      for (size_t i = 0; i < n; ++i) to[i] = root[first + i] * (static_cast<double>(x[i]) - mean);
    }
  }

  void gram_block(const std::vector<uint32_t>& set, Range a, Range b, const ColumnMoments& moments,
                  const std::vector<double>& root, double* gram, size_t ld) const {
    const size_t rows = std::min(rows_, kBlockRows), na = a.second - a.first, nb = b.second - b.first;
    AlignedBuffer<double> pa(na * rows), pb(nb * rows), sums(na * nb, 0.0);
    for (size_t first = 0; first < rows_; first += rows) {
      const size_t n = std::min(rows, rows_ - first);
      pack(set, a, first, n, moments, root, pa.data());
      pack(set, b, first, n, moments, root, pb.data());
      const auto stride = static_cast<ptrdiff_t>(n);
      gemm_update(MatrixView<double>{pa.data(), na, n, stride, 1},
                  MatrixView<double>{pb.data(), n, nb, 1, stride}, sums.data(), nb, Sign::kPlus, Part::kAll);
    }
    for (size_t i = 0; i < na; ++i) {
      std::copy(&sums[i * nb], &sums[i * nb] + nb, gram + (a.first + i) * ld + b.first);
    }
  }

  size_t rows_, cols_;
  const T* data_;
  ptrdiff_t ld_;
  AlignedBuffer<T> copy_;
};

template <class T>
class SparseColumns : public ColumnSource {
 public:
  explicit SparseColumns(const CsrView<T>& x) : columns_(transpose(x)) {
    if (!all_finite(columns_.values.data(), columns_.values.size())) throw NotFinite("Input X");
  }

  size_t rows() const override { return columns_.cols; }
  size_t cols() const override { return columns_.rows; }
  size_t work() const override { return columns_.values.size(); }

  double product(size_t j, const double* v) const override {
    double sum[4] = {0, 0, 0, 0};
    const size_t begin = start(j), end = start(j + 1);
    size_t k = begin;
    for (; k + 4 <= end; k += 4) {
      for (size_t p = 0; p < 4; ++p) sum[p] += value(k + p) * v[row(k + p)];
    }
    for (; k < end; ++k) sum[0] += value(k) * v[row(k)];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  void add_column(size_t j, double a, double* out) const override {
    for (size_t k = start(j); k < start(j + 1); ++k) out[row(k)] += a * value(k);
  }
  void add_weighted_column(size_t j, double a, const double* weights, double* out) const override {
    if (weights == nullptr) return add_column(j, a, out);
    for (size_t k = start(j); k < start(j + 1); ++k) out[row(k)] += a * weights[row(k)] * value(k);
  }

  void extend_gram(const std::vector<uint32_t>& set, size_t from, const ColumnMoments& moments, double* gram,
                   size_t ld) const override {
    std::vector<std::vector<double>> scratch(static_cast<size_t>(num_threads()));
    parallel_for(set.size() - from, [&](size_t task, int worker) {
      std::vector<double>& dense = scratch[static_cast<size_t>(worker)];
      dense.resize(rows());
      const size_t i = from + task, j = set[i];
      for (size_t k = start(j); k < start(j + 1); ++k) dense[row(k)] = moments.weights[row(k)] * value(k);
      for (size_t k = 0; k <= i; ++k) {
        const double centre = moments.weight * moments.mean[j] * moments.mean[set[k]];
        gram[i * ld + k] = product(set[k], dense.data()) - centre;
      }
      for (size_t k = start(j); k < start(j + 1); ++k) dense[row(k)] = 0;
      gram[i * ld + i] = moments.square[j];
    });
    for (size_t i = from; i < set.size(); ++i) {
      for (size_t k = 0; k < i; ++k) gram[k * ld + i] = gram[i * ld + k];
    }
  }

 protected:
  double centred_square(size_t j, const double* weights, double total, double mean) const override {
    double sum = 0, stored = 0;
    for (size_t k = start(j); k < start(j + 1); ++k) {
      const double centred = value(k) - mean;
      sum += weights[row(k)] * centred * centred;
      stored += weights[row(k)];
    }
    return sum + std::max(0.0, total - stored) * mean * mean;
  }

 private:
  size_t start(size_t j) const { return static_cast<size_t>(columns_.starts[j]); }
  size_t row(size_t k) const { return static_cast<size_t>(columns_.columns[k]); }
  double value(size_t k) const { return static_cast<double>(columns_.values[k]); }

  CsrMatrix<T> columns_;
};

}  // namespace

void ColumnSource::products(const double* v, double* out) const {
  for_column_blocks(cols(), work(), [&](size_t j) { out[j] = product(j, v); });
}

ColumnMoments ColumnSource::moments(std::vector<double> weights, bool centre) const {
  ColumnMoments out;
  out.weights = std::move(weights);
  out.equal = std::all_of(out.weights.begin(), out.weights.end(), [](double s) { return s == 1; });
  out.weight = reduce(Reduction::kSum, rows(), out.weights.data());
  if (!(out.weight > 0)) throw_invalid("fit", "expected sample weights with a positive sum");
  out.mean.resize(cols());
  out.square.resize(cols());
  for_column_blocks(cols(), work(), [&](size_t j) {
    if (centre) out.mean[j] = product(j, out.weights.data()) / out.weight;
    out.square[j] = centred_square(j, out.weights.data(), out.weight, out.mean[j]);
  });
  return out;
}

template <class T>
std::unique_ptr<ColumnSource> dense_columns(MatrixView<T> x) {
  return std::make_unique<DenseColumns<T>>(x);
}

template <class T>
std::unique_ptr<ColumnSource> sparse_columns(const CsrView<T>& x) {
  return std::make_unique<SparseColumns<T>>(x);
}

template std::unique_ptr<ColumnSource> dense_columns(MatrixView<float>);
template std::unique_ptr<ColumnSource> dense_columns(MatrixView<double>);
template std::unique_ptr<ColumnSource> sparse_columns(const CsrView<float>&);
template std::unique_ptr<ColumnSource> sparse_columns(const CsrView<double>&);

}  // namespace maas
