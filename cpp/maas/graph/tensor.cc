#include "maas/graph/tensor.h"

#include <cstring>

#include "maas/base/error.h"

namespace maas {

namespace {

size_t checked_bytes(DType dtype, const Shape& shape) {
  const auto count = checked_elements(shape);
  size_t bytes = 0;
  if (is_batched(shape) || !count ||
      __builtin_mul_overflow(static_cast<size_t>(*count), item_size(dtype), &bytes)) {
    throw_invalid("tensor",
                  "expected a shape of fixed dimensions that fits in memory, got " + shape_text(shape));
  }
  return bytes;
}

}  // namespace

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  size_ = checked_bytes(dtype_, shape_) / item_size(dtype_);
}

Tensor Tensor::of_bytes(DType dtype, Shape shape, std::string_view bytes) {
  Tensor tensor(dtype, std::move(shape));
  const size_t expected = tensor.size_ * item_size(dtype);
  if (dtype == DType::kString || bytes.size() != expected) {
    throw_invalid("tensor", "expected " + std::to_string(expected) + " bytes for " + dtype_name(dtype) + " " +
                                shape_text(tensor.shape_) + ", got " + std::to_string(bytes.size()));
  }
  if (dtype == DType::kBool) {
    for (const char byte : bytes) {
      if (byte != 0 && byte != 1) throw_invalid("tensor", "expected bool values of 0 or 1");
    }
  }
  auto storage = std::make_shared<Storage>();
  storage->bytes = AlignedBuffer<char>(expected);
  if (expected > 0) std::memcpy(storage->bytes.data(), bytes.data(), expected);
  tensor.storage_ = std::move(storage);
  return tensor;
}

template <class T>
Tensor Tensor::of(Shape shape, const T* values) {
  const size_t bytes = checked_bytes(dtype_of<T>, shape);
  return of_bytes(dtype_of<T>, std::move(shape), {reinterpret_cast<const char*>(values), bytes});
}

template Tensor Tensor::of(Shape, const float*);
template Tensor Tensor::of(Shape, const double*);
template Tensor Tensor::of(Shape, const int64_t*);
template Tensor Tensor::of(Shape, const int32_t*);
template Tensor Tensor::of(Shape, const bool*);

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> values) {
  Tensor tensor(DType::kString, std::move(shape));
  if (values.size() != tensor.size_) {
    throw_invalid("tensor", "expected " + std::to_string(tensor.size_) + " strings for shape " +
                                shape_text(tensor.shape_) + ", got " + std::to_string(values.size()));
  }
  auto storage = std::make_shared<Storage>();
  storage->strings = std::move(values);
  storage->bytes = AlignedBuffer<char>(tensor.size_ * sizeof(std::string_view));
  auto* views = reinterpret_cast<std::string_view*>(storage->bytes.data());
  for (size_t i = 0; i < tensor.size_; ++i) new (views + i) std::string_view(storage->strings[i]);
  tensor.storage_ = std::move(storage);
  return tensor;
}

const void* Tensor::data() const { return storage_ == nullptr ? nullptr : storage_->bytes.data(); }

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::kString) {
    const auto x = a.values<std::string_view>(), y = b.values<std::string_view>();
    return std::equal(x.begin(), x.end(), y.begin());
  }
  return a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * item_size(a.dtype())) == 0;
}

}  // namespace maas
