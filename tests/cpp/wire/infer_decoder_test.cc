#include "maas/wire/infer_decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/padded.h"

namespace maas::wire {
namespace {

std::string input(const std::string& type, const std::string& shape, const std::string& data) {
  return R"({"inputs":[{"name":"X","shape":)" + shape + R"(,"datatype":")" + type + R"(","data":)" + data +
         "}]}";
}

struct Decoded {
  explicit Decoded(std::string_view text, std::string_view binary = {})
      : body(std::string(text) + std::string(binary)) {
    status = decoder.decode(body.text(), text.size(), request);
  }
  template <class T>
  std::vector<T> values(size_t i = 0) const {
    const Tensor& tensor = request.inputs.at(i);
    std::vector<T> out(tensor.count);
    std::memcpy(out.data(), tensor.data, tensor.count * sizeof(T));
    return out;
  }

  Padded body;
  InferDecoder decoder;
  Request request;
  Status status;
};

std::string error(const std::string& text, const std::string& binary = {}) {
  const Decoded decoded(text, binary);
  return decoded.status.ok() ? "accepted" : decoded.status.text();
}

TEST(InferDecoder, ReadsWhatTritonsClientSends) {
  const Decoded decoded(
      R"({"id":"7","inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],)"
      R"("parameters":{"binary_data_output":true,"timeout":1000000,"sequence_id":7,"foo":{"a":[1]}},)"
      R"("outputs":[{"name":"output","parameters":{"binary_data":false}},{"name":"other"}]})",
      std::string_view("\0\0\x80\x3f\0\0\0\x40", 8));
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.request.id, "7");
  EXPECT_TRUE(decoded.request.binary_output);
  EXPECT_EQ(decoded.request.timeout_us, 1000000u);
  ASSERT_EQ(decoded.request.inputs.size(), 1u);
  EXPECT_EQ(decoded.request.inputs[0].name, "input");
  EXPECT_EQ(decoded.values<float>(), (std::vector<float>{1, 2}));
  EXPECT_EQ(decoded.request.inputs[0].data, decoded.body.text().data() + decoded.body.text().size() - 8);
  ASSERT_EQ(decoded.request.outputs.size(), 2u);
  EXPECT_EQ(decoded.request.outputs[0].binary, std::optional(false));
  EXPECT_EQ(decoded.request.outputs[1].binary, std::nullopt);
}

TEST(InferDecoder, TakesListsFlatOrNestedAsTheShape) {
  for (const char* data : {"[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]", " [ [1.0,2e0,3],[4,5,6] ] "}) {
    EXPECT_EQ(Decoded(input("FP64", "[2,3]", data)).values<double>(), (std::vector<double>{1, 2, 3, 4, 5, 6}))
        << data;
  }
  EXPECT_EQ(Decoded(input("INT8", "[]", "[-5]")).values<int8_t>(), std::vector<int8_t>{-5});
  for (const char* data :
       {"[[1,2],[3,4],[5,6]]", "[[1,2,3],[4,5]]", "[[1,2,3]]", "[[1,2,3],4,5,6]", "[1,[2,3],4,5,6]",
        "[[[1,2,3]],[[4,5,6]]]", "[1,2,3,4,5]", "[1,2,3,4,5,6,7]", "[]", "[[1,2,3],[4,5,6],[]]"}) {
    EXPECT_EQ(error(input("FP64", "[2,3]", data)),
              "inputs[0] 'X': expected 6 values, flat or nested as its shape [2, 3]")
        << data;
  }
}

TEST(InferDecoder, TakesAShapeWithoutRows) {
  for (const char* data : {"[]", "[[],[]]"}) {
    const Decoded decoded(input("FP32", data[1] == '[' ? "[2,0]" : "[0,3]", data));
    ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
    EXPECT_EQ(decoded.request.inputs[0].count, 0u);
  }
}

TEST(InferDecoder, ReadsValuesThatComeBeforeWhatTheyAre) {
  const Decoded decoded(R"({"inputs":[{"data":[1,2],"datatype":"INT64","name":"X","shape":[2]}]})");
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.values<int64_t>(), (std::vector<int64_t>{1, 2}));
}

