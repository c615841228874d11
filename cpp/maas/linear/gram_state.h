// Everything least squares needs to know about its rows, from one pass over them: the weight, the means and
// the centred products of features and targets. d × d numbers that merge, so shards, folds and files add up.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/row_panels.h"

namespace maas {

struct GramState {
  size_t features = 0;
  size_t targets = 0;
  double weight = 0;            // Σ w
  std::vector<double> mean;     // of the d features, then of the t targets
  std::vector<double> centred;  // (d+t)²: Σ w (z − mean)(z − mean)ᵀ, z = (x, y); symmetric

  size_t size() const { return features + targets; }
  // Products about the origin instead of the mean: what a model without intercept solves.
  std::vector<double> about_origin() const;
  // The state of both sets of rows together (Chan, Golub & LeVeque 1979). Same features and targets. A state
  // of weight zero changes nothing.
  void merge(const GramState& other);
};

// From this many float32 columns multiplying dominates a pass, and kAuto keeps the products in float.
inline constexpr size_t kFloatGramFeatures = 128;

enum class GramSums {
  kDouble,  // every product and sum in double
  kAuto,    // wide float32 rows: float FMA chains inside a panel, double between panels (twice the rate)
};

// One pass over the rows, in parallel, same bits on any number of threads. The columns are shifted by the
// means of the first rows before they are multiplied, so an offset of 1e6 costs no digit. Throws NotFinite
// naming the guilty array, InvalidArgument when the weights add up to zero.
template <class T>
GramState gram_state(const RegressionRows<T>& rows, GramSums sums = GramSums::kDouble);
// The same of the rows named by an index, with the bits of a copy of those rows; of any weight, also of no
// row.
template <class T>
GramState gram_state(const RegressionRows<T>& rows, RowIndex index);

// From products of columns (features, targets, ones; q × q, above the diagonal) shifted by `shift` to moments
// about the mean; zeros where the weights add up to zero.
GramState centred_state(size_t features, const std::vector<double>& shift, const double* sums);

// Σ w and the means alone, one pass; the rest of the state stays empty.
template <class T>
GramState mean_state(const RegressionRows<T>& rows);

extern template GramState gram_state(const RegressionRows<float>&, GramSums);
extern template GramState gram_state(const RegressionRows<double>&, GramSums);
extern template GramState gram_state(const RegressionRows<float>&, RowIndex);
extern template GramState gram_state(const RegressionRows<double>&, RowIndex);
extern template GramState mean_state(const RegressionRows<float>&);
extern template GramState mean_state(const RegressionRows<double>&);

}  // namespace maas
