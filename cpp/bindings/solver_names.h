// The words Python uses for losses, solvers and how a solve ended: one table for every binding of a fit.
#pragma once

#include <map>
#include <string>

#include "maas/base/error.h"
#include "maas/kernels/loss.h"
#include "maas/linear/fit.h"

namespace maas::bindings {

inline const std::map<std::string, Loss> kLosses{{"squared", Loss::kSquared},
                                                 {"logistic", Loss::kLogistic},
                                                 {"poisson", Loss::kPoisson},
                                                 {"squared_hinge", Loss::kSquaredHinge},
                                                 {"softmax", Loss::kSoftmax}};
inline const std::map<std::string, Solver> kSolvers{{"lbfgs", Solver::kLbfgs},
                                                    {"newton-cholesky", Solver::kNewtonCholesky},
                                                    {"gd", Solver::kGradientDescent},
                                                    {"adam", Solver::kAdam}};

template <class V>
V named(const std::map<std::string, V>& choices, const std::string& name, const char* what) {
  const auto found = choices.find(name);
  if (found == choices.end()) throw_invalid("fit", std::string("unknown ") + what + " '" + name + "'");
  return found->second;
}

inline const char* name_of(SolveStatus status) {
  switch (status) {
    case SolveStatus::kConverged: return "converged";
    case SolveStatus::kMaxIterations: return "max_iter";
    case SolveStatus::kDiverged: break;
  }
  return "diverged";
}

}  // namespace maas::bindings
