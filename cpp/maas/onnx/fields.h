// Field numbers of the ONNX messages (onnx.proto) that the engine reads or writes.
#pragma once

#include <cstdint>

namespace maas::onnx_field {

// Number, and what the field holds. Repeated numbers may be packed or not.
namespace model {
enum : uint32_t {
  kIrVersion = 1,        // int64
  kProducerName = 2,     // string
  kProducerVersion = 3,  // string
  kGraph = 7,            // graph
  kOpsetImport = 8,      // repeated opset
  kMetadata = 14,        // repeated entry
  kFunctions = 25,       // repeated function
};
}
namespace opset {
enum : uint32_t { kDomain = 1, kVersion = 2 };  // string, int64
}
namespace entry {
enum : uint32_t { kKey = 1, kValue = 2 };  // strings
}
namespace function {
enum : uint32_t { kName = 1, kDomain = 10 };  // strings
}
namespace graph {
enum : uint32_t {
  kNode = 1,                // repeated node
  kName = 2,                // string
  kInitializer = 5,         // repeated tensor
  kInput = 11,              // repeated value
  kOutput = 12,             // repeated value
  kSparseInitializer = 15,  // repeated
};
}
namespace value {
enum : uint32_t { kName = 1, kType = 2 };  // string, type
}
namespace type {
enum : uint32_t { kTensor = 1, kSequence = 4, kMap = 5, kOpaque = 7, kSparseTensor = 8, kOptional = 9 };
}
namespace tensor_type {
enum : uint32_t { kElemType = 1, kShape = 2 };  // data type, shape
}
namespace shape {
enum : uint32_t { kDim = 1 };  // repeated dimension
}
namespace dimension {
enum : uint32_t { kValue = 1, kParam = 2 };  // int64 or string
}
namespace node {
enum : uint32_t { kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5, kDomain = 7 };
}
namespace attribute {
enum : uint32_t {
  kName = 1,      // string
  kFloat = 2,     // float
  kInt = 3,       // int64
  kString = 4,    // bytes
  kTensor = 5,    // tensor
  kFloats = 7,    // repeated float
  kInts = 8,      // repeated int64
  kStrings = 9,   // repeated bytes
  kType = 20,     // attribute type
  kRefName = 21,  // string; inside functions only
};
}
namespace tensor {
enum : uint32_t {
  kDims = 1,          // repeated int64
  kDataType = 2,      // data type
  kSegment = 3,       // message
  kFloatData = 4,     // repeated float
  kInt32Data = 5,     // repeated int32: int32, bool
  kStringData = 6,    // repeated bytes
  kInt64Data = 7,     // repeated int64
  kName = 8,          // string
  kRawData = 9,       // bytes, little-endian
  kDoubleData = 10,   // repeated double
  kUint64Data = 11,   // repeated uint64
  kExternal = 13,     // repeated entry
  kDataLocation = 14  // 1: external
};
}

// Values of attribute::kType.
enum class AttributeType : int32_t {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kTensors = 9,
  kGraphs = 10,
};

}  // namespace maas::onnx_field
