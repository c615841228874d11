// Operators that only the compiler makes. No file holds them, and check_graph does not know them.
#pragma once

namespace maas {

inline constexpr const char* kPrivateDomain = "maas";
inline constexpr const char* kCopyOp = "Copy";    // one input, one output of the same type
inline constexpr const char* kDenseOp = "Dense";  // see steps/dense.cc

}  // namespace maas
