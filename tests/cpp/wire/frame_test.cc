#include "maas/wire/frame.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace maas::wire {
namespace {

Tensor row(const std::vector<float>& values) {
  Tensor tensor;
  tensor.name = "X";
  tensor.type = DataType::kFloat32;
  tensor.rank = 2;
  tensor.shape[0] = 1;
  tensor.shape[1] = static_cast<int64_t>(values.size());
  tensor.count = values.size();
  tensor.data = values.data();
  return tensor;
}

const std::vector<float> kValues = {1, 2};

std::string example() {
  const Tensor tensor = row(kValues);
  std::string out;
  encode_frame({static_cast<uint8_t>(FrameKind::kInfer), 0, 7}, 0, {"m", "", "", {&tensor, 1}}, out);
  return out;
}

// The bytes of docs/raw_protocol.md; tests/python/test_raw_protocol.py checks that they are.
const std::string kExample(
    "\x46\0\0\0\1\1\0\0\7\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0m\x0b\2\1\0\0\0\0\0\x08\0\0\0\0\0\0\0"
    "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0X\0\0\x80\x3f\0\0\0\x40",
    74);

TEST(Frame, IsWhatThePageSays) { EXPECT_EQ(example(), kExample); }

struct Decoded {
  explicit Decoded(const std::string& frame) : bytes(std::make_unique<char[]>(frame.size())) {
    std::memcpy(bytes.get(), frame.data(), frame.size());
    status = decode_frame({bytes.get(), frame.size()}, head, request);
  }
  std::unique_ptr<char[]> bytes;
  FrameHead head;
  Request request;
  Status status;
};

TEST(Frame, ComesBack) {
  const Decoded decoded(example());
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.head.kind, static_cast<uint8_t>(FrameKind::kInfer));
  EXPECT_EQ(decoded.head.id, 7u);
  EXPECT_EQ(decoded.request.model, "m");
  ASSERT_EQ(decoded.request.inputs.size(), 1u);
  const Tensor& tensor = decoded.request.inputs[0];
  EXPECT_EQ(tensor.name, "X");
  EXPECT_EQ(tensor.shape[1], 2);
  EXPECT_EQ(std::memcmp(tensor.data, kValues.data(), 8), 0);
}

TEST(Frame, SeveralTensorsOfSeveralTypes) {
  const std::vector<std::string_view> texts = {"Oslo", ""};
  const uint8_t flag = 1;
  std::vector<Tensor> tensors = {row(kValues), {}, {}};
  tensors[1].name = "city";
  tensors[1].type = DataType::kBytes;
  tensors[1].rank = 1;
  tensors[1].shape[0] = 2;
  tensors[1].count = 2;
  tensors[1].data = texts.data();
  tensors[2].name = "flag";
  tensors[2].type = DataType::kBool;
  tensors[2].count = 1;
  tensors[2].data = &flag;
  std::string out;
  encode_frame({1, 0, UINT64_MAX}, 500, {"credit", "12", "", tensors}, out);
  const Decoded decoded(out);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.request.timeout_us, 500u);
  EXPECT_EQ(decoded.request.version, "12");
  ASSERT_EQ(decoded.request.inputs.size(), 3u);
  const auto* back = static_cast<const std::string_view*>(decoded.request.inputs[1].data);
  EXPECT_EQ(back[0], "Oslo");
  EXPECT_EQ(back[1], "");
  EXPECT_EQ(*static_cast<const uint8_t*>(decoded.request.inputs[2].data), 1);
}

TEST(Frame, IsFoundWholeByteByByteAndWithMoreBehindIt) {
  const std::string one = example(), two = one + one.substr(0, 40);
  size_t size = 0;
  Status status;
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(find_frame(std::string_view(one).substr(0, i), 1000, size, status), FrameState::kNeedMore);
    EXPECT_EQ(size, i < 5 ? 0 : one.size());
  }
  EXPECT_EQ(find_frame(two, 1000, size, status), FrameState::kWhole);
  EXPECT_EQ(size, one.size());
}

TEST(Frame, WrongSizesAndVersionsAreFoundAtOnce) {
  size_t size = 0;
  Status status;
  std::string frame = example();
  EXPECT_EQ(find_frame(frame, 69, size, status), FrameState::kBad);
  EXPECT_EQ(find_frame("GET / HTTP/1.1\r\nHost: h\r\n", 1000, size, status), FrameState::kBad);
  EXPECT_EQ(status.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(find_frame(std::string("\x1b\0\0\0\1", 5), 1000, size, status), FrameState::kBad);
  EXPECT_EQ(find_frame(std::string("\xff\xff\xff\xff\1", 5), 1000, size, status), FrameState::kBad);
}

TEST(Frame, EveryCutIsRefused) {
  const std::string frame = example();
  for (size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(Decoded(frame.substr(0, size)).status.ok()) << size;
  EXPECT_FALSE(Decoded(frame + "x").status.ok());
}

TEST(Frame, ClaimsAreChecked) {
  const auto changed = [](size_t at, char value) {
    std::string frame = example();
    frame[at] = value;
    return Decoded(frame).status.ok();
  };
  EXPECT_FALSE(changed(20, 2));       // a longer name of the model
  EXPECT_FALSE(changed(24, 2));       // another tensor
  EXPECT_FALSE(changed(26, 1));       // a wanted output
  EXPECT_FALSE(changed(28, 1));       // reserved
  EXPECT_FALSE(changed(33, 0));       // no such type
  EXPECT_FALSE(changed(33, 10));      // FP16
  EXPECT_FALSE(changed(33, 14));      // no such type
  EXPECT_FALSE(changed(33, 12));      // FP64: 2 values in 8 bytes
  EXPECT_FALSE(changed(33, 1));       // BOOL: 2 values in 8 bytes
  EXPECT_FALSE(changed(33, 13));      // BYTES: lengths out of range
  EXPECT_FALSE(changed(34, 9));       // rank
  EXPECT_FALSE(changed(37, 1));       // reserved
  EXPECT_FALSE(changed(48, '\xff'));  // 255 values in the byte that held 1 × 2
  EXPECT_FALSE(changed(56, '\xff'));  // a dimension that overflows
}

TEST(Frame, ErrorsCarryTheirText) {
  std::string out;
  encode_frame_error({129, 0, 9}, ErrorCode::kOverloaded, "later", out);
  const Decoded decoded(out);
  ASSERT_TRUE(decoded.status.ok());
  EXPECT_EQ(decoded.head.status, 6);
  EXPECT_EQ(decoded.head.id, 9u);
  EXPECT_EQ(decoded.request.inputs[0].name, "error");
  EXPECT_EQ(*static_cast<const std::string_view*>(decoded.request.inputs[0].data), "later");
}

}  // namespace
}  // namespace maas::wire
