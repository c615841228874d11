// What one row adds to a regression metric, for a block of rows, and the range of its targets. Logarithms and
// powers are those of kernels/math-inl.h. A power is a product of square roots where twice the exponent is a
// whole number up to 16; elsewhere e^(a log x) with the product's rounding error carried along, within
// 2 + |a log x| ULP with FMA and 2 + 2 |a log x| without.
#pragma once

#include <cstddef>

namespace maas {

enum class ErrorTerm {
  // of y and the prediction p
  kSquared,     // (y - p)^2
  kAbsolute,    // |y - p|
  kDifference,  // y - p
  kPercentage,  // |y - p| / max(|y|, 2^-52)
  kPinball,     // parameter * (y - p) where y >= p, else (1 - parameter) * (p - y)
  kSquaredLog,  // (log(1 + y) - log(1 + p))^2
  kPoisson,     // 2 (y log(y / p) - y + p), 0 log 0 = 0
  kGamma,       // 2 (log(p / y) + y / p - 1)
  kTweedie,     // unit deviance of the power `parameter`, which is not 0, 1 or 2
  // of y alone
  kLog,       // log y
  kTimesLog,  // y log y, 0 at 0
  kPower,     // max(y, 0)^parameter
};

// Any alignment; `predicted` may be null where the term does not name it; `out` may be an input.
void error_terms(ErrorTerm term, double parameter, const double* y, const double* predicted, size_t n,
                 double* out);

struct TargetRange {
  double least_y = 0, least_predicted = 0;  // meaningless unless finite; +inf for no rows
  bool finite = true;

  void include(const TargetRange& other);
};
TargetRange target_range(const double* y, const double* predicted, size_t n);

}  // namespace maas
