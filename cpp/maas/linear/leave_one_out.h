// Exact leave-one-out residuals of ridge regression for many penalties, without fitting n times: the residual
// of row i left out is its ordinary residual over one minus its leverage (Allen 1974; Golub, Heath & Wahba
// 1979).
#pragma once

#include <vector>

#include "maas/linear/row_panels.h"

namespace maas {

struct LeaveOneOutOptions {
  bool intercept = true;
  std::vector<double> penalties;  // above zero
  bool orthogonal = false;        // never by a Gram matrix
  bool store = false;
};

struct LeaveOneOut {
  std::vector<double> squared;    // penalties × t: Σ w e²
  std::vector<double> residuals;  // n × t × penalties: e, where they were to be stored
  // Coefficients of all rows, penalties × t × d and penalties × t; empty where n < d.
  std::vector<double> coef;
  std::vector<double> intercept;
};

// n >= d: eigenvectors of the d × d Gram matrix (of a QR factorisation where its condition is bad), then one
// pass in which every row meets them. n < d: from the n × n products of the rows. Throws NotFinite,
// Interrupted.
template <class T>
LeaveOneOut leave_one_out(const RegressionRows<T>& rows, const LeaveOneOutOptions& options);

extern template LeaveOneOut leave_one_out(const RegressionRows<float>&, const LeaveOneOutOptions&);
extern template LeaveOneOut leave_one_out(const RegressionRows<double>&, const LeaveOneOutOptions&);

}  // namespace maas
