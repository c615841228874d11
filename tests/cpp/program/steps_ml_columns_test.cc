// Scaler, Binarizer, Imputer, Normalizer, ArrayFeatureExtractor, FeatureVectorizer.
#include <cmath>
#include <cstring>
#include <limits>

#include "../targets.h"
#include "step_runner.h"

namespace maas::test {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();
using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

TEST(ScalerStep, SubtractsThenMultiplies) {
  const auto out = run_node<float>("Scaler", {{"offset", Floats{1, 2}}, {"scale", Floats{3, 0.5f}}},
                                   tensor<float>({2, 2}, {1, 4, 5, kNan}), {2});
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 1);
  EXPECT_EQ(out[2], 12);
  EXPECT_TRUE(std::isnan(out[3]));
}

TEST(ScalerStep, OneValueServesAllColumns) {
  const auto out = run_node<float>("Scaler", {{"offset", Floats{1}}, {"scale", Floats{2}}},
                                   tensor<float>({1, 3}, {1, 2, 3}), {3});
  EXPECT_EQ(out, (Floats{0, 2, 4}));
  const auto shifted = run_node<float>("Scaler", {{"offset", Floats{1}}}, tensor<float>({1, 2}, {1, 2}), {2});
  EXPECT_EQ(shifted, (Floats{0, 1}));
}

TEST(ScalerStep, DoubleIsScaledInDoubleIntegersInFloat) {
  const Attributes attributes{{"offset", Floats{16777216}}, {"scale", Floats{3}}};
  EXPECT_EQ(run_node<float>("Scaler", attributes, tensor<double>({1, 1}, {16777217}), {1}), Floats{3});
  EXPECT_EQ(run_node<float>("Scaler", attributes, tensor<int64_t>({1, 1}, {16777217}), {1}), Floats{0});
  EXPECT_EQ(run_node<float>("Scaler", attributes, tensor<int32_t>({1, 1}, {16777218}), {1}), Floats{6});
}

TEST(ScalerStep, RefusesAWrongNumberOfValues) {
  EXPECT_THROW(run_node<float>("Scaler", {{"offset", Floats{1, 2, 3}}, {"scale", Floats{1, 2, 3}}},
                               tensor<float>({1, 2}, {1, 2}), {2}),
               Error);
}

TEST(ScalerStep, SameBitsOnEveryTarget) {
  Floats x(7 * 33), offset(33), scale(33);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(static_cast<float>(i * 7919 % 997), -5);
  for (size_t j = 0; j < 33; ++j) offset[j] = x[j] / 3, scale[j] = 1 / (x[j] + 0.7f);
  Floats expected;
  for (size_t i = 0; i < x.size(); ++i) expected.push_back((x[i] - offset[i % 33]) * scale[i % 33]);
  for_each_target([&] {
    EXPECT_EQ(
        run_node<float>("Scaler", {{"offset", offset}, {"scale", scale}}, tensor<float>({7, 33}, x), {33}),
        expected);
  });
}

TEST(BinarizerStep, KeepsTheType) {
  const Attributes attributes{{"threshold", 2.0f}};
  EXPECT_EQ(run_node<float>("Binarizer", attributes, tensor<float>({1, 4}, {1, 2, 3, kNan}), {4}),
            (Floats{0, 0, 1, 0}));
  EXPECT_EQ(run_node<double>("Binarizer", attributes, tensor<double>({2, 1}, {2.0000001, 1}), {1}),
            (std::vector<double>{1, 0}));
  EXPECT_EQ(run_node<int64_t>("Binarizer", attributes, tensor<int64_t>({1, 2}, {2, 3}), {2}), (Ints{0, 1}));
  EXPECT_EQ(run_node<int32_t>("Binarizer", {}, tensor<int32_t>({1, 2}, {0, 3}), {2}),
            (std::vector<int32_t>{0, 1}));
}

TEST(ImputerStep, NanMatchesNan) {
  const Attributes attributes{{"imputed_value_floats", Floats{5, 6}}, {"replaced_value_float", kNan}};
  EXPECT_EQ(run_node<float>("Imputer", attributes, tensor<float>({2, 2}, {kNan, 2, 3, -kNan}), {2}),
            (Floats{5, 2, 3, 6}));
  EXPECT_EQ(run_node<double>("Imputer", attributes, tensor<double>({1, 2}, {0.1, std::nan("")}), {2}),
            (std::vector<double>{0.1, 6}));
}

TEST(ImputerStep, OtherValuesMatchByEquality) {
  EXPECT_EQ(run_node<float>("Imputer", {{"imputed_value_floats", Floats{5}}},
                            tensor<float>({1, 3}, {0, -0.0f, 2}), {3}),
            (Floats{5, 5, 2}));
  const Attributes integers{{"imputed_value_int64s", Ints{5, 6}}, {"replaced_value_int64", int64_t{-1}}};
  EXPECT_EQ(run_node<int64_t>("Imputer", integers, tensor<int64_t>({2, 2}, {-1, -1, 1, 2}), {2}),
            (Ints{5, 6, 1, 2}));
  EXPECT_EQ(run_node<int32_t>("Imputer", integers, tensor<int32_t>({1, 2}, {-1, 4}), {2}),
            (std::vector<int32_t>{5, 4}));
}

TEST(ImputerStep, RefusesAWrongNumberOfValues) {
  EXPECT_THROW(run_node<float>("Imputer", {{"imputed_value_floats", Floats{5, 6}}},
                               tensor<float>({1, 3}, {1, 2, 3}), {3}),
               Error);
}

