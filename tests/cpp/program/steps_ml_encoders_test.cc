// OneHotEncoder, LabelEncoder.
#include <cmath>
#include <cstring>
#include <limits>

#include "step_runner.h"

namespace maas::test {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Strings = std::vector<std::string>;
using Views = std::vector<std::string_view>;
const float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(OneHotStep, NumbersOfEveryType) {
  const Attributes attributes{{"cats_int64s", Ints{3, 1, 2}}};
  const Floats expected{0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0};
  EXPECT_EQ(run_node<float>("OneHotEncoder", attributes, tensor<int64_t>({2, 2}, {1, 2, 7, 3}), {2, 3}),
            expected);
  EXPECT_EQ(run_node<float>("OneHotEncoder", attributes, tensor<int32_t>({2, 2}, {1, 2, 7, 3}), {2, 3}),
            expected);
  EXPECT_EQ(run_node<float>("OneHotEncoder", attributes, tensor<float>({2, 2}, {1, 2, 7, 3}), {2, 3}),
            expected);
  EXPECT_EQ(run_node<float>("OneHotEncoder", attributes, tensor<double>({2, 2}, {1, 2, 7, 3}), {2, 3}),
            expected);
}

TEST(OneHotStep, NumbersAreCutToIntegers) {
  EXPECT_EQ(run_node<float>("OneHotEncoder", {{"cats_int64s", Ints{1, -1, 0}}},
                            tensor<float>({3}, {1.9f, -1.9f, -0.5f}), {3}),
            (Floats{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  const Ints ends{std::numeric_limits<int64_t>::min() + 1, std::numeric_limits<int64_t>::max(), 0};
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run_node<float>("OneHotEncoder", {{"cats_int64s", ends}},
                            tensor<float>({4}, {kNan, infinity, -infinity, 1e30f}), {3}),
            Floats(12, 0));
}

TEST(OneHotStep, Strings) {
  EXPECT_EQ(run_node<float>("OneHotEncoder", {{"cats_strings", Strings{"b", "a", ""}}},
                            tensor<std::string>({4, 1}, {"a", "zz", "", "b"}), {1, 3}),
            (Floats{0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0}));
}

TEST(OneHotStep, UnknownCategoriesAreAnErrorWhereAsked) {
  const Attributes attributes{{"cats_int64s", Ints{3, 1}}, {"zeros", int64_t{0}}};
  EXPECT_EQ(run_node<float>("OneHotEncoder", attributes, tensor<int64_t>({2, 1}, {1, 3}), {1, 2}),
            (Floats{0, 1, 1, 0}));
  run_node<float>("OneHotEncoder", attributes, tensor<int64_t>({2, 1}, {1, 4}), {1, 2},
                  RunStatus::kUnknownCategory);
  run_node<float>("OneHotEncoder", attributes, tensor<float>({1, 1}, {kNan}), {1, 2},
                  RunStatus::kUnknownCategory);
}

TEST(OneHotStep, OfEqualCategoriesTheFirst) {
  EXPECT_EQ(
      run_node<float>("OneHotEncoder", {{"cats_int64s", Ints{1, 1, 3}}}, tensor<int64_t>({2}, {1, 3}), {3}),
      (Floats{1, 0, 0, 0, 0, 1}));
}

TEST(LabelEncoderStep, LastOfRepeatedKeysWins) {
  EXPECT_EQ(
      run_node<int64_t>("LabelEncoder", {{"keys_int64s", Ints{1, 1, 2}}, {"values_int64s", Ints{10, 20, 30}}},
                        tensor<int64_t>({3}, {1, 2, 3}), {}),
      (Ints{20, 30, -1}));
}

TEST(LabelEncoderStep, NanIsAKey) {
  EXPECT_EQ(run_node<int64_t>("LabelEncoder",
                              {{"keys_floats", Floats{1, kNan, -0.0f}}, {"values_int64s", Ints{10, 20, 30}}},
                              tensor<float>({5}, {1, -kNan, 0, -0.0f, 3}), {}),
            (Ints{10, 20, 30, 30, -1}));
}

TEST(LabelEncoderStep, DefaultsOfEachKind) {
  const Tensor unknown = tensor<int64_t>({1, 1}, {9});
  const Attributes keys{{"keys_int64s", Ints{1}}};
  auto with = [&](Attributes more) {
    more.insert(keys.begin(), keys.end());
    return more;
  };
  EXPECT_EQ(
      run_node<std::string_view>("LabelEncoder", with({{"values_strings", Strings{"x"}}}), unknown, {1}),
      Views{"_Unused"});
  EXPECT_EQ(run_node<std::string_view>(
                "LabelEncoder",
                with({{"values_strings", Strings{"x"}}, {"default_string", std::string("?")}}), unknown, {1}),
            Views{"?"});
  const auto zero = run_node<float>("LabelEncoder", with({{"values_floats", Floats{2}}}), unknown, {1});
  EXPECT_EQ(zero[0], 0);
  EXPECT_TRUE(std::signbit(zero[0]));
  EXPECT_EQ(run_node<float>("LabelEncoder", with({{"values_floats", Floats{2}}, {"default_float", kNan}}),
                            tensor<int64_t>({1}, {1}), {}),
            Floats{2});
  EXPECT_EQ(
      run_node<int64_t>("LabelEncoder", with({{"values_int64s", Ints{2}}, {"default_int64", int64_t{7}}}),
                        unknown, {1}),
      Ints{7});
}

TEST(LabelEncoderStep, TensorAttributes) {
  const Tensor keys = tensor<double>({2}, {1.0, std::nan("")});
  const Attributes attributes{{"keys_tensor", keys},
                              {"values_tensor", tensor<double>({2}, {.1, .3})},
                              {"default_tensor", tensor<double>({1}, {.25})}};
  EXPECT_EQ(run_node<double>("LabelEncoder", attributes, tensor<double>({3}, {7, 1, std::nan("")}), {}),
            (std::vector<double>{.25, .1, .3}));
  EXPECT_EQ(run_node<int32_t>("LabelEncoder",
                              {{"keys_tensor", tensor<std::string>({1}, {"a"})},
                               {"values_tensor", tensor<int32_t>({1}, {5})}},
                              tensor<std::string>({2}, {"a", "b"}), {}),
            (std::vector<int32_t>{5, -1}));
  EXPECT_EQ(run_node<std::string_view>("LabelEncoder",
                                       {{"keys_tensor", tensor<int32_t>({2}, {4, 6})},
                                        {"values_tensor", tensor<std::string>({2}, {"four", "six"})}},
                                       tensor<int32_t>({3}, {6, 4, 5}), {}),
            (Views{"six", "four", "_Unused"}));
}

TEST(LabelEncoderStep, EveryPairOfTypes) {
  const Strings names{"zero", "one", "two", "three", "four", "five", "six"};
  const Ints numbers{0, 1, 2, 3, 4, 5, 6};
  const Floats floats(numbers.begin(), numbers.end());
  const std::vector<double> doubles(numbers.begin(), numbers.end());
  const std::vector<int32_t> shorts(numbers.begin(), numbers.end());
  const std::vector<Tensor> tensors{tensor({7}, floats), tensor({7}, doubles), tensor({7}, numbers),
                                    tensor({7}, shorts), tensor({7}, names)};
  for (const Tensor& keys : tensors) {
    for (const Tensor& values : tensors) {
      const Attributes attributes{{"keys_tensor", keys}, {"values_tensor", values}};
      switch (values.dtype()) {
        case DType::kFloat32: EXPECT_EQ(run_node<float>("LabelEncoder", attributes, keys, {}), floats); break;
        case DType::kFloat64:
          EXPECT_EQ(run_node<double>("LabelEncoder", attributes, keys, {}), doubles);
          break;
        case DType::kInt64:
          EXPECT_EQ(run_node<int64_t>("LabelEncoder", attributes, keys, {}), numbers);
          break;
        case DType::kInt32: EXPECT_EQ(run_node<int32_t>("LabelEncoder", attributes, keys, {}), shorts); break;
        default:
          EXPECT_EQ(run_node<std::string_view>("LabelEncoder", attributes, keys, {}),
                    Views(names.begin(), names.end()));
      }
    }
  }
}

TEST(LabelEncoderStep, RefusesListsOfDifferentLength) {
  EXPECT_THROW(run_node<int64_t>("LabelEncoder", {{"keys_int64s", Ints{1, 2}}, {"values_int64s", Ints{10}}},
                                 tensor<int64_t>({1}, {1}), {}),
               Error);
}

}  // namespace
}  // namespace maas::test
