// The per-sample loop of stochastic gradient descent: one row a step, scikit-learn's update rule. Knows rows,
// weights and steps; epochs, shuffling, stopping and classes are the caller's (linear/sgd.h).
//
// Rows arrive gathered (kernels/sgd_rows.h): contiguous and float64 whatever the caller's layout and type.
// Sums over columns are 16 partials (k mod 16) and one tree on every target.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/base/aligned.h"
#include "maas/kernels/sgd_rows.h"

namespace maas {

enum class SgdLoss {
  kHinge,
  kPerceptron,
  kSquaredHinge,
  kModifiedHuber,
  kLogLoss,
  kSquaredError,
  kHuber,
  kEpsilonInsensitive,
  kSquaredEpsilonInsensitive,
};

// How a step's length follows from the row; the passive-aggressive rules of Crammer et al. (JMLR 7, 2006).
enum class SgdStep { kGradient, kPassiveAggressive1, kPassiveAggressive2 };

struct SgdRules {
  SgdLoss loss = SgdLoss::kHinge;
  double epsilon = 0.1;  // of the Huber and epsilon-insensitive losses
  double alpha = 0;      // strength of the penalty
  double l1_ratio = 0;   // 0: squared weights, 1: absolute weights
  bool intercept = true;
  SgdStep step = SgdStep::kGradient;
  double aggressiveness = 1;  // C of the passive-aggressive rules
  double average_from = 0;    // average the weights from this step on; 0: never
  bool objective = true;      // sum loss and penalty
};

// Weights and everything else that lives from step to step. True weights are scale * weights, so shrinking
// them all costs one multiplication.
class SgdState {
 public:
  SgdState() = default;
  SgdState(size_t cols, bool truncates, bool averages);

  // Sets the weights, scale 1. `w` has cols values.
  void set_weights(const double* w);
  void set_average(const double* w);
  // The true weights and their average so far.
  void get_weights(double* w) const;
  void get_average(double* w) const;
  bool finite() const;

  size_t cols = 0;
  AlignedBuffer<double> weights;    // sgd_padded(cols) values, the padding zero
  AlignedBuffer<double> truncated;  // L1 received by each weight so far (negative: taken away); may be empty
  AlignedBuffer<double> average;    // see average_a; may be empty
  double scale = 1;
  double intercept = 0;
  double step = 1;      // number of the next step, from 1
  double total_l1 = 0;  // L1 that each weight should have received
  // True average = (average + average_a * weights) / average_b: nothing to do for a row without error
  // (L. Bottou, Stochastic Gradient Tricks, 2012).
  double average_a = 0;
  double average_b = 1;
  double average_intercept = 0;
  double square_norm = 0;  // of weights, before scale and before the last truncation
  double l1_norm = 0;
};

// Gathered rows to learn from, in order: sample i has target y[i], weight weight[i] (null: 1) and learning
// rate eta[i]. `cross` and `square` as sgd_gather writes them, called for whole blocks from the first row on.
struct SgdRows {
  const double* rows;
  const double* cross;
  const double* square;
  const double* y;
  const double* weight;
  const double* eta;
  size_t count;
};

struct SgdSums {
  double loss = 0;       // sum of the losses before each step, unweighted
  double penalty = 0;    // sum of alpha * penalty before each step
  bool clipped = false;  // a loss derivative was beyond 1e12 and was cut: the steps are too long
};

// Takes `rows.count` steps.
SgdSums sgd_steps(const SgdRows& rows, const SgdRules& rules, SgdState& state);

// The true weights . each of `count` gathered rows + intercept.
void sgd_margins(const double* rows, size_t count, const SgdState& state, double* margins);

}  // namespace maas
