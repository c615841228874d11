// Cross-validation of least squares from one pass: a state for the rows of each fold, and from these, by
// merging, the state of each fold's training rows. Nothing is subtracted, so no digit is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maas/linear/gram_state.h"

namespace maas {

// fold_of_row: n fold numbers in [0, folds), or -1 for a row that is in no test set. Returns folds + 1
// states: that of each fold's rows (in their order; the bits of gram_state on a copy of them), then that of
// the rows of number -1. A fold without weight gives zeros. Reads every row once; folds of neighbouring rows
// are read as they lie. n < 2³². Throws NotFinite, and InvalidArgument for another number.
template <class T>
std::vector<GramState> fold_gram_states(const RegressionRows<T>& rows, const int32_t* fold_of_row,
                                        size_t folds);

// Of folds + 1 states as above: for each fold the state of all rows but its own.
std::vector<GramState> training_states(const std::vector<GramState>& states);

extern template std::vector<GramState> fold_gram_states(const RegressionRows<float>&, const int32_t*, size_t);
extern template std::vector<GramState> fold_gram_states(const RegressionRows<double>&, const int32_t*,
                                                        size_t);

}  // namespace maas
