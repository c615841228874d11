// Stochastic gradient descent, one row a step: epochs, shuffling, learning rates and stopping around
// kernels/sgd.h. Several binary problems (one class against the rest) learn side by side from the same order
// of rows, as parallel tasks; each is sequential, so the number of threads changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "maas/base/csr.h"
#include "maas/base/view.h"
#include "maas/kernels/sgd.h"
#include "maas/linear/schedule.h"

namespace maas {

// The caller's arrays, X being MatrixView or CsrView. `train` lists the rows to learn from (no data: all),
// `validation` those that decide when to stop (no data: the training objective decides).
template <class X>
struct SgdData {
  X x;
  VectorView<double> y;       // targets; class numbers for a classifier
  VectorView<double> weight;  // no data: every row counts 1
  VectorView<uint32_t> train;
  VectorView<uint32_t> validation;
};

struct SgdOptions {
  SgdRules rules;
  Schedule schedule;
  size_t max_epochs = 1000;
  double tolerance = 1e-3;  // least progress an epoch; -infinity: run all epochs
  size_t patience = 5;      // epochs without progress before stopping
  bool shuffle = true;
  uint64_t seed = 0;  // epoch e is in the order (seed, e)
  bool classifies = false;
};

// One weight vector being learned. `state` is the start on entry and the result on return.
struct SgdTask {
  SgdState state;
  double positive = 1;  // a classifier's class number for target +1; every other row has target -1
  double positive_weight = 1;
  double negative_weight = 1;

  size_t epochs = 0;               // out: epochs run
  bool diverged = false;           // out: steps overflowed; `state` holds the last finite weights
  std::vector<double> loss_curve;  // out: mean objective of each epoch, taken before each step
};

// For MatrixView and CsrView of float and double. Throws NotFinite for NaN or infinity in the rows used (of
// sparse ones: in any), Interrupted.
template <class X>
void sgd_fit(const SgdData<X>& data, const SgdOptions& options, std::vector<SgdTask>& tasks);

}  // namespace maas
