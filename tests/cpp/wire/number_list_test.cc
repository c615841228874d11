// Lists that are read without the parser, beside the parser: the same accepted, the same bits, the same
// words.
#include "maas/wire/number_list.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "maas/wire/infer_decoder.h"
#include "wire/padded.h"

namespace maas::wire {
namespace {

struct Heard {
  std::string error;  // "" where it was accepted
  std::vector<unsigned char> bytes;
  bool operator==(const Heard&) const = default;
};

Heard decode(const char* key, const std::string& type, const std::string& shape, const std::string& list) {
  const Padded body(R"({"inputs":[{"name":"X","shape":)" + shape + R"(,"datatype":")" + type + R"(",")" +
                    key + R"(":)" + list + "}]}");
  static InferDecoder decoder;
  Request request;
  const Status status = decoder.decode(body.text(), body.text().size(), request);
  if (!status.ok()) return {status.text(), {}};
  const Tensor& tensor = request.inputs.at(0);
  const auto* first = static_cast<const unsigned char*>(tensor.data);
  return {"", {first, first + tensor.count * item_size(tensor.type)}};
}

// An escape in its key keeps a list with the parser.
Heard parsed(const std::string& type, const std::string& shape, const std::string& list) {
  return decode("d\\u0061ta", type, shape, list);
}

void expect_same(const std::string& type, const std::string& shape, const std::string& list) {
  const Heard found = decode("data", type, shape, list), wanted = parsed(type, shape, list);
  EXPECT_EQ(found.error, wanted.error) << type << " " << shape << " " << list;
  EXPECT_TRUE(found.bytes == wanted.bytes) << type << " " << shape << " " << list;
}

std::string one_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& each : texts) list += (list.empty() ? "[" : ",") + each;
  return list + "]";
}

// Whether the list was read without the parser, and what it said.
template <class T>
bool read_alone(DataType type, const std::string& list, std::vector<T>& out) {
  const Padded text(list);
  Tensor tensor;
  tensor.type = type;
  tensor.rank = 1;
  tensor.count = out.size();
  tensor.shape[0] = static_cast<int64_t>(out.size());
  return read_number_list(text.text(), tensor, out.data());
}

template <class T>
T exactly(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  EXPECT_EQ(error, std::errc()) << text;
  return static_cast<T>(value);
}

template <class T>
void expect_exact(DataType type, const std::vector<std::string>& texts) {
  std::vector<T> found(texts.size());
  ASSERT_TRUE(read_alone(type, one_of(texts), found)) << texts.front();
  for (size_t i = 0; i < texts.size(); ++i) {
    const T wanted = exactly<T>(texts[i]);
    ASSERT_EQ(std::memcmp(&found[i], &wanted, sizeof(T)), 0) << texts[i] << " gave " << found[i];
  }
}

template <class T>
std::string text_of(T value, std::chars_format format, int precision = -1) {
  char digits[512];
  const auto end = precision < 0
                       ? std::to_chars(digits, digits + sizeof(digits), value, format).ptr
                       : std::to_chars(digits, digits + sizeof(digits), value, format, precision).ptr;
  return {digits, end};
}

TEST(NumberList, RoundsEveryWayOfWritingANumberToItsNearest) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (int turn = 0; turn < 400; ++turn) {
    std::vector<std::string> texts;
    for (int i = 0; i < 64; ++i) {
      const double value = normal(random) * std::pow(10.0, static_cast<int>(random() % 40) - 20);
      const auto as_float = static_cast<float>(value);
      texts.push_back(text_of(double{as_float}, std::chars_format::general));
      texts.push_back(text_of(as_float, std::chars_format::general));
      texts.push_back(text_of(value, std::chars_format::general));
      texts.push_back(text_of(value, std::chars_format::scientific, static_cast<int>(random() % 21)));
      texts.push_back(text_of(normal(random), std::chars_format::fixed, static_cast<int>(1 + random() % 24)));
      texts.push_back(std::to_string(static_cast<int64_t>(random()) >> (random() % 64)));
    }
    expect_exact<float>(DataType::kFloat32, texts);
    expect_exact<double>(DataType::kFloat64, texts);
  }
}