TEST(NormalizerStep, ThreeNorms) {
  const Tensor x = tensor<float>({3, 2}, {3, -4, 0, 0, -3, -8});
  EXPECT_EQ(run_node<float>("Normalizer", {{"norm", std::string("L1")}}, x, {2}),
            (Floats{3.f / 7, -4.f / 7, 0, 0, -3.f / 11, -8.f / 11}));
  const auto l2 = run_node<float>("Normalizer", {{"norm", std::string("L2")}}, x, {2});
  EXPECT_EQ(l2[0], 0.6f);
  EXPECT_EQ(l2[1], -0.8f);
  EXPECT_NEAR(l2[5], -8 / std::sqrt(73.0), 1e-7);
  EXPECT_EQ(run_node<float>("Normalizer", {}, x, {2}), (Floats{1, -4.f / 3, 0, 0, 1, 8.f / 3}));
}

TEST(NormalizerStep, SquaresNeitherOverflowNorVanish) {
  const auto out = run_node<float>("Normalizer", {{"norm", std::string("L2")}},
                                   tensor<float>({2, 2}, {1e30f, 1e30f, 1e-30f, 1e-30f}), {2});
  for (const float value : out) EXPECT_FLOAT_EQ(value, std::sqrt(0.5f));
}

TEST(NormalizerStep, EveryTypeAndWidth) {
  for (size_t width = 1; width < 12; ++width) {
    std::vector<double> row(width);
    double sum = 0;
    for (size_t j = 0; j < width; ++j) sum += row[j] = static_cast<double>(j + 1);
    const auto columns = static_cast<int64_t>(width);
    const Attributes attributes{{"norm", std::string("L1")}};
    const auto same = run_node<float>("Normalizer", attributes, tensor<double>({1, columns}, row), {columns});
    for (size_t j = 0; j < width; ++j) EXPECT_FLOAT_EQ(same[j], static_cast<float>(row[j] / sum));
    EXPECT_EQ(run_node<float>("Normalizer", attributes,
                              tensor<int64_t>({1, columns}, Ints(row.begin(), row.end())), {columns}),
              same);
    EXPECT_EQ(run_node<float>("Normalizer", attributes,
                              tensor<int32_t>({1, columns}, std::vector<int32_t>(row.begin(), row.end())),
                              {columns}),
              same);
  }
}

Node extractor() { return ml_node("ArrayFeatureExtractor", {"x", "i"}, {"y"}); }

TEST(ArrayFeatureExtractorStep, ConstantColumns) {
  StepRunner runner(extractor(),
                    {{tensor<float>({2, 3}, {0, 1, 2, 3, 4, 5})},
                     {tensor<int64_t>({1, 3}, {2, 0, 0}), StepInput::kConstant}},
                    {{DType::kFloat32, {kBatch, 3}}});
  ASSERT_EQ(runner.run(0, 2), RunStatus::kOk);
  EXPECT_EQ(runner.output<float>(0), (Floats{2, 0, 0, 5, 3, 3}));
}

TEST(ArrayFeatureExtractorStep, LabelsByIndex) {
  StepRunner runner(extractor(),
                    {{tensor<std::string>({3}, {"a", "b", "c"}), StepInput::kConstant},
                     {tensor<int64_t>({4}, {2, 0, 1, 3})}},
                    {{DType::kString, {kBatch}}});
  ASSERT_EQ(runner.run(0, 3), RunStatus::kOk);
  EXPECT_EQ(runner.output<std::string_view>(0), (std::vector<std::string_view>{"c", "a", "b"}));
  EXPECT_EQ(runner.run(1, 3), RunStatus::kIndexOutOfRange);
}

TEST(ArrayFeatureExtractorStep, IndicesOfARun) {
  StepRunner runner(extractor(),
                    {{tensor<double>({2, 2}, {0, 1, 2, 3})}, {tensor<int64_t>({1}, {1}), StepInput::kFixed}},
                    {{DType::kFloat64, {kBatch, 1}}});
  ASSERT_EQ(runner.run(0, 2), RunStatus::kOk);
  EXPECT_EQ(runner.output<double>(0), (std::vector<double>{1, 3}));
  StepRunner wrong(extractor(),
                   {{tensor<double>({2, 2}, {0, 1, 2, 3})}, {tensor<int64_t>({1}, {-1}), StepInput::kFixed}},
                   {{DType::kFloat64, {kBatch, 1}}});
  EXPECT_EQ(wrong.run(0, 2), RunStatus::kIndexOutOfRange);
  EXPECT_THROW(
      StepRunner(extractor(),
                 {{tensor<float>({1, 2}, {0, 1})}, {tensor<int64_t>({1}, {2}), StepInput::kConstant}},
                 {{DType::kFloat32, {kBatch, 1}}}),
      Error);
}

TEST(FeatureVectorizerStep, SideBySideAsFloats) {
  const Node node = ml_node("FeatureVectorizer", {"a", "b"}, {"y"}, {{"inputdimensions", Ints{3, 1}}});
  StepRunner runner(node, {{tensor<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6})}, {tensor<int64_t>({2, 1}, {7, 8})}},
                    {{DType::kFloat32, {kBatch, 4}}});
  ASSERT_EQ(runner.run(0, 2), RunStatus::kOk);
  EXPECT_EQ(runner.output<float>(0), (Floats{1, 2, 3, 7, 4, 5, 6, 8}));
}

}  // namespace
}  // namespace maas::test
