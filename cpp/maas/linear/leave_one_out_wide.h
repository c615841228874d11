// Leave-one-out residuals where there are fewer rows than features: from the n × n products of the rows.
#pragma once

#include "maas/linear/leave_one_out.h"

namespace maas {

// mean: d + t values subtracted from features and targets; zeros without intercept. Fills all but the
// coefficients.
template <class T>
LeaveOneOut leave_one_out_wide(const RegressionRows<T>& rows, const std::vector<double>& mean,
                               const LeaveOneOutOptions& options);

extern template LeaveOneOut leave_one_out_wide(const RegressionRows<float>&, const std::vector<double>&,
                                               const LeaveOneOutOptions&);
extern template LeaveOneOut leave_one_out_wide(const RegressionRows<double>&, const std::vector<double>&,
                                               const LeaveOneOutOptions&);

}  // namespace maas