// The middle between two floats, and what is next to it on either side: by one double, and by one digit
// further than a double reaches.
TEST(NumberList, RoundsTheMiddleBetweenTwoFloats) {
  std::mt19937_64 random(2);
  std::vector<std::string> texts;
  for (int turn = 0; turn < 20000; ++turn) {
    const uint32_t exponent = 40 + random() % 200;
    const auto low = std::bit_cast<float>(exponent << 23 | static_cast<uint32_t>(random() & 0x7fffff));
    const double middle = (double{low} + double{std::nextafter(low, INFINITY)}) / 2;
    for (const double value : {middle, std::nextafter(middle, 0.0), std::nextafter(middle, INFINITY)}) {
      texts.push_back(text_of(value, std::chars_format::general));
      texts.push_back(text_of(value, std::chars_format::scientific, 17));
      texts.push_back(text_of(value, std::chars_format::scientific, 18));
      texts.push_back(text_of(value, std::chars_format::scientific, 25));
    }
  }
  for (const char* whole : {"16777217", "16777217.0", "16777219", "33554434.0000000001", "9007199254740993",
                            "9007199254740993.0", "9223372036854775807", "9223372036854775808",
                            "18446744073709551615", "18446744073709551616", "8.5e-05", "0.1", "100e-2"}) {
    texts.push_back(whole);
  }
  expect_exact<float>(DataType::kFloat32, texts);
  expect_exact<double>(DataType::kFloat64, texts);
}

TEST(NumberList, ReadsWhatLargeRequestsHoldWithoutTheParser) {
  std::vector<float> floats(4);
  EXPECT_TRUE(read_alone(DataType::kFloat32, "[-0.5, null,\t1e-05 ,\n-0]", floats));
  EXPECT_EQ(floats[0], -0.5f);
  EXPECT_TRUE(std::isnan(floats[1]));
  EXPECT_EQ(floats[2], 1e-05f);
  EXPECT_TRUE(std::signbit(floats[3]));
  std::vector<int64_t> whole(3);
  EXPECT_TRUE(read_alone(DataType::kInt64, "[9223372036854775807, -12, 0]", whole));
  EXPECT_EQ(whole, (std::vector<int64_t>{INT64_MAX, -12, 0}));
}

TEST(NumberList, AgreesWithTheParserOnEveryShapeAndSlip) {
  const char* lists[] = {"[]",
                         "[ ]",
                         "[1,2,3,4]",
                         "[[1,2],[3,4]]",
                         " [ [ 1 , 2 ] , [3 , 4 ] ] ",
                         "[1,2,3]",
                         "[1,2,3,4,5]",
                         "[[1,2],[3]]",
                         "[[1,2]]",
                         "[[1,2],[3,4],[5,6]]",
                         "[[1,2],3]",
                         "[1,[2,3,4]]",
                         "[[1,2],[3,4],]",
                         "[[1,2] [3,4]]",
                         "[1 2,3,4]",
                         "[1,2,3,4",
                         "[1,2,3,4,]",
                         "[,1,2,3,4]",
                         "[1,,2,3,4]",
                         "[[1,2],[3,4]",
                         "[[[1,2]],[[3,4]]]",
                         "[[],[]]",
                         "[null,1,null,4]",
                         "[true,1,2,3]",
                         "[\"1\",2,3,4]",
                         "[{},1,2,3]",
                         "1",
                         "null",
                         "[1,2,3,4]]",
                         "[1,2,3,4]x",
                         "[1,2,3,4],\"data\":[1]",
                         "[1,2,3,\"]\"]",
                         "[1,2,3,4\\]",
                         "[\v1,2,3,4]",
                         "[1,2,3,4\0]",
                         "[1,2,3,\xff]"};
  for (const char* type : {"FP32", "FP64", "INT64", "INT32", "INT8", "UINT8", "UINT64", "BOOL", "BYTES"}) {
    for (const char* shape : {"[4]", "[2,2]", "[1,4]", "[4,1]", "[2,1,2]", "[]", "[0]", "[2,0]", "[0,2]"}) {
      for (const char* list : lists) expect_same(type, shape, list);
    }
  }
}

