// Class probabilities of a block of scores, as predict_proba gives them.
#pragma once

#include "maas/base/view.h"

namespace maas {

// scores: one row a sample; one column (the margin of the second of two classes) or one a class. out:
// contiguous, scores.rows x max(2, scores.cols). With `log` their logarithms.
template <class T>
void class_probabilities(MatrixView<T> scores, bool log, T* out);

}  // namespace maas
