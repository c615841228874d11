// What a request of one row costs the server without its sockets: read, decoded, run, counted, its answer
// made. The argument is how many come in one packet. The floor is the model alone: one run of as many rows.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "maas/onnx/writer.h"
#include "maas/serve/http_conversation.h"
#include "maas/serve/raw_conversation.h"
#include "maas/wire/frame.h"
#include "program/graphs.h"

namespace maas::serve {
namespace {

struct Desk {
  Desk() {
    models.set(std::make_shared<ServedModel>("small", "1",
                                             write_onnx(testing::mlp<float>({10, 64, 32, 1}, "Relu", ""))));
  }
  ServerOptions options;
  ModelTable models;
  Worker worker{options, models, [] {}, [](Call&) { return false; }};
};

std::string frame() {
  const std::vector<float> row(10, 0.5F);
  wire::Tensor x;
  x.name = "x";
  x.rank = 2;
  x.shape[0] = 1;
  x.shape[1] = 10;
  x.count = 10;
  x.data = row.data();
  std::string out;
  wire::encode_frame({static_cast<uint8_t>(wire::FrameKind::kInfer), 0, 1}, 0, {"small", {}, {}, {&x, 1}},
                     out);
  return out;
}

std::string post() {
  const std::string body =
      R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,10],"data":[0.5,1.25,-3,0.1,7,8.5,-0.75,1,2,0.3]}]})";
  return "POST /v2/models/small/infer HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

template <class Conversation>
void converse(benchmark::State& state, const std::string& request) {
  Desk desk;
  Conversation conversation(desk.worker);
  std::string bytes;
  const auto count = static_cast<size_t>(state.range(0));
  for (size_t i = 0; i < count; ++i) bytes += request;
  const size_t size = bytes.size();
  bytes.append(wire::kBodyPadding, '\0');
  std::string sent;
  for (auto _ : state) {
    if (conversation.read({bytes.data(), size}) != size) return state.SkipWithError("not all was read");
    if (!conversation.answered()) desk.worker.flush();
    sent.clear();
    sent.swap(conversation.out());
    benchmark::DoNotOptimize(sent.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void RawFrames(benchmark::State& state) { converse<RawConversation>(state, frame()); }
BENCHMARK(RawFrames)->Arg(1)->Arg(8)->Arg(64);

void HttpJson(benchmark::State& state) { converse<HttpConversation>(state, post()); }
BENCHMARK(HttpJson)->Arg(1)->Arg(8);

void ModelAlone(benchmark::State& state) {
  const Desk desk;
  const Program& program = desk.models.snapshot()->at("small").current->program();
  const auto rows = static_cast<size_t>(state.range(0));
  const std::vector<float> x(10 * rows, 0.5F);
  std::vector<float> y(rows);
  void* const out = y.data();
  const InputArray input{x.data(), DType::kFloat32, 40, 4};
  Scratch scratch(program);
  for (auto _ : state) {
    benchmark::DoNotOptimize(program.run(&input, rows, &out, scratch));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ModelAlone)->Arg(1)->Arg(8)->Arg(64)->Arg(512);

}  // namespace
}  // namespace maas::serve
