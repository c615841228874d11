// The C face: the same bits as the C++ one, every misuse a status and words, nothing thrown or allocated.
#include "maas/maas_c.h"

#include <gtest/gtest.h>

#include <memory>

#include "maas/base/thread_pool.h"
#include "maas/onnx/writer.h"
#include "program/allocations.h"
#include "program/graphs.h"

namespace maas::testing {
namespace {

struct Close {
  void operator()(maas_model* model) const { maas_close(model); }
  void operator()(maas_scratch* scratch) const { maas_scratch_free(scratch); }
};
using ModelHandle = std::unique_ptr<maas_model, Close>;
using ScratchHandle = std::unique_ptr<maas_scratch, Close>;

// Opens whatever comes out; `wanted` is the status.
ModelHandle open(const std::string& bytes, std::vector<const char*> outputs = {},
                 maas_status wanted = MAAS_OK) {
  maas_model* model = nullptr;
  EXPECT_EQ(maas_open_bytes(bytes.data(), bytes.size(), outputs.data(), outputs.size(), &model), wanted);
  return ModelHandle(model);
}

ScratchHandle scratch_of(const ModelHandle& model, size_t rows = 1, maas_status wanted = MAAS_OK) {
  maas_scratch* scratch = nullptr;
  EXPECT_EQ(maas_scratch_new(model.get(), rows, &scratch), wanted);
  return ScratchHandle(scratch);
}

Graph texts_of_numbers() {
  GraphMaker maker;
  maker.input("x", DType::kInt64, {kBatch, 1});
  maker.node("Cast", {"x"}, {"text"}, {{"to", onnx_number(DType::kString)}}).output("text");
  return maker.graph;
}

TEST(MaasC, TellsItsVersion) {
  EXPECT_EQ(maas_abi_version(), MAAS_ABI_VERSION);
  EXPECT_STREQ(maas_version(), MAAS_VERSION);
}

TEST(MaasC, DescribesTheModel) {
  Graph graph = mlp<double>({3, 4, 2}, "Relu", "");
  graph.metadata["key"] = std::string("a\0b", 3);
  const ModelHandle model = open(write_onnx(graph));
  EXPECT_STREQ(maas_error(model.get()), "");
  ASSERT_EQ(maas_input_count(model.get()), 1U);
  ASSERT_EQ(maas_output_count(model.get()), 1U);
  maas_value value;
  ASSERT_EQ(maas_input(model.get(), 0, &value), MAAS_OK);
  EXPECT_EQ(std::string(value.name.data, value.name.size), "x");
  EXPECT_EQ(value.dtype, MAAS_FLOAT64);
  ASSERT_EQ(value.rank, 2U);
  EXPECT_EQ(value.shape[0], MAAS_ROWS);
  EXPECT_EQ(value.shape[1], 3);
  EXPECT_EQ(value.row_items, 3U);
  ASSERT_EQ(maas_output(model.get(), 0, &value), MAAS_OK);
  EXPECT_EQ(value.row_items, 2U);
  EXPECT_EQ(maas_input(model.get(), 1, &value), MAAS_NOT_FOUND);
  EXPECT_EQ(maas_output(model.get(), 0, nullptr), MAAS_INVALID_ARGUMENT);
  maas_string text;
  ASSERT_EQ(maas_metadata(model.get(), "key", &text), MAAS_OK);
  EXPECT_EQ(std::string(text.data, text.size), std::string("a\0b", 3));
  EXPECT_EQ(maas_metadata(model.get(), "other", &text), MAAS_NOT_FOUND);
  EXPECT_EQ(maas_metadata(model.get(), nullptr, &text), MAAS_INVALID_ARGUMENT);
}

TEST(MaasC, RunsAnyLayoutWithTheBitsOfCppWithoutAllocating) {
  const Graph graph = mlp<float>({5, 17, 2}, "Tanh", "");
  const auto x = numbers<float>(50 * 5, 1);
  const auto wanted = run_once(compile(graph), x, 50);
  ModelHandle model = open(write_onnx(graph));
  const ScratchHandle scratch = scratch_of(model);
  model.reset();  // its scratches keep what they need
  for (const ArrayLayout layout : kLayouts) {
    const LaidOut<float> laid(x, 50, 5, layout);
    const maas_array input{laid.array.data, MAAS_FLOAT32, laid.array.row_stride, laid.array.item_stride};
    std::vector<float> out(wanted.size());
    void* outputs[] = {out.data()};
    const size_t before = allocations();
    EXPECT_EQ(maas_run(scratch.get(), &input, 1, 50, outputs, 1), MAAS_OK);
    EXPECT_EQ(allocations(), before);
    EXPECT_EQ(out, wanted);
  }
  EXPECT_STREQ(maas_scratch_error(scratch.get()), "");
}

TEST(MaasC, SharesRowsAmongThreads) {
  constexpr size_t kRows = 40'001;
  const Graph graph = mlp<float>({5, 64, 32, 2}, "Tanh", "");
  const auto x = numbers<float>(kRows * 5, 1);
  const auto wanted = run_once(compile(graph), x, kRows);
  const ModelHandle model = open(write_onnx(graph));
  const ScratchHandle scratch = scratch_of(model);
  const maas_array input{x.data(), MAAS_FLOAT32, 20, 4};
  const int before = num_threads();
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    std::vector<float> out(wanted.size());
    void* outputs[] = {out.data()};
    EXPECT_EQ(maas_run_rows(scratch.get(), &input, 1, kRows, outputs, 1), MAAS_OK);
    EXPECT_EQ(out, wanted);
    const size_t allocated = allocations();
    EXPECT_EQ(maas_run_rows(scratch.get(), &input, 1, kRows, outputs, 1), MAAS_OK);
    EXPECT_EQ(allocations(), allocated);
    EXPECT_EQ(maas_run(scratch.get(), &input, 1, 1, outputs, 1), MAAS_OK);
    EXPECT_EQ(out, wanted);
  }
  set_num_threads(before);
  EXPECT_EQ(maas_run_rows(scratch.get(), nullptr, 0, 1, nullptr, 1), MAAS_INVALID_ARGUMENT);
  EXPECT_STRNE(maas_scratch_error(scratch.get()), "");
  EXPECT_EQ(maas_run_rows(nullptr, &input, 1, 1, nullptr, 1), MAAS_INVALID_ARGUMENT);
}

TEST(MaasC, PutsOutWhatIsAskedFor) {
  const std::string bytes = write_onnx(mlp<float>({3, 4, 2}, "Relu", ""));
  const ModelHandle model = open(bytes, {"a0", "predict"});
  maas_value value;
  ASSERT_EQ(maas_output_count(model.get()), 2U);
  ASSERT_EQ(maas_output(model.get(), 0, &value), MAAS_OK);
  EXPECT_EQ(value.row_items, 4U);
  const ModelHandle none = open(bytes, {"nothing"}, MAAS_NOT_FOUND);
  EXPECT_NE(std::string(maas_error(none.get())).find("'nothing'"), std::string::npos);
}

TEST(MaasC, AModelThatDoesNotOpenTellsWhy) {
  maas_model* model = nullptr;
  EXPECT_EQ(maas_open("/no/such/model.onnx", nullptr, 0, &model), MAAS_NOT_FOUND);
  const ModelHandle missing(model);
  EXPECT_NE(std::string(maas_error(model)).find("/no/such/model.onnx"), std::string::npos);
  EXPECT_EQ(maas_input_count(model), 0U);
  maas_value value;
  EXPECT_EQ(maas_input(model, 0, &value), MAAS_NOT_FOUND);
  const ScratchHandle scratch = scratch_of(missing, 1, MAAS_INVALID_ARGUMENT);
  EXPECT_STRNE(maas_scratch_error(scratch.get()), "");
  EXPECT_EQ(maas_run(scratch.get(), nullptr, 0, 1, nullptr, 0), MAAS_INVALID_ARGUMENT);

  EXPECT_STRNE(maas_error(open("not onnx", {}, MAAS_FORMAT_ERROR).get()), "");
  std::string unknown = write_onnx(mlp<float>({3, 2}, "", ""));
  unknown.replace(unknown.find("Gemm"), 4, "Gemx");
  EXPECT_NE(std::string(maas_error(open(unknown, {}, MAAS_UNSUPPORTED).get())).find("Gemx"),
            std::string::npos);
}

TEST(MaasC, TakesNullForAnswersOnlyWhereItSays) {
  EXPECT_EQ(maas_open("x", nullptr, 0, nullptr), MAAS_INVALID_ARGUMENT);
  EXPECT_EQ(maas_scratch_new(nullptr, 1, nullptr), MAAS_INVALID_ARGUMENT);
  maas_model* model = nullptr;
  EXPECT_EQ(maas_open(nullptr, nullptr, 0, &model), MAAS_INVALID_ARGUMENT);
  EXPECT_STRNE(maas_error(model), "");
  maas_close(model);
  EXPECT_EQ(maas_open_bytes("", 0, nullptr, 1, &model), MAAS_INVALID_ARGUMENT);
  maas_close(model);
  maas_close(nullptr);
  maas_scratch_free(nullptr);
  EXPECT_STRNE(maas_error(nullptr), "");
  EXPECT_STRNE(maas_scratch_error(nullptr), "");
}

TEST(MaasC, RefusesRunsThatDoNotFit) {
  const ModelHandle model = open(write_onnx(mlp<float>({2, 1}, "", "")));
  const ScratchHandle scratch = scratch_of(model);
  const float x[2] = {1, 2};
  float y = 0;
  void *outputs[] = {&y}, *nowhere[] = {nullptr};
  const maas_array good{x, MAAS_FLOAT32, 8, 4}, wide{x, MAAS_FLOAT64, 8, 4}, odd{x, 77, 8, 4};
  const maas_array null{nullptr, MAAS_FLOAT32, 8, 4};
  const auto refused = [&](const maas_array& input, size_t inputs, void* const* out, size_t count) {
    return maas_run(scratch.get(), &input, inputs, 1, out, count) == MAAS_INVALID_ARGUMENT &&
           *maas_scratch_error(scratch.get()) == '[';
  };
  EXPECT_TRUE(refused(good, 2, outputs, 1));
  EXPECT_TRUE(refused(good, 1, outputs, 0));
  EXPECT_TRUE(refused(wide, 1, outputs, 1));
  EXPECT_TRUE(refused(odd, 1, outputs, 1));
  EXPECT_TRUE(refused(null, 1, outputs, 1));
  EXPECT_TRUE(refused(good, 1, nowhere, 1));
  EXPECT_EQ(maas_run(scratch.get(), &null, 1, 0, nowhere, 1), MAAS_OK);
  EXPECT_EQ(maas_run(scratch.get(), &good, 1, 1, outputs, 1), MAAS_OK);
  EXPECT_STREQ(maas_scratch_error(scratch.get()), "");
}

TEST(MaasC, TextsGoInAndOut) {
  const ModelHandle model = open(write_onnx(texts_of_numbers()));
  const ScratchHandle scratch = scratch_of(model, 500);
  std::vector<int64_t> x(501);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int64_t>(i);
  std::vector<maas_string> out(x.size());
  void* outputs[] = {out.data()};
  const maas_array input{x.data(), MAAS_INT64, 8, 8};
  ASSERT_EQ(maas_run(scratch.get(), &input, 1, 500, outputs, 1), MAAS_OK);
  for (size_t i = 0; i < 500; ++i) EXPECT_EQ(std::string(out[i].data, out[i].size), std::to_string(i));
  EXPECT_EQ(maas_run(scratch.get(), &input, 1, 501, outputs, 1), MAAS_INVALID_ARGUMENT);
  ASSERT_EQ(maas_run_rows(scratch.get(), &input, 1, 501, outputs, 1), MAAS_OK);
  for (size_t i = 0; i < 501; ++i) EXPECT_EQ(std::string(out[i].data, out[i].size), std::to_string(i));

  GraphMaker back;
  back.input("text", DType::kString, {kBatch, 1});
  back.node("Cast", {"text"}, {"y"}, {{"to", onnx_number(DType::kInt64)}}).output("y");
  const ModelHandle reader = open(write_onnx(back.graph));
  const ScratchHandle reading = scratch_of(reader);
  std::vector<int64_t> numbers_back(500);
  void* places[] = {numbers_back.data()};
  const maas_array texts{out.data(), MAAS_STRING, sizeof(maas_string), sizeof(maas_string)};
  ASSERT_EQ(maas_run(reading.get(), &texts, 1, 500, places, 1), MAAS_OK);
  EXPECT_EQ(numbers_back, std::vector<int64_t>(x.begin(), x.end() - 1));
  out[3] = {3, "abc"};
  EXPECT_EQ(maas_run(reading.get(), &texts, 1, 500, places, 1), MAAS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(maas_scratch_error(reading.get())).find("Cast"), std::string::npos);
  EXPECT_EQ(maas_run_rows(reading.get(), &texts, 1, 500, places, 1), MAAS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(maas_scratch_error(reading.get())).find("Cast"), std::string::npos);
}

}  // namespace
}  // namespace maas::testing
