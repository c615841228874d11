// Every encoding of a TensorProto, and every way in which one is wrong.
#include "maas/onnx/tensor_reader.h"

#include "maas/onnx/reader.h"
#include "onnx/model_bytes.h"

namespace maas {
namespace {

using namespace pb;

Tensor read(const std::string& tensor_bytes) {
  return read_onnx(of_initializer(tensor_bytes)).initializers.at("w");
}

void expect_format(const std::string& tensor_bytes, std::string_view words) {
  expect_error(ErrorCode::kFormatError, words, [&] { read(tensor_bytes); });
}
void expect_unsupported(const std::string& tensor_bytes, std::string_view words) {
  expect_error(ErrorCode::kUnsupported, words, [&] { read(tensor_bytes); });
}

std::string fixed32(uint32_t field, float value) { return key(field, 5) + memory<float>({value}); }
std::string fixed64(uint32_t field, double value) { return key(field, 1) + memory<double>({value}); }

TEST(TensorReader, ReadsRawData) {
  const float floats[] = {1.5F, -2, 0};
  const double doubles[] = {1.5, -2};
  const int64_t longs[] = {1, -2};
  const int32_t ints[] = {1, -2};
  const bool bools[] = {true, false};
  EXPECT_EQ(read(tensor("w", kFloat, {3}, bytes(9, memory<float>({1.5F, -2, 0})))), Tensor::of({3}, floats));
  EXPECT_EQ(read(tensor("w", kDouble, {2}, bytes(9, memory<double>({1.5, -2})))), Tensor::of({2}, doubles));
  EXPECT_EQ(read(tensor("w", kInt64, {2, 1}, bytes(9, memory<int64_t>({1, -2})))), Tensor::of({2, 1}, longs));
  EXPECT_EQ(read(tensor("w", kInt32, {2}, bytes(9, memory<int32_t>({1, -2})))), Tensor::of({2}, ints));
  EXPECT_EQ(read(tensor("w", kBool, {2}, bytes(9, memory<char>({1, 0})))), Tensor::of({2}, bools));
}

TEST(TensorReader, ReadsTypedDataPackedOrNot) {
  const float floats[] = {1.5F, -2};
  const double doubles[] = {1.5, -2};
  const int64_t longs[] = {int64_t{1} << 40, -2};
  const int32_t ints[] = {1, -2};
  const bool bools[] = {true, false};
  EXPECT_EQ(read(tensor("w", kFloat, {2}, bytes(4, memory<float>({1.5F, -2})))), Tensor::of({2}, floats));
  EXPECT_EQ(read(tensor("w", kFloat, {2}, fixed32(4, 1.5F) + fixed32(4, -2))), Tensor::of({2}, floats));
  EXPECT_EQ(read(tensor("w", kFloat, {2}, bytes(4, memory<float>({1.5F})) + fixed32(4, -2))),
            Tensor::of({2}, floats));
  EXPECT_EQ(read(tensor("w", kDouble, {2}, bytes(10, memory<double>({1.5, -2})))), Tensor::of({2}, doubles));
  EXPECT_EQ(read(tensor("w", kDouble, {2}, fixed64(10, 1.5) + fixed64(10, -2))), Tensor::of({2}, doubles));
  EXPECT_EQ(read(tensor("w", kInt64, {2}, bytes(7, packed({int64_t{1} << 40, -2})))), Tensor::of({2}, longs));
  EXPECT_EQ(read(tensor("w", kInt64, {2}, number(7, int64_t{1} << 40) + number(7, -2))),
            Tensor::of({2}, longs));
  EXPECT_EQ(read(tensor("w", kInt32, {2}, bytes(5, packed({1, -2})))), Tensor::of({2}, ints));
  EXPECT_EQ(read(tensor("w", kInt32, {2}, number(5, 1) + number(5, -2))), Tensor::of({2}, ints));
  EXPECT_EQ(read(tensor("w", kBool, {2}, bytes(5, packed({1, 0})))), Tensor::of({2}, bools));
}

TEST(TensorReader, ReadsStringsScalarsAndNothing) {
  const float one = 1;
  EXPECT_EQ(read(tensor("w", kString, {2}, bytes(6, "a") + bytes(6, "ü"))),
            Tensor::of_strings({2}, {"a", "ü"}));
  EXPECT_EQ(read(tensor("w", kFloat, {}, bytes(9, memory<float>({1})))), Tensor::of({}, &one));
  EXPECT_EQ(read(tensor("w", kFloat, {0, 3}, bytes(9, ""))).size(), 0U);
  EXPECT_EQ(read(tensor("w", kInt64, {0}, "")).size(), 0U);
  EXPECT_EQ(read(tensor("w", kString, {0}, "")).size(), 0U);
}

TEST(TensorReader, ReadsDimensionsAfterTheDataAndUnpacked) {
  const float floats[] = {1, 2};
  EXPECT_EQ(
      read(bytes(9, memory<float>({1, 2})) + number(2, kFloat) + number(1, 2) + number(1, 1) + bytes(8, "w")),
      Tensor::of({2, 1}, floats));
}

TEST(TensorReader, RefusesOtherTypesByName) {
  expect_unsupported(tensor("w", kHalf, {1}, bytes(9, "aa")), "initializer 'w'] has type float16");
  expect_unsupported(tensor("w", kInt8, {1}, bytes(9, "a")), "has type int8");
  expect_unsupported(tensor("w", 99, {1}, bytes(9, "a")), "has type type 99");
  expect_unsupported(tensor("w", -3, {1}, bytes(9, "a")), "has type type -3");
  expect_format(tensor("w", 0, {1}, bytes(9, "a")), "initializer 'w'] has no data type");
}

TEST(TensorReader, RefusesDataThatDoNotFitTheShape) {
  expect_format(tensor("w", kFloat, {2}, bytes(9, "1234567")), "expected 8 bytes of raw data, got 7");
  expect_format(tensor("w", kFloat, {2}, bytes(4, memory<float>({1}))),
                "expected 2 values in float_data, got 1");
  expect_format(tensor("w", kFloat, {1}, bytes(4, memory<float>({1, 2}))), "got 2");
  expect_format(tensor("w", kFloat, {1}, bytes(4, "12345")), "not a whole ONNX model");
  expect_format(tensor("w", kInt64, {1}, bytes(7, "\x80")), "expected 8 bytes of raw data, got 0");
  expect_format(tensor("w", kInt64, {1}, bytes(7, "\x01\x80")), "not a whole ONNX model");
  expect_format(tensor("w", kString, {2}, bytes(6, "a")), "expected 2 values in string_data, got 1");
  expect_format(tensor("w", kString, {1}, ""), "got 0");
  expect_format(tensor("w", kFloat, {3}, ""), "expected 12 bytes of raw data, got 0");
}

TEST(TensorReader, RefusesDataOfAnotherType) {
  expect_format(tensor("w", kFloat, {1}, bytes(7, packed({1}))), "data of another type");
  expect_format(tensor("w", kInt64, {1}, bytes(5, packed({1}))), "data of another type");
  expect_format(tensor("w", kInt64, {1}, bytes(11, packed({1}))), "data of another type");
  expect_format(tensor("w", kFloat, {1}, bytes(4, memory<float>({1})) + bytes(7, packed({1}))),
                "another type");
  expect_format(tensor("w", kFloat, {1}, bytes(4, memory<float>({1})) + bytes(9, "1234")),
                "both raw and typed");
  expect_format(tensor("w", kString, {1}, bytes(9, "abcd")), "both raw and typed");
  expect_format(tensor("w", kBool, {1}, bytes(9, "\x02")), "neither 0 nor 1");
  expect_format(tensor("w", kBool, {1}, bytes(5, packed({2}))), "neither 0 nor 1");
  expect_format(tensor("w", kFloat, {1}, number(9, 1)), "field 9 of a TensorProto has the wrong wire type");
  expect_format(tensor("w", kFloat, {1}, number(4, 1)), "field 4 of a TensorProto has the wrong wire type");
}

TEST(TensorReader, RefusesShapesBeforeAllocating) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  expect_format(tensor("w", kFloat, {-1}, ""), "negative dimension, -1");
  expect_format(tensor("w", kFloat, {kHuge, kHuge}, bytes(9, "1234")), "more than memory can hold");
  expect_format(tensor("w", kFloat, {kHuge, 4}, ""), "more than memory can hold");
  expect_format(tensor("w", kDouble, {kHuge}, ""), "more than memory can hold");
  expect_format(tensor("w", kFloat, {1'000'000'000'000}, bytes(9, "1234")), "expected 4000000000000 bytes");
  expect_format(tensor("w", kFloat, {1'000'000'000}, bytes(4, "1234")), "expected 1000000000 values");
  expect_unsupported(tensor("w", kFloat, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, ""),
                     "more than 16 dimensions");
}

TEST(TensorReader, RefusesNamesAndTextThatAreNotUtf8) {
  expect_error(ErrorCode::kFormatError, "not UTF-8",
               [] { read_onnx(of_initializer(tensor("\xff", kFloat, {0}, ""))); });
  for (const std::string text :
       {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf5"}) {
    expect_format(tensor("w", kString, {1}, bytes(6, text)), "initializer 'w' is not UTF-8");
  }
  for (const std::string text : {"", "aé€𐍈", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"}) EXPECT_TRUE(is_utf8(text));
}

TEST(TensorReader, RefusesSegmentsAndExternalDataOfBytes) {
  expect_unsupported(tensor("w", kFloat, {1}, bytes(3, "")), "segments");
  expect_unsupported(
      tensor("w", kFloat, {1}, number(14, 1) + bytes(13, bytes(1, "location") + bytes(2, "w.bin"))),
      "external data 'w.bin'");
}

TEST(TensorReader, CountsMemoryAgainstTheLimit) {
  ReadLimits limits;
  limits.bytes = 4096;
  const std::string large = of_initializer(tensor("w", kFloat, {900}, bytes(9, std::string(3600, '\0'))));
  expect_error(ErrorCode::kUnsupported, "memory it is allowed", [&] { read_onnx(large, limits); });
  std::string strings;
  for (int i = 0; i < 300; ++i) strings += bytes(6, "");
  expect_error(ErrorCode::kUnsupported, "memory it is allowed",
               [&] { read_onnx(of_initializer(tensor("w", kString, {300}, strings)), limits); });
}

}  // namespace
}  // namespace maas
