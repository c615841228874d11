// A design matrix as columns, for solvers that touch few of them: dense columns, copied only where they do
// not lie contiguously, or compressed sparse ones. Values are never centred or converted in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"

namespace maas {

// Weights of the rows, and what they make of each column. Without centring the means are zero.
struct ColumnMoments {
  double weight = 0;            // Σ s
  std::vector<double> weights;  // n; zero leaves a row out
  bool equal = false;           // all weights are 1
  std::vector<double> mean;     // d
  std::vector<double> square;   // d: Σ s (x − mean)²
};

// Immutable; any thread. Sums over a column have the same bits for every layout and number of threads.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual size_t rows() const = 0;
  virtual size_t cols() const = 0;
  virtual size_t work() const = 0;  // multiplications of a pass over all columns
  // Σ_i x_ij v_i for one column, and for all of them on the thread pool.
  virtual double product(size_t j, const double* v) const = 0;
  void products(const double* v, double* out) const;
  // out += a x_j.
  virtual void add_column(size_t j, double a, double* out) const = 0;
  // out_i += a s_i x_ij; no weights (null): s_i = 1.
  virtual void add_weighted_column(size_t j, double a, const double* weights, double* out) const = 0;
  // Throws NotFinite.
  ColumnMoments moments(std::vector<double> weights, bool centre) const;
  // Weighted, centred products of the columns set[from..) with all of `set`, both ways round, into the matrix
  // of row stride ld.
  virtual void extend_gram(const std::vector<uint32_t>& set, size_t from, const ColumnMoments& moments,
                           double* gram, size_t ld) const = 0;

 protected:
  // Σ s (x_j − mean)².
  virtual double centred_square(size_t j, const double* weights, double total, double mean) const = 0;
};

// x must outlive the source.
template <class T>
std::unique_ptr<ColumnSource> dense_columns(MatrixView<T> x);
template <class T>
std::unique_ptr<ColumnSource> sparse_columns(const CsrView<T>& x);

extern template std::unique_ptr<ColumnSource> dense_columns(MatrixView<float>);
extern template std::unique_ptr<ColumnSource> dense_columns(MatrixView<double>);
extern template std::unique_ptr<ColumnSource> sparse_columns(const CsrView<float>&);
extern template std::unique_ptr<ColumnSource> sparse_columns(const CsrView<double>&);

}  // namespace maas