TEST(InferDecoder, RoundsAsTheTypeDoes) {
  const Decoded decoded(input("FP32", "[3]", "[0.3455841339313507, 1e-46, null]"));
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  const auto values = decoded.values<float>();
  EXPECT_EQ(values[0], static_cast<float>(0.3455841339313507));
  EXPECT_EQ(values[1], 0.0f);
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST(InferDecoder, ReadsMoreDigitsThanANumberNeeds) {
  for (const char* list : {"[0.95000000000000000000, -0.30000000000000000000000001]",
                           "[0.95000000000000000000 , -0.30000000000000000000000001]"}) {
    for (const char* key : {"data", "d\\u0061ta"}) {  // read as a list of numbers, and by the parser
      std::string text = input("FP64", "[2]", list);
      text.replace(text.find("data\":"), 4, key);
      const Decoded decoded(text);
      ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
      EXPECT_EQ(decoded.values<double>(), (std::vector<double>{0.95, -0.3})) << text;
    }
  }
}

TEST(InferDecoder, RefusesNumbersThatTheTypeCannotHold) {
  const struct {
    const char *type, *value;
  } cases[] = {{"INT8", "128"},
               {"INT8", "-129"},
               {"UINT8", "256"},
               {"UINT8", "-1"},
               {"INT16", "32768"},
               {"INT32", "2147483648"},
               {"UINT32", "4294967296"},
               {"INT64", "9223372036854775808"},
               {"UINT64", "18446744073709551616"},
               {"INT32", "1.5"},
               {"INT32", "true"},
               {"FP32", "1e39"},
               {"FP64", "1e400"},
               {"FP32", "NaN"},
               {"FP32", "\"1\""},
               {"BOOL", "1"},
               {"BYTES", "1"},
               {"BYTES", "null"},
               {"INT64", "null"},
               {"FP64", "{}"},
               {"FP64", "-"}};
  for (const auto& each : cases) {
    const std::string text = error(input(each.type, "[1]", std::string("[") + each.value + "]"));
    EXPECT_NE(text.find("expected"), std::string::npos) << each.type << " " << each.value << ": " << text;
  }
  EXPECT_EQ(error(input("INT8", "[2]", "[1, 128]")),
            "inputs[0] 'X': expected whole numbers that the datatype can hold in 'data', at value 1");
  const Decoded extremes(input("UINT64", "[1]", "[18446744073709551615]"));
  ASSERT_TRUE(extremes.status.ok());
  EXPECT_EQ(extremes.values<uint64_t>()[0], UINT64_MAX);
}

TEST(InferDecoder, ReadsTexts) {
  const Decoded decoded(input("BYTES", "[3]", R"(["Oslo","a\"\u00e9\ud83d\ude00\n",""])"));
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.values<std::string_view>(),
            (std::vector<std::string_view>{"Oslo", "a\"\xc3\xa9\xf0\x9f\x98\x80\n", ""}));
}

TEST(InferDecoder, ReadsBinaryTexts) {
  const std::string head =
      R"({"inputs":[{"name":"X","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":11}}]})";
  const std::string good("\3\0\0\0abc\0\0\0\0", 11);
  const Decoded decoded(head, good);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.text();
  EXPECT_EQ(decoded.values<std::string_view>(), (std::vector<std::string_view>{"abc", ""}));
  EXPECT_NE(error(head, std::string("\4\0\0\0abc\0\0\0\0", 11)), "accepted");
  EXPECT_NE(error(head, std::string("\xff\xff\xff\xff"
                                    "abc\0\0\0\0",
                                    11)),
            "accepted");
  EXPECT_NE(error(head, std::string("\3\0\0\0abc\0\0\0", 10)), "accepted");
  EXPECT_NE(error(head, good + "x"), "accepted");
}

