// Losses of predicted probabilities, row by row and summed: log loss and squared error (Brier).
#pragma once

#include <vector>

#include "maas/metrics/array_view.h"

namespace maas {

// Probabilities of shape (n, columns), one column a class; a single column holds those of the greater of two.
using ProbabilityView = ArrayMatrix;

// What probabilities are clipped to: the machine epsilon of their dtype, and 1 minus it.
double probability_epsilon(const ProbabilityView& probabilities);

struct ProbabilityFlags {
  bool in_range = true;      // every probability lies in [0, 1]; otherwise the losses mean nothing
  bool sums_to_one = true;   // every row does, to the square root of epsilon
  bool known_labels = true;  // every label is a class

  void join(const ProbabilityFlags& other) {
    in_range &= other.in_range;
    sums_to_one &= other.sums_to_one;
    known_labels &= other.known_labels;
  }
};

// Reads blocks of rows. classes: ascending, as many as columns (two for one column). Keeps references.
class ProbabilityRows {
 public:
  ProbabilityRows(const ArrayView& labels, const std::vector<int64_t>& classes,
                  const ProbabilityView& probabilities);

  // out[i] = log(probability of the true class of row begin + i, clipped), n <= kBlockRows; lowers flags.
  void logs(size_t begin, size_t n, double* out, ProbabilityFlags* flags) const;
  // out[i] = sum over the classes of (probability - indicator of the true class)^2.
  void squares(size_t begin, size_t n, double* out, ProbabilityFlags* flags) const;

 private:
  const int64_t* read(size_t begin, size_t n, int64_t* buffer, double* out, ProbabilityFlags* flags) const;
  template <bool squared>
  void pick(const int64_t* labels, size_t begin, size_t n, double* out, ProbabilityFlags* flags) const;

  const ArrayView& labels_;
  const std::vector<int64_t>& classes_;
  const ProbabilityView& probabilities_;
  double epsilon_;
};

enum class ProbabilityLoss { kLog, kSquared };

struct ProbabilityLossSums {
  double weight = 0;
  double loss = 0;  // sum of weight * loss
  ProbabilityFlags flags;
};
// Arguments as of ProbabilityRows; `weight` may be empty.
ProbabilityLossSums probability_loss_sums(ProbabilityLoss kind, const ArrayView& labels,
                                          const std::vector<int64_t>& classes,
                                          const ProbabilityView& probabilities, const ArrayView& weight);

}  // namespace maas
