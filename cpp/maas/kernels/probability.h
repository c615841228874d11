// Probabilities of a binary target's true class, checked and clipped: what log loss takes the logarithm of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

struct ProbabilityCheck {
  bool in_range = true;      // every probability is in [0, 1], so none is NaN
  bool known_labels = true;  // every label is one of the two
};

// out[i] = p[i] where labels[i] == positive, else 1 - p[i], clipped to [epsilon, 1 - epsilon]. Any alignment.
ProbabilityCheck true_class_probability(const int64_t* labels, int64_t negative, int64_t positive,
                                        const double* p, double epsilon, size_t n, double* out);

}  // namespace maas
