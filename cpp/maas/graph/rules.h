// What the shape rules of the operators share: sets of types, broadcasting, axes, bounds. For this room only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "maas/graph/op.h"

namespace maas {

// Families, each in its ops_<family>.cc.
std::span<const Op> elementwise_ops();
std::span<const Op> matrix_ops();
std::span<const Op> reduce_ops();
std::span<const Op> layout_ops();
std::span<const Op> select_ops();
std::span<const Op> norm_ops();
std::span<const Op> ml_ops();

OutputTypes label_encoder(const NodeView& view);  // ops_label_encoder.cc

using TypeSet = unsigned;
constexpr TypeSet type_set(DType dtype) { return 1U << static_cast<unsigned>(dtype); }
inline constexpr TypeSet kFloats = type_set(DType::kFloat32) | type_set(DType::kFloat64);
inline constexpr TypeSet kIntegers = type_set(DType::kInt64) | type_set(DType::kInt32);
inline constexpr TypeSet kNumbers = kFloats | kIntegers;
inline constexpr TypeSet kBools = type_set(DType::kBool);
inline constexpr TypeSet kStrings = type_set(DType::kString);
inline constexpr TypeSet kAllTypes = kNumbers | kBools | kStrings;

// "input A of float32 or float64, got string". `name` as ONNX has it.
void expect_type(const NodeView& view, size_t input, const char* name, TypeSet allowed);
// That every present input from `first` on has the type of input `first`.
void expect_same_types(const NodeView& view, size_t first = 0);
// For what only makes sense the same for every row, such as weights.
void expect_unbatched(const NodeView& view, size_t input, const char* name);

// An attribute that is there; an empty list stands for none.
bool given(const NodeView& view, const char* attribute);
// That exactly one of them is given; which.
const char* expect_one_of(const NodeView& view, std::initializer_list<const char*> attributes);

// ONNX's multidirectional broadcasting. The batch meets the batch or a 1, in front.
Shape broadcast(const NodeView& view, const Shape& a, const Shape& b);
// That `from` broadcasts to `to` and changes nothing about it.
void expect_broadcasts_to(const NodeView& view, const char* name, const Shape& from, const Shape& to);

// A negative axis counts from behind.
size_t resolve_axis(const NodeView& view, int64_t axis, size_t rank);
// The same for several, each once.
std::vector<size_t> resolve_axes(const NodeView& view, const std::vector<int64_t>& axes, size_t rank);

// Refuses axis 0 of a batched value: `what` as in "reduce", "reverse".
void refuse_batch_axis(const NodeView& view, const Shape& shape, size_t axis, const char* what);

// The product of dimensions [from, to), at most kMostElements + 1 however large it is; no batch among them.
int64_t product(const Shape& shape, size_t from, size_t to);

// Values [start, start + step, ...] of a dimension: what a Slice takes from it.
struct SliceRange {
  int64_t start, step, count;
};
// As ONNX clamps them; step is not 0.
SliceRange slice_range(int64_t start, int64_t end, int64_t step, int64_t dimension);

}  // namespace maas
