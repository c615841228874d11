// Elastic net paths from the products of all pairs of columns (linear/gram_state.h): after one pass over the
// rows nothing costs anything a row. For d up to a few thousand.
#pragma once

#include "maas/linear/elastic_net.h"
#include "maas/linear/gram_state.h"

namespace maas {

class GramProblem : public ElasticNetProblem {
 public:
  GramProblem() = default;
  // Keeps the products that the paths need: centred ones with an intercept, about the origin without.
  GramProblem(const GramState& state, bool intercept);

  size_t features() const override { return features_; }
  size_t targets() const override { return targets_; }
  double largest_product(size_t target, bool positive) const override;
  void path(size_t target, const ElasticNetOptions& options, const std::vector<double>& alphas,
            const std::vector<double>& start, const PathVisitor& visit) const override;

 private:
  size_t size() const { return features_ + targets_; }

  size_t features_ = 0;
  size_t targets_ = 0;
  double weight_ = 0;
  bool intercept_ = false;
  std::vector<double> mean_;
  std::vector<double> products_;  // (d + t)²
};

}  // namespace maas
