// What counting costs a request: the clock's readings, the figures, the line of the access log.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "maas/onnx/writer.h"
#include "maas/serve/counters.h"
#include "program/graphs.h"

namespace maas::serve {
namespace {

struct OneCall : Call {
  void answered(std::span<const wire::Tensor>) override {}
};

void CountRequest(benchmark::State& state) {
  Counters counters;
  OneCall call;
  call.model = std::make_shared<ServedModel>("credit", "1", write_onnx(testing::mlp<float>({2, 1}, "", "")));
  call.binding.rows = 1;
  call.arrived = call.added = call.started = call.ran = call.told = Clock::now();
  const auto now = call.told + std::chrono::microseconds(3);
  for (auto _ : state) {
    counters.finished(call, Protocol::kRaw, now);
    counters.ran(*call.model, 1, std::chrono::microseconds(1));
  }
}
BENCHMARK(CountRequest);

void ReadClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Clock::now());
}
BENCHMARK(ReadClock);

}  // namespace
}  // namespace maas::serve
