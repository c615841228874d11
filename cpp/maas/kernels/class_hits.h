// How often predictions meet their targets. Rows lie as LossRows of kernels/network_loss.h has them.
#pragma once

#include <cstddef>

namespace maas {

template <class T>
struct HitRows {
  size_t rows = 0, cols = 1, ld = 0, target_ld = 0;
  const T* prediction = nullptr;
  const T* target = nullptr;  // one column a class or, where `sparse`, one class number a row
  bool sparse = false;
};

// Rows whose class is where the prediction is largest, the first of equals. The class of a row with one
// column each is its largest. A NaN among the predictions and a class number that is none are misses.
size_t count_class_hits(const HitRows<float>& rows);
size_t count_class_hits(const HitRows<double>& rows);

// Rows with fewer than k predictions above that of their class.
size_t count_top_hits(const HitRows<float>& rows, size_t k);
size_t count_top_hits(const HitRows<double>& rows, size_t k);

// Values, over all columns, where prediction > threshold is what the target (0 or 1) says.
size_t count_binary_hits(const HitRows<float>& rows, float threshold);
size_t count_binary_hits(const HitRows<double>& rows, double threshold);

}  // namespace maas
