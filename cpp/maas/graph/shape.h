// Shapes, with one symbolic dimension: the number of rows of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace maas {

// The batch. It may stand only in front: every value either has one entry a row or knows nothing of rows.
inline constexpr int64_t kBatch = -1;

using Shape = std::vector<int64_t>;

inline bool is_batched(const Shape& shape) { return !shape.empty() && shape[0] == kBatch; }

// Elements of one row where batched, of all of it otherwise; nothing where the product overflows int64.
std::optional<int64_t> checked_elements(const Shape& shape);

// The same of a shape that check_graph has accepted.
size_t elements(const Shape& shape);

// "[N, 3]"; "[]" for a scalar.
std::string shape_text(const Shape& shape);

}  // namespace maas