TEST(NumberList, AgreesWithTheParserOnEveryWayToWriteANumber) {
  std::vector<std::string> numbers = {"-",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "-.5",
                                      "01",
                                      "-01",
                                      "00",
                                      "0.0",
                                      "-0",
                                      "-0.0",
                                      "0e0",
                                      "1e",
                                      "1e+",
                                      "1e-",
                                      "1E5",
                                      "1e+5",
                                      "1e05",
                                      "1e00005",
                                      "1e0000000005",
                                      "1e308",
                                      "1e309",
                                      "-1e309",
                                      "1e-308",
                                      "1e-400",
                                      "0e400",
                                      "0e-400",
                                      "3e38",
                                      "3.4028235e38",
                                      "3.4028236e38",
                                      "1e39",
                                      "1e-38",
                                      "1.17549435e-38",
                                      "1e-45",
                                      "7e-46",
                                      "1.5.5",
                                      "1e5e5",
                                      "1e5.5",
                                      "1-",
                                      "--1",
                                      "0x1",
                                      "1f",
                                      "nan",
                                      "NaN",
                                      "nul",
                                      "null",
                                      "nulls",
                                      "Infinity",
                                      "-null",
                                      "127",
                                      "128",
                                      "-128",
                                      "-129",
                                      "255",
                                      "256",
                                      "-1",
                                      "32768",
                                      "2147483647",
                                      "2147483648",
                                      "-2147483648",
                                      "4294967295",
                                      "4294967296",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "-9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "1.0",
                                      "1e0"};
  for (const size_t digits : {7u, 8u, 9u, 16u, 17u, 19u, 20u, 24u, 25u, 33u, 400u}) {
    const std::string nines(digits, '9'), zeros(digits, '0');
    for (const std::string& each :
         {nines, "0." + nines, nines + "." + nines, "0." + zeros + "1", "1" + zeros, "1." + zeros,
          "1." + zeros + "1", zeros, nines + "e-10", "1" + zeros + ".5"}) {
      numbers.push_back(each);
      numbers.push_back("-" + each);
    }
  }
  for (const char* type : {"FP32", "FP64", "INT64", "INT32", "INT16", "INT8", "UINT8", "UINT32", "UINT64"}) {
    for (const std::string& each : numbers) {
      expect_same(type, "[1]", "[" + each + "]");
      expect_same(type, "[3]", "[1, " + each + " , 2]");
    }
  }
}

TEST(NumberList, AgreesWithTheParserOnAnyOneByteThatIsWrong) {
  const std::string list = "[[-1.25, 2e-3], [null, 0.3333333432674408]]";
  for (size_t i = 0; i < list.size(); ++i) {
    for (const char byte : std::string("[]{}\",:-+.eEn09 \n\\\x01\x80/x")) {
      std::string changed = list;
      changed[i] = byte;
      expect_same("FP32", "[2,2]", changed);
      changed.insert(i, 1, list[i]);
      expect_same("FP32", "[2,2]", changed);
    }
    expect_same("FP32", "[2,2]", list.substr(0, i));
  }
}

TEST(NumberList, FindsWhereAListEnds) {
  const auto size = [](std::string_view text) { return number_list_size(text); };
  EXPECT_EQ(size("[1,2],3"), 5u);
  EXPECT_EQ(size("[ [1,2] , [3] ] ]"), 15u);
  EXPECT_EQ(size("[[1,2],[3"), 0u);
  for (const char* text : {"", "1", "[", "[\"a\"]", "[[1] 2]", "[[[[[[[[[1]]]]]]]]]"})
    EXPECT_EQ(size(text), 0u) << text;
}

}  // namespace
}  // namespace maas::wire
