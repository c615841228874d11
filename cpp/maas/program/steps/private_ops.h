// Operators that only the compiler makes. No file holds them, and check_graph does not know them.
#pragma once

#include <cstddef>

namespace maas {

inline constexpr const char* kPrivateDomain = "maas";

// One input, one output of the same type.
inline constexpr const char* kCopyOp = "Copy";

// activation(batch_norm(scale(x) · W + bias)). All inputs but x are constants; all but x and W may be absent.
inline constexpr const char* kDenseOp = "Dense";
namespace dense_input {
inline constexpr size_t kX = 0;
inline constexpr size_t kWeights = 1;
inline constexpr size_t kBias = 2;        // N values
inline constexpr size_t kNormScale = 3;   // N values, as the three that follow: BatchNormalization's inputs
inline constexpr size_t kOffset = 7;      // K values, subtracted from x
inline constexpr size_t kScale = 8;       // K values, by which that is multiplied or divided
inline constexpr size_t kActivation = 9;  // and on: the activation's own inputs after its first
inline constexpr size_t kCount = 11;
}  // namespace dense_input
namespace dense_attribute {
inline constexpr const char* kTransposed = "transB";      // int
inline constexpr const char* kDivide = "divide";          // int: by kScale
inline constexpr const char* kEpsilon = "epsilon";        // float, of the batch norm
inline constexpr const char* kActivation = "activation";  // string: an operator
inline constexpr const char* kPrefix = "activation.";     // of that operator's attributes
inline constexpr const char* kOperators = "operators";    // string: what was fused, for describe
}  // namespace dense_attribute

}  // namespace maas
