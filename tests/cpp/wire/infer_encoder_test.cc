#include "maas/wire/infer_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "maas/wire/infer_decoder.h"
#include "wire/padded.h"

namespace maas::wire {
namespace {

template <class T>
Tensor tensor(const char* name, DataType type, const std::vector<T>& values) {
  Tensor out;
  out.name = name;
  out.type = type;
  out.rank = 1;
  out.shape[0] = static_cast<int64_t>(values.size());
  out.count = values.size();
  out.data = values.data();
  return out;
}

struct Encoded {
  Encoded(const std::vector<Tensor>& outputs, bool as_binary, std::string_view id = "") {
    const std::unique_ptr<bool[]> binary(new bool[outputs.size()]);
    std::fill_n(binary.get(), outputs.size(), as_binary);
    status = encode_answer({"m", "1", id, outputs}, {binary.get(), outputs.size()}, body, json_size);
  }
  std::string body;
  size_t json_size = 0;
  Status status;
};

TEST(InferEncoder, WritesJson) {
  const std::vector<float> values = {1.0f, 0.1f, -2.5e-30f, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<std::string_view> texts = {"a\"\\\n\x01", "\xc3\xa9", "\xff"};
  const Encoded encoded({tensor("y", DataType::kFloat32, values), tensor("t", DataType::kBytes, texts)},
                        false, "7");
  ASSERT_TRUE(encoded.status.ok());
  EXPECT_EQ(
      encoded.body,
      R"({"model_name":"m","model_version":"1","id":"7","outputs":[{"name":"y","datatype":"FP32","shape":[4],)"
      R"("data":[1,0.1,-2.5e-30,null]},{"name":"t","datatype":"BYTES","shape":[3],)"
      "\"data\":[\"a\\\"\\\\\\n\\u0001\",\"\xc3\xa9\",\"\xef\xbf\xbd\"]}]}");
  EXPECT_EQ(encoded.json_size, encoded.body.size());
}

TEST(InferEncoder, WritesBinaryBehindTheJson) {
  const std::vector<int32_t> values = {1, -1};
  const std::vector<std::string_view> texts = {"abc", ""};
  const Encoded encoded({tensor("y", DataType::kInt32, values), tensor("t", DataType::kBytes, texts)}, true);
  ASSERT_TRUE(encoded.status.ok());
  EXPECT_EQ(encoded.body.substr(0, encoded.json_size),
            R"({"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"INT32","shape":[2],)"
            R"("parameters":{"binary_data_size":8}},{"name":"t","datatype":"BYTES","shape":[2],)"
            R"("parameters":{"binary_data_size":11}}]})");
  EXPECT_EQ(encoded.body.substr(encoded.json_size),
            std::string("\1\0\0\0\xff\xff\xff\xff\3\0\0\0abc\0\0\0\0", 19));
}

TEST(InferEncoder, RefusesInfinityInJsonAndLeavesNothing) {
  const std::vector<double> values = {1, std::numeric_limits<double>::infinity()};
  const Encoded json({tensor("y", DataType::kFloat64, values)}, false);
  EXPECT_EQ(json.status.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(json.body, "");
  EXPECT_TRUE(Encoded({tensor("y", DataType::kFloat64, values)}, true).status.ok());
}

template <class T>
void expect_round_trip(DataType type, const std::vector<T>& values) {
  const Encoded encoded({tensor("y", type, values)}, false);
  ASSERT_TRUE(encoded.status.ok());
  std::string text = encoded.body;  // an answer's outputs read as a request's inputs
  text.replace(text.find("outputs"), 7, "inputs");
  const Padded body(text);
  InferDecoder decoder;
  Request request;
  const Status status = decoder.decode(body.text(), text.size(), request);
  ASSERT_TRUE(status.ok()) << status.text();
  EXPECT_EQ(std::memcmp(request.inputs[0].data, values.data(), values.size() * sizeof(T)), 0);
}

TEST(InferEncoder, NumbersComeBackWithTheSameBits) {
  std::mt19937_64 random(1);
  std::vector<float> floats = {0.0f,
                               -0.0f,
                               std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::lowest(),
                               std::numeric_limits<float>::min()};
  std::vector<double> doubles = {0.0, -0.0, std::numeric_limits<double>::denorm_min(),
                                 std::numeric_limits<double>::max(), std::numeric_limits<double>::min()};
  std::vector<int64_t> integers = {0, INT64_MIN, INT64_MAX};
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    float f;
    double d;
    std::memcpy(&f, &bits, sizeof(f));
    std::memcpy(&d, &bits, sizeof(d));
    if (std::isfinite(f)) floats.push_back(f);
    if (std::isfinite(d)) doubles.push_back(d);
    integers.push_back(static_cast<int64_t>(bits));
  }
  expect_round_trip(DataType::kFloat32, floats);
  expect_round_trip(DataType::kFloat64, doubles);
  expect_round_trip(DataType::kInt64, integers);
}

TEST(InferEncoder, ErrorsAreJson) {
  std::string out;
  encode_error("a \"b\"", out);
  EXPECT_EQ(out, R"({"error":"a \"b\""})");
}

TEST(InferEncoder, NegativeZeroIsNoWholeNumber) {
  const std::vector<float> values = {-0.0F, 0.0F};
  const Encoded encoded({tensor("y", DataType::kFloat32, values)}, false);
  EXPECT_NE(encoded.body.find("\"data\":[-0.0,0]"), std::string::npos) << encoded.body;
}

}  // namespace
}  // namespace maas::wire
