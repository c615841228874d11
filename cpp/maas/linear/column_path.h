// Elastic net paths where columns outnumber rows, or are sparse: passes over all columns only to see which of
// them a penalty lets in; those that ever came in have their products in a matrix of their own, on which the
// coordinate descent runs.
#pragma once

#include "maas/linear/column_source.h"
#include "maas/linear/elastic_net.h"

namespace maas {

class ColumnProblem : public ElasticNetProblem {
 public:
  // y: t columns of n values. weights: n, zero for rows that are left out. The source must outlive the
  // problem.
  ColumnProblem(const ColumnSource& source, const std::vector<std::vector<double>>& y,
                std::vector<double> weights, bool intercept);

  size_t features() const override { return source_.cols(); }
  size_t targets() const override { return y_.size(); }
  double largest_product(size_t target, bool positive) const override;
  void path(size_t target, const ElasticNetOptions& options, const std::vector<double>& alphas,
            const std::vector<double>& start, const PathVisitor& visit) const override;

  const ColumnSource& source() const { return source_; }
  const ColumnMoments& moments() const { return moments_; }
  // y less its mean, if centred.
  const std::vector<double>& target(size_t k) const { return y_[k]; }
  double target_mean(size_t k) const { return y_mean_[k]; }

 private:
  const ColumnSource& source_;
  ColumnMoments moments_;
  std::vector<std::vector<double>> y_;
  std::vector<double> y_mean_;
};

}  // namespace maas
