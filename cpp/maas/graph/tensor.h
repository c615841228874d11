// A constant of a graph: weights, categories, axes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/base/export.h"
#include "maas/graph/dtype.h"
#include "maas/graph/shape.h"

namespace maas {

// Immutable; copies share the values, so threads may share it too. Values lie row-major on 64 bytes.
class MAAS_API Tensor {
 public:
  Tensor() = default;  // no elements

  // Copies `elements(shape)` values. T: float, double, int64_t, int32_t, bool (one byte each).
  template <class T>
  static Tensor of(Shape shape, const T* values);
  static Tensor of_strings(Shape shape, std::vector<std::string> values);
  // Raw little-endian bytes in row-major order; throws InvalidArgument when their number is not that of the
  // shape, or a bool is neither 0 nor 1. Not for strings.
  static Tensor of_bytes(DType dtype, Shape shape, std::string_view bytes);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t size() const { return size_; }

  // T must be the type's own (std::string_view for strings).
  template <class T>
  std::span<const T> values() const {
    return {static_cast<const T*>(data()), size_};
  }
  const void* data() const;

 private:
  struct Storage {
    AlignedBuffer<char> bytes;
    std::vector<std::string> strings;  // what the views in `bytes` point to
  };
  Tensor(DType dtype, Shape shape);

  DType dtype_ = DType::kFloat32;
  Shape shape_ = {0};
  size_t size_ = 0;
  std::shared_ptr<const Storage> storage_;
};

// Equal type, shape and bits.
bool operator==(const Tensor& a, const Tensor& b);

}  // namespace maas
