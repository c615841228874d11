// The per-sample loop of stochastic gradient descent over compressed sparse rows: the rule of kernels/sgd.h,
// each step costing the row's nonzeros only.
//
// Two things differ from dense rows. The intercept moves by 0.01 of a step, as scikit-learn's does on sparse
// rows (its gradient is never sparse, so it would oscillate). And a column receives its share of an L1
// penalty when next a row has it, or at the end of a call, which is the same but for an elastic net's
// shrinking in between, and for the objective, that counts a weight as it was when last touched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/base/csr.h"
#include "maas/kernels/sgd.h"

namespace maas {

// Step i learns row order[i] of x, with target y[i], weight weight[i] (null: 1) and learning rate eta[i].
template <class T>
struct SparseSgdRows {
  CsrView<T> x;
  const uint32_t* order;
  const double* y;
  const double* weight;
  const double* eta;
  size_t count;
};

// Takes `rows.count` steps.
SgdSums sgd_sparse_steps(const SparseSgdRows<float>& rows, const SgdRules& rules, SgdState& state);
SgdSums sgd_sparse_steps(const SparseSgdRows<double>& rows, const SgdRules& rules, SgdState& state);

// The true weights . row order[i] of x + intercept.
template <class T>
void sgd_sparse_margins(const CsrView<T>& x, const uint32_t* order, size_t count, const SgdState& state,
                        double* margins);

extern template void sgd_sparse_margins(const CsrView<float>&, const uint32_t*, size_t, const SgdState&,
                                        double*);
extern template void sgd_sparse_margins(const CsrView<double>&, const uint32_t*, size_t, const SgdState&,
                                        double*);

}  // namespace maas
