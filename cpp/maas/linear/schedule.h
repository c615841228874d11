// Learning rates as a function of the step's number: scikit-learn's schedules for stochastic gradient
// descent.
#pragma once

#include <cstddef>

namespace maas {

struct Schedule {
  enum class Kind {
    kConstant,    // eta0
    kOptimal,     // 1 / (alpha (t + t0)), t0 after L. Bottou so that the first step is not too long
    kInvScaling,  // eta0 / t^power
    kAdaptive,    // eta0, divided by 5 each time progress stops (the solver does that)
  };
  Kind kind = Kind::kConstant;
  double eta0 = 0.01;
  double alpha = 1e-4;  // > 0 for kOptimal
  double power = 0.5;

  // eta[i] = the rate of step first + i, steps counted from 1; `current` is the adaptive rate now.
  void rates(double first, size_t count, double current, double* eta) const;
};

}  // namespace maas
