// TensorProto to Tensor, in any of its encodings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "maas/graph/tensor.h"
#include "maas/onnx/read_context.h"

namespace maas {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// what: the owner, for messages: "initializer", "[Constant 'c'] attribute 'value'"; the tensor's own name is
// added where it has one. Throws FormatError or Unsupported.
NamedTensor read_tensor(std::string_view bytes, const std::string& what, ReadContext& context);

// TensorProto.DataType; nothing where the engine has no such type.
std::optional<DType> dtype_of_onnx(int32_t data_type);
int32_t onnx_of_dtype(DType dtype);
// "float16"; "type 99" where ONNX has none.
std::string onnx_type_name(int32_t data_type);

}  // namespace maas