TEST(InferDecoder, BinarySizesMustFit) {
  const auto head = [](const char* shape, const char* size) {
    return R"({"inputs":[{"name":"X","shape":)" + std::string(shape) +
           R"(,"datatype":"FP32","parameters":{"binary_data_size":)" + size + "}}]}";
  };
  EXPECT_EQ(error(head("[2]", "8"), "12345678"), "accepted");
  EXPECT_EQ(error(head("[2]", "8"), "1234567"), "inputs[0] 'X': expected 8 bytes behind the JSON, got 7");
  EXPECT_EQ(
      error(head("[2]", "8"), "123456789"),
      "expected binary_data_size of the inputs to add up to the bytes behind the JSON: 1 are left over");
  EXPECT_EQ(error(head("[2]", "4"), "1234"),
            "inputs[0] 'X': expected 2 values of 4 bytes for its shape, got 4 bytes");
  EXPECT_NE(error(head("[2]", "-8"), "12345678"), "accepted");
  EXPECT_NE(error(head("[2]", "18446744073709551615"), "12345678"), "accepted");
  EXPECT_NE(error(head("[4611686018427387905]", "4"), "1234"), "accepted");  // × 4 wraps around to 4
}

TEST(InferDecoder, RefusesHugeShapesBeforeItAllocates) {
  EXPECT_NE(error(input("FP64", "[1000000000000]", "[1]")), "accepted");
  EXPECT_NE(error(input("FP64", "[4294967296,4294967296]", "[1]")), "accepted");
  EXPECT_NE(error(input("FP64", "[4294967296,4294967296,0]", "[1]")), "accepted");
  EXPECT_NE(error(input("FP64", "[-1]", "[1]")), "accepted");
  EXPECT_NE(error(input("FP64", "[1,1,1,1,1,1,1,1,1]", "[1]")), "accepted");
}

TEST(InferDecoder, RefusesWhatIsNotARequest) {
  for (
      const char* text :
      {"",
       " ",
       "{",
       "[]",
       "1",
       "null",
       "{}",
       R"({"inputs":[]})",
       R"({"inputs":{}})",
       R"({"inputs":[1]})",
       R"({"inputs":[{"name":"X"}]})",
       R"({"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1]}]} x)",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1]}]}{})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1]}],"inputs":[]})",
       R"({"inputs":[{"name":"X","shape":[1],"shape":[1],"datatype":"FP32","data":[1]}]})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP16","data":[1]}]})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1,]}]})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}}]})",
       R"({"id":7,"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1]}]})",
       R"({"inputs":[{"name":"X","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{}]})",
       "{\"inputs\":[{\"name\":\"\xff\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}"}) {
    EXPECT_NE(error(text), "accepted") << text;
  }
}

TEST(InferDecoder, EveryPrefixIsRefusedAndNoneReadsFurther) {
  const std::string whole =
      R"({"id":"a","inputs":[{"name":"X","shape":[2,2],"datatype":"FP32","data":[[1,2],[3.5,null]]}],"parameters":{}})";
  ASSERT_EQ(error(whole), "accepted");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(error(whole.substr(0, size)), "accepted") << size;
}

TEST(InferDecoder, DeepNestingIsRefused) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_NE(error(deep), "accepted");
  EXPECT_NE(error(input("FP32", "[1]", deep)), "accepted");
  EXPECT_NE(error(R"({"parameters":{"a":)" + deep + "}}"), "accepted");
}

TEST(InferDecoder, AReusedRequestKeepsItsMemory) {
  InferDecoder decoder;
  Request request;
  const Padded body(input("FP32", "[4]", "[1,2,3,4]"));
  const void* first = nullptr;
  for (int i = 0; i < 3; ++i) {
    request.clear();
    ASSERT_TRUE(decoder.decode(body.text(), body.text().size(), request).ok());
    if (i == 0) first = request.inputs[0].data;
    EXPECT_EQ(request.inputs[0].data, first);
  }
}

TEST(ValueRoom, BlocksDoNotMoveAndTheLimitHolds) {
  ValueRoom room;
  room.set_limit(100000);
  auto* first = static_cast<char*>(room.take(10));
  *first = 'x';
  for (int i = 0; i < 10; ++i) ASSERT_NE(room.take(5000), nullptr);
  EXPECT_EQ(*first, 'x');
  EXPECT_EQ(room.take(60000), nullptr);
  EXPECT_EQ(room.take(SIZE_MAX), nullptr);
  room.reset();
  EXPECT_NE(room.take(60000), nullptr);
}

}  // namespace
}  // namespace maas::wire
