// Which result bits this build gives.
#pragma once

namespace maas {

// Bumped whenever any bit of any prediction changes. Where a file's number equals this one and both machines
// have fused multiply-add, recorded predictions must match bit for bit.
inline constexpr int kNumerics = 1;

}  // namespace maas
