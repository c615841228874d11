#include "maas/serve/served_model.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/desk.h"

namespace maas::serve {
namespace {

wire::Tensor tensor(std::string_view name, wire::DataType type, std::initializer_list<int64_t> shape,
                    const void* data) {
  wire::Tensor made;
  made.name = name;
  made.type = type;
  made.data = data;
  made.count = 1;
  for (const int64_t dim : shape) {
    made.shape[made.rank++] = dim;
    made.count *= static_cast<size_t>(dim);
  }
  return made;
}

// a: float64 [N, 2]; b: float64 [N, 1]; y = [a, b], z = -b.
std::string two_inputs() {
  GraphMaker maker;
  maker.input("a", DType::kFloat64, {kBatch, 2}).input("b", DType::kFloat64, {kBatch, 1});
  maker.node("Concat", {"a", "b"}, {"y"}, {{"axis", int64_t{1}}}).node("Neg", {"b"}, {"z"});
  maker.output("y").output("z");
  return write_onnx(maker.graph);
}

class Bind : public ::testing::Test {
 protected:
  wire::Status bind() { return model->bind(request, binding); }
  double values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  ModelPointer model = make_model("m", "1", two_inputs());
  wire::Request request;
  Binding binding;
};

TEST_F(Bind, FindsInputsByName) {
  request.inputs = {tensor("b", wire::DataType::kFloat64, {2, 1}, values),
                    tensor("a", wire::DataType::kFloat64, {2, 2}, values + 2)};
  ASSERT_TRUE(bind().ok());
  EXPECT_EQ(binding.rows, 2U);
  EXPECT_TRUE(binding.exact);
  EXPECT_EQ(binding.inputs[0].data, values + 2);
  EXPECT_EQ(binding.inputs[1].data, values);
}

TEST_F(Bind, NarrowerTypesAreTakenButNotSideBySide) {
  const float narrow[2] = {1, 2};
  const uint8_t narrower[4] = {1, 2, 3, 4};
  request.inputs = {tensor("b", wire::DataType::kFloat32, {2, 1}, narrow),
                    tensor("a", wire::DataType::kFloat64, {2, 2}, values)};
  ASSERT_TRUE(bind().ok());
  EXPECT_FALSE(binding.exact);
  const ModelPointer integers = make_model("p", "1", picky_onnx());
  request.inputs = {tensor("x", wire::DataType::kUint8, {4, 1}, narrower)};
  ASSERT_TRUE(integers->bind(request, binding).ok());
  EXPECT_EQ(static_cast<const int64_t*>(binding.inputs[0].data)[3], 4);
}

TEST_F(Bind, RefusesInWords) {
  const auto refused = [&](std::vector<wire::Tensor> inputs) {
    request.inputs = std::move(inputs);
    const wire::Status status = bind();
    EXPECT_FALSE(status.ok());
    return status.text();
  };
  const auto a = tensor("a", wire::DataType::kFloat64, {2, 2}, values);
  const auto b = tensor("b", wire::DataType::kFloat64, {2, 1}, values);
  EXPECT_EQ(refused({a}), "expected an input 'b'");
  EXPECT_EQ(refused({a, tensor("b", wire::DataType::kFloat64, {1, 1}, values)}),
            "expected as many rows in every input, got 2 and 1");
  EXPECT_EQ(refused({a, b, a}), "expected each input once");
  EXPECT_EQ(refused({a, b, tensor("c", wire::DataType::kFloat64, {1}, values)}),
            "expected inputs that the model has, got 'c'");
  EXPECT_EQ(refused({a, tensor("b", wire::DataType::kFloat64, {2, 2}, values)}),
            "expected input 'b' of shape [-1, 1], got [2, 2]");
  EXPECT_EQ(refused({a, tensor("b", wire::DataType::kBytes, {2, 1}, values)}),
            "expected input 'b' of FP64, got BYTES");
  EXPECT_EQ(refused({a, tensor("b", wire::DataType::kUint64, {2, 1}, values)}),
            "expected another datatype than UINT64");
  EXPECT_EQ(refused({}), "expected an input 'a'");
}

TEST_F(Bind, NoRows) {
  request.inputs = {tensor("a", wire::DataType::kFloat64, {0, 2}, nullptr),
                    tensor("b", wire::DataType::kFloat64, {0, 1}, nullptr)};
  ASSERT_TRUE(bind().ok());
  EXPECT_EQ(binding.rows, 0U);
}

TEST_F(Bind, Choose) {
  std::vector<size_t> wanted;
  ASSERT_TRUE(model->choose(request, wanted).ok());
  EXPECT_EQ(wanted, (std::vector<size_t>{0, 1}));
  request.outputs = {{"z", {}}, {"y", {}}, {"z", {}}};
  ASSERT_TRUE(model->choose(request, wanted).ok());
  EXPECT_EQ(wanted, (std::vector<size_t>{1, 0, 1}));
  request.outputs = {{"q", {}}};
  EXPECT_FALSE(model->choose(request, wanted).ok());
}

TEST(TakeRaw, RowsOfTheOnlyInput) {
  const ModelPointer model = make_model("m", "1", linear_onnx());
  wire::Request request;
  const std::string bytes(36, '\0');
  ASSERT_TRUE(model->take_raw(bytes, request).ok());
  EXPECT_EQ(request.inputs[0].shape[0], 3);
  EXPECT_EQ(request.inputs[0].count, 9U);
  EXPECT_TRUE(request.binary_output);
  request.clear();
  ASSERT_TRUE(model->take_raw("", request).ok());
  EXPECT_EQ(request.inputs[0].shape[0], 0);
  request.clear();
  EXPECT_FALSE(model->take_raw(std::string_view(bytes).substr(1), request).ok());
  EXPECT_FALSE(make_model("m", "1", two_inputs())->take_raw(bytes, request).ok());
}

}  // namespace
}  // namespace maas::serve
