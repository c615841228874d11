// Shapes, with one symbolic dimension: the number of rows of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "maas/base/export.h"

namespace maas {

// The batch. It may stand only in front: every value either has one entry a row or knows nothing of rows.
inline constexpr int64_t kBatch = -1;

// The batch among values computed from shapes, where -1 is a number like others.
inline constexpr int64_t kBatchValue = std::numeric_limits<int64_t>::min() + 7;

// The same among int32 values.
inline constexpr int32_t kBatchValue32 = std::numeric_limits<int32_t>::min() + 7;

// Most elements of a value, of one row where batched, and most dimensions.
inline constexpr int64_t kMostElements = int64_t{1} << 31;
inline constexpr size_t kMostDimensions = 16;

using Shape = std::vector<int64_t>;

inline bool is_batched(const Shape& shape) { return !shape.empty() && shape[0] == kBatch; }

// Elements of one row where batched, of all of it otherwise; nothing where the product overflows int64.
std::optional<int64_t> checked_elements(const Shape& shape);

// The same of a shape that check_graph has accepted.
MAAS_API size_t elements(const Shape& shape);

// "[N, 3]"; "[]" for a scalar.
MAAS_API std::string shape_text(const Shape& shape);

}  // namespace maas
