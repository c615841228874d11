// LinearClassifier, LinearRegressor.
#include <cmath>
#include <cstring>
#include <limits>

#include "../targets.h"
#include "maas/kernels/gemm.h"
#include "step_runner.h"

namespace maas::test {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Strings = std::vector<std::string>;

struct Classified {
  Ints labels;
  Floats scores;
};

Classified classify(Attributes attributes, Tensor x, int64_t classes) {
  const Node node = ml_node("LinearClassifier", {"x"}, {"y", "z"}, std::move(attributes));
  StepRunner runner(node, {{x}}, {{DType::kInt64, {kBatch}}, {DType::kFloat32, {kBatch, classes}}});
  EXPECT_EQ(runner.run(0, static_cast<size_t>(x.shape()[0])), RunStatus::kOk);
  return {runner.output<int64_t>(0), runner.output<float>(1)};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(LinearClassifierStep, OneRowOfCoefficientsGivesTwoScores) {
  const Tensor x = tensor<float>({4, 1}, {2, 0, -2, 0.25f});
  Attributes attributes{
      {"coefficients", Floats{1}}, {"intercepts", Floats{0}}, {"classlabels_ints", Ints{5, 7}}};
  for (const char* plain : {"NONE", "SOFTMAX", "SOFTMAX_ZERO"}) {
    attributes["post_transform"] = std::string(plain);
    const auto [labels, scores] = classify(attributes, x, 2);
    EXPECT_EQ(labels, (Ints{7, 5, 5, 7}));
    EXPECT_EQ(scores, (Floats{-1, 2, 1, 0, 3, -2, 0.75f, 0.25f}));
  }
  attributes["post_transform"] = std::string("LOGISTIC");
  const auto [labels, scores] = classify(attributes, x, 2);
  EXPECT_EQ(labels, (Ints{7, 5, 5, 7}));
  EXPECT_NEAR(scores[0], sigmoid(-2), 1e-7);
  EXPECT_NEAR(scores[1], sigmoid(2), 1e-7);
  EXPECT_EQ(scores[2], 0.5f);
  attributes["post_transform"] = std::string("PROBIT");
  EXPECT_THROW(classify(attributes, x, 2), Error);
}

TEST(LinearClassifierStep, TransformsOfSeveralScores) {
  const Tensor x = tensor<float>({2, 2}, {1, 0, 0, 1});
  Attributes attributes{{"coefficients", Floats{1, -1, 2, 0.5f, 0, 0}},
                        {"intercepts", Floats{0, 0, 0.25f}},
                        {"classlabels_ints", Ints{3, 4, 9}}};
  const Floats raw{1, 2, 0.25f, -1, 0.5f, 0.25f};
  auto plain = classify(attributes, x, 3);
  EXPECT_EQ(plain.labels, (Ints{4, 4}));
  EXPECT_EQ(plain.scores, raw);
  attributes["post_transform"] = std::string("LOGISTIC");
  const auto logistic = classify(attributes, x, 3).scores;
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(logistic[i], sigmoid(raw[i]), 1e-7);
  for (const char* name : {"SOFTMAX", "SOFTMAX_ZERO"}) {
    attributes["post_transform"] = std::string(name);
    const auto scores = classify(attributes, x, 3).scores;
    for (size_t i = 0; i < 6; i += 3) {
      const double sum = std::exp(raw[i]) + std::exp(raw[i + 1]) + std::exp(raw[i + 2]);
      for (size_t j = 0; j < 3; ++j) EXPECT_NEAR(scores[i + j], std::exp(raw[i + j]) / sum, 1e-7);
    }
  }
}

TEST(LinearClassifierStep, SoftmaxZeroLeavesZerosSmall) {
  const Attributes attributes{{"coefficients", Floats{0, 1}},
                              {"intercepts", Floats{0, 0}},
                              {"classlabels_ints", Ints{0, 1}},
                              {"post_transform", std::string("SOFTMAX_ZERO")}};
  EXPECT_EQ(classify(attributes, tensor<float>({2, 1}, {2, 0}), 2).scores, (Floats{0, 1, 0.5f, 0.5f}));
}

TEST(LinearClassifierStep, ProbitIsNearTheQuantile) {
  const Attributes attributes{{"coefficients", Floats{1, 1}},
                              {"intercepts", Floats{0, 0}},
                              {"classlabels_ints", Ints{0, 1}},
                              {"post_transform", std::string("PROBIT")}};
  const auto scores = classify(attributes, tensor<float>({5, 1}, {0.1f, 0.5f, 0, 1, 2}), 2).scores;
  EXPECT_NEAR(scores[0], -1.2817129, 1e-6);
  EXPECT_EQ(scores[2], 0);
  EXPECT_EQ(scores[4], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(scores[6], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(scores[8]));
}

TEST(LinearClassifierStep, FirstOfEqualScoresAndStrings) {
  const Node node =
      ml_node("LinearClassifier", {"x"}, {"y", "z"},
              {{"coefficients", Floats{1, 1, -1}}, {"classlabels_strings", Strings{"a", "b", "c"}}});
  StepRunner runner(node, {{tensor<int64_t>({2, 1}, {3, -3})}},
                    {{DType::kString, {kBatch}}, {DType::kFloat32, {kBatch, 3}}});
  ASSERT_EQ(runner.run(0, 2), RunStatus::kOk);
  EXPECT_EQ(runner.output<std::string_view>(0), (std::vector<std::string_view>{"a", "c"}));
  EXPECT_EQ(runner.output<float>(1), (Floats{3, 3, -3, -3, -3, 3}));
}

TEST(LinearClassifierStep, DoubleFeaturesLoseNothing) {
  const Attributes attributes{{"coefficients", Floats{1, 0, 0, 1}},
                              {"intercepts", Floats{-1e8f, -16777216}},
                              {"classlabels_ints", Ints{5, 7}}};
  const auto exact = classify(attributes, tensor<double>({1, 2}, {1e8 + 1, 16777219.}), 2);
  EXPECT_EQ(exact.scores, (Floats{1, 3}));
  EXPECT_EQ(exact.labels, Ints{7});
  const auto rounded = classify(attributes, tensor<int64_t>({1, 2}, {100000001, 16777217}), 2);
  EXPECT_EQ(rounded.scores, (Floats{0, 0}));
  EXPECT_EQ(rounded.labels, Ints{5});
}

TEST(LinearClassifierStep, RefusesTooFewLabels) {
  EXPECT_THROW(classify({{"coefficients", Floats{1, 2, 3}}, {"classlabels_ints", Ints{0, 1}}},
                        tensor<float>({1, 1}, {1}), 3),
               Error);
}

TEST(LinearRegressorStep, ScoresAreThoseOfGemm) {
  for (const int64_t outputs : {1, 3, 20}) {
    const int64_t rows = 13, depth = 37;
    Floats x(rows * depth), w(depth * outputs), b(outputs);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(static_cast<int>(i * 7919 % 1009) - 500) / 97;
    for (size_t i = 0; i < w.size(); ++i)
      w[i] = static_cast<float>(static_cast<int>(i * 104729 % 1013) - 500) / 89;
    for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i) / 7;
    for_each_target([&] {
      Floats expected(static_cast<size_t>(rows * outputs));
      const PackedMatrix<float> packed(
          {w.data(), static_cast<size_t>(depth), static_cast<size_t>(outputs), 1, depth});
      gemm({x.data(), static_cast<size_t>(rows), static_cast<size_t>(depth), depth, 1}, packed,
           expected.data(), static_cast<size_t>(outputs), {.bias = b.data()});
      EXPECT_EQ(
          run_node<float>("LinearRegressor", {{"coefficients", w}, {"intercepts", b}, {"targets", outputs}},
                          tensor<float>({rows, depth}, x), {outputs}),
          expected);
    });
  }
}

TEST(LinearRegressorStep, TransformsAndTypes) {
  Attributes attributes{{"coefficients", Floats{1, 2}}};
  EXPECT_EQ(run_node<float>("LinearRegressor", attributes, tensor<double>({1, 2}, {3, 0.5}), {1}), Floats{4});
  EXPECT_EQ(run_node<float>("LinearRegressor", attributes, tensor<int32_t>({1, 2}, {3, -2}), {1}),
            Floats{-1});
  attributes["post_transform"] = std::string("SOFTMAX");  // of one score: left alone
  EXPECT_EQ(run_node<float>("LinearRegressor", attributes, tensor<float>({1, 2}, {3, 0.5}), {1}), Floats{4});
  attributes["post_transform"] = std::string("LOGISTIC");
  EXPECT_NEAR(run_node<float>("LinearRegressor", attributes, tensor<float>({1, 2}, {3, 0.5}), {1})[0],
              sigmoid(4), 1e-7);
  attributes["post_transform"] = std::string("nonsense");
  EXPECT_THROW(run_node<float>("LinearRegressor", attributes, tensor<float>({1, 2}, {3, 0.5}), {1}), Error);
}

}  // namespace
}  // namespace maas::test
