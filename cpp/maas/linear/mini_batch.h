// Stochastic descent by batches of rows, for the losses of the full-batch solvers (linear/fit.h): each step
// is the gradient of one batch, through the same pass over panels and the same update rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/linear/fit.h"
#include "maas/linear/schedule.h"

namespace maas {

struct MiniBatchOptions {
  LinearModelShape shape;
  double l2 = 1;           // the objective is Σ_i s_i loss_i + l2/2 |w|², as in FitOptions
  DescentOptions descent;  // its rule and decays only
  Schedule schedule;       // counts batches; kOptimal is for single rows and refused
  size_t batch_rows = 32;
  size_t max_epochs = 100;
  double tolerance = 1e-4;  // least fall of an epoch's mean objective; -infinity: run all epochs
  size_t patience = 5;      // epochs without it before stopping
  bool shuffle = true;
  uint64_t seed = 0;  // epoch e is in the order (seed, e)
};

// iterations counts epochs, loss_curve holds the mean objective of each, every batch's taken before its step.
// Where steps leave the finite range the result holds the last finite weights and is kDiverged. The same bits
// on any number of threads and for any layout. `start` as in fit_linear. Throws NotFinite, Interrupted.
template <class T>
FitResult fit_mini_batch(const WeightedRows<T>& rows, const MiniBatchOptions& options,
                         const std::vector<double>& start = {});

}  // namespace maas
