// The state of rows that arrive in chunks: what partial_fit keeps. Its memory is that of a few d × d matrices
// and of one unfinished leaf of raw rows, however many rows have passed.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/gram_state.h"
#include "maas/linear/product_sums.h"

namespace maas {

template <class T>
class GramStream {
 public:
  // All there is, for writing down and reading back.
  struct Parts {
    size_t leaves = 0;
    std::vector<std::vector<double>> sums;  // q × q each
    std::vector<double> shift;              // d + t, or empty before the first leaf
    std::vector<T> x, y;                    // raw rows of the unfinished leaf: pending × d, pending × t
    std::vector<double> weights;
    bool weighted = false;
  };

  GramStream(size_t features, size_t targets);
  GramStream(size_t features, size_t targets, const Parts& parts);
  Parts parts() const;

  size_t features() const { return features_; }
  size_t targets() const { return targets_; }

  // Adds rows of the same features and targets. Throws NotFinite naming the guilty array and Interrupted; the
  // stream is then as before.
  void add(const RegressionRows<T>& rows);

  // The bits of gram_state (products in double) over all rows added, whatever the chunks; throws
  // InvalidArgument when the weights add up to zero.
  GramState state() const;

 private:
  size_t columns() const { return features_ + targets_ + 1; }
  RegressionRows<T> pending() const;
  void append(const RegressionRows<T>& rows, size_t begin, size_t end);

  size_t features_, targets_;
  size_t leaf_rows_;
  ProductSums sums_;
  std::vector<double> shift_;
  std::vector<T> x_, y_;
  std::vector<double> weights_;  // of the pending rows, 1 where none were given
  bool weighted_ = false;        // whether any rows had weights
};

extern template class GramStream<float>;
extern template class GramStream<double>;

}  // namespace maas
