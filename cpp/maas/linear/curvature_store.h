// Second derivatives shared by models whose weights are close: near solutions those of other folds and of
// neighbouring penalties differ by little, and by the penalty on the diagonal exactly.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "maas/linear/curvature_model.h"
#include "maas/linear/stacked_pass.h"

namespace maas {

struct CurvatureRequest {
  const double* theta;
  size_t fold;   // kNoFold: trained on all rows
  double alpha;  // the penalty on the mean loss
  bool shared;   // whether the curvature over all rows will do
};

template <class T>
class CurvatureStore {
 public:
  // Columns as in FoldRows: shifted by `shift`, then ones. Holds no view.
  CurvatureStore(const WeightedRows<T>& rows, const LinearModelShape& shape,
                 const std::vector<double>& shift);

  // A factored curvature for each request, from passes over `rows` for what is not known yet. Those of single
  // folds are kept for this call only.
  std::vector<std::shared_ptr<const CurvatureModel>> provide(const FoldRows<T>& rows,
                                                             const std::vector<CurvatureRequest>& requests);

 private:
  struct Factor {
    double alpha;
    std::shared_ptr<const CurvatureModel> model;
  };
  struct Entry {
    size_t fold;
    std::vector<double> theta;
    std::vector<double> margins;  // of the probed rows
    std::vector<double> blocks;   // of the mean loss; empty: to be computed
    std::vector<Factor> factors;
  };

  std::vector<double> margins_at(const double* theta) const;
  size_t find(const double* theta, size_t fold);
  void compute_missing(const FoldRows<T>& rows);
  std::shared_ptr<const CurvatureModel> factor(Entry& entry, double alpha) const;

  LinearModelShape shape_;
  size_t columns_;
  std::vector<double> probe_;  // rows × columns
  std::vector<Entry> entries_;
};

}  // namespace maas
