// Scores to bins: a monotone map from doubles to small integers, for counting instead of sorting.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Either `bins` equal bins on [low, high] and one beyond each end, or `bins` (a power of two) for every power
// of two in magnitude from 2^-32 to 2^16 of either sign, with one bin for all that is nearer to zero and one
// for what is larger. A greater score never gets a lower bin.
struct ScoreBins {
  static constexpr int kLeastExponent = -32;
  static constexpr int kMostExponent = 16;

  bool linear = false;
  uint32_t bins = 1;
  double low = 0, high = 0;  // for `linear`: low < high, both finite, and so their distance

  // Number of bins in all; keys lie below it.
  uint32_t count() const;
};

// Returns whether all scores are finite; keys mean nothing if not. Any alignment.
bool score_keys(const ScoreBins& bins, const double* scores, size_t n, uint32_t* keys);

}  // namespace maas
