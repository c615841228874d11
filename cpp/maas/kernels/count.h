// Counting integer labels: equal pairs, the range they span, and small histograms of (true, predicted) pairs.
// Integer sums, so the result depends on no order, thread or target.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// Number of i < n whose elements are equal bit for bit. item_size is 1, 2, 4 or 8 bytes; data may be
// unaligned.
size_t count_equal(const void* a, const void* b, size_t n, size_t item_size);

struct LabelRange {
  int64_t min = INT64_MAX;
  int64_t max = INT64_MIN;  // empty while max < min

  void include(LabelRange r) {
    min = r.min < min ? r.min : min;
    max = r.max > max ? r.max : max;
  }
  bool contains(LabelRange r) const { return min <= r.min && r.max <= max; }
};
LabelRange label_range(const int64_t* labels, size_t n);

// cells[i] = (rows[i] - origin) * width + (cols[i] - origin). Labels must lie in [origin, origin + width),
// and width^2 must fit 32 bits.
void pair_cells(const int64_t* rows, const int64_t* cols, int64_t origin, uint32_t width, size_t n,
                uint32_t* cells);

// Copies of the histogram that count_cells fills side by side: a label repeated in neighbouring rows would
// otherwise wait for the store of the row before.
inline constexpr size_t kCellLanes = 4;
// counts[(i % kCellLanes) * stride + cells[i]] += 1.
void count_cells(const uint32_t* cells, size_t n, uint32_t* counts, size_t stride);

}  // namespace maas
