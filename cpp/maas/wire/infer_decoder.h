// The body of an Open Inference Protocol request, JSON with or without binary tensors behind it, to a
// Request.
//
// Protocol: https://github.com/kserve/open-inference-protocol, and Triton's binary tensor data extension.
// Numbers go straight from the text into the tensor's type; no object is made per element.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::wire {

// Readable bytes that must follow every body: the JSON parser reads ahead.
inline constexpr size_t kBodyPadding = 64;

// One a thread; keeps its memory from request to request.
class InferDecoder {
 public:
  InferDecoder();
  ~InferDecoder();
  InferDecoder(InferDecoder&&) noexcept;
  InferDecoder& operator=(InferDecoder&&) noexcept;

  // `json_size`: of the JSON at the front of `body`; binary tensors lie behind it, in the order of the
  // inputs. Binary tensors of numbers stay where they are; all else is copied into request.room. The caller
  // has cleared the request and set model and version. JSON's null is NaN in a float tensor. Never throws.
  Status decode(std::string_view body, size_t json_size, Request& request) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Texts of a binary BYTES tensor, each behind its length (u32, little-endian), as views into `bytes`; exactly
// `tensor.count` of them. Sets tensor.data, made in `room`.
Status decode_bytes_tensor(std::string_view bytes, Tensor& tensor, ValueRoom& room);

// Elements of the shape in tensor.shape; false where the product passes 2^62.
bool count_elements(Tensor& tensor);

}  // namespace maas::wire
