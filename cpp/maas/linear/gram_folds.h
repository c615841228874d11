// The folds of an elastic net from products of columns: their errors, too, come from the products of the rows
// left out.
#pragma once

#include <memory>
#include <vector>

#include "maas/linear/elastic_net_folds.h"

namespace maas {

template <class T>
std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<T>& rows, bool intercept,
                                            const FoldPlan& plan);

extern template std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<float>&, bool,
                                                            const FoldPlan&);
extern template std::unique_ptr<ElasticNetFolds> gram_folds(const RegressionRows<double>&, bool,
                                                            const FoldPlan&);

}  // namespace maas
