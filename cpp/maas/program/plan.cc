#include "maas/program/plan.h"

#include <algorithm>
#include <numeric>

#include "maas/base/aligned.h"

namespace maas {

namespace {

// Half of a small second-level cache; the other half is for weights.
constexpr size_t kBlockBytes = size_t{256} << 10;
// A multiple of the rows that products of matrices take at a time (6, 8, 12, 16).
constexpr size_t kRowStep = 48;
constexpr size_t kMostRows = 20 * kRowStep;
// Where even few rows are more than the cache holds, what bounds the memory.
constexpr size_t kMostBlockBytes = size_t{8} << 20;

size_t round_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Placement place(const std::vector<Lifetime>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a].bytes > values[b].bytes; });
  Placement placement{std::vector<size_t>(values.size()), 0};
  std::vector<size_t> placed;  // by offset
  for (const size_t v : order) {
    size_t offset = 0;
    for (const size_t other : placed) {
      if (values[other].last < values[v].first || values[v].last < values[other].first) continue;
      if (placement.offsets[other] >= offset + round_up(values[v].bytes)) break;
      offset = std::max(offset, placement.offsets[other] + round_up(values[other].bytes));
    }
    placement.offsets[v] = offset;
    placement.bytes = std::max(placement.bytes, offset + round_up(values[v].bytes));
    const auto after = [&](size_t at, size_t other) { return at < placement.offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, after), v);
  }
  return placement;
}

size_t peak_bytes(const std::vector<Lifetime>& values) {
  size_t steps = 0;
  for (const Lifetime& value : values) steps = std::max(steps, value.last + 1);
  std::vector<size_t> begins(steps + 1), ends(steps + 1);
  for (const Lifetime& value : values) {
    begins[value.first] += value.bytes;
    ends[value.last + 1] += value.bytes;
  }
  size_t alive = 0, peak = 0;
  for (size_t step = 0; step < steps; ++step) {
    alive = alive + begins[step] - ends[step];
    peak = std::max(peak, alive);
  }
  return peak;
}

size_t choose_block_rows(size_t row_bytes) {
  const size_t row = std::max<size_t>(row_bytes, 1);
  const size_t rows = std::clamp(kBlockBytes / row / kRowStep * kRowStep, kRowStep, kMostRows);
  return std::clamp<size_t>(kMostBlockBytes / row, 1, rows);
}

}  // namespace maas
