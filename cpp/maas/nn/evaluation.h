// Loss and metrics in inference mode: the Program of a network's present graph over rows of any number.
#pragma once

#include <string>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/nn/batch_matrix.h"
#include "maas/nn/row_source.h"
#include "maas/program/compile.h"

namespace maas {

// Predictions block after block, with the bits that Model gives.
template <class T>
class Predictions {
 public:
  // `values`: names of what is wanted of `graph`, each `cols` values a row of T. The rows outlive this.
  Predictions(const Graph& graph, const std::vector<std::string>& values, size_t cols, const RowSource& x);

  size_t block_rows() const { return block_rows_; }  // a function of shapes alone; 0 without rows
  // Those of rows [first, first + rows), at most block_rows(); throws InvalidArgument for rows that the
  // graph cannot take.
  void run(size_t first, size_t rows);
  // The last run's; its rows may be overwritten.
  BatchMatrix<T> values(size_t which);

 private:
  InputArray input(size_t first, size_t rows);

  Program program_;
  std::vector<Scratch> scratches_;
  RowSource x_;
  bool in_place_;  // the Program reads the caller's array
  size_t cols_, block_rows_, rows_ = 0;
  AlignedBuffer<T> converted_;
  AlignedBuffer<int64_t> indices_;
  std::vector<AlignedBuffer<T>> outputs_;  // contiguous rows
  std::vector<AlignedBuffer<T>> padded_;   // the same with rows on 64 bytes
};

extern template class Predictions<float>;
extern template class Predictions<double>;

}  // namespace maas
