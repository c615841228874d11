// Sums of columns over rows that count several times: the inner loop of a bootstrap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maas {

// sums[c] += sum over i < n of counts[i] * columns[c][begin + i], for counts below 2^31. Row i goes to
// partial i % 16 of its column, by fused multiply-add; the partials meet in one fixed tree. Any alignment.
void count_dots(const uint32_t* counts, const double* const* columns, size_t width, size_t begin, size_t n,
                double* sums);

}  // namespace maas
