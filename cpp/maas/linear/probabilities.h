// Scores on the scale that a model predicts: class probabilities, exponentials.
#pragma once

#include "maas/base/view.h"

namespace maas {

// scores: one row a sample; one column (the margin of the second of two classes) or one a class. out:
// contiguous, scores.rows x max(2, scores.cols). With `log` their logarithms.
template <class T>
void class_probabilities(MatrixView<T> scores, bool log, T* out);

// out[i] = e^scores[i], the mean under a log link. out is contiguous.
template <class T>
void exponentials(VectorView<T> scores, T* out);

}  // namespace maas
