// What the linear models of ai.onnx.ml do with their scores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/graph/op.h"

namespace maas {

enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

PostTransform read_post_transform(const NodeView& view);
const char* post_transform_name(PostTransform transform);

// In place; contiguous rows of `cols` >= 1 scores.
//
// kSoftmaxZero: scores within 1e-7 of zero are weighed by score · e^-max instead of e^(score - max); a row
// that sums to zero becomes 0.5 throughout. kProbit: the quantile of the normal distribution by Winitzki's
// approximation (0.147), as ONNX Runtime and the standard's evaluator have it: within 0.002 of the true one.
template <class T>
void transform_scores(PostTransform transform, T* scores, size_t rows, size_t cols) noexcept;

extern template void transform_scores(PostTransform, float*, size_t, size_t) noexcept;
extern template void transform_scores(PostTransform, double*, size_t, size_t) noexcept;

}  // namespace maas
