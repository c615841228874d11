// A row every millisecond: how long a run takes, what it asks of the system. embed_realtime MODEL.onnx TICKS
#include <maas/maas.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "measure.h"

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const maas::Program program = maas::load_model(argc > 1 ? argv[1] : "", {.outputs = {"predict"}});
  maas::Scratch scratch(program);
  const maas::ValueType &in = program.inputs()[0].type, &out = program.outputs()[0].type;
  const std::vector<double> x(maas::elements(in.shape));  // zeros of any number type
  std::vector<double> y(maas::elements(out.shape));
  const maas::InputArray input{x.data(), in.dtype, 0, static_cast<ptrdiff_t>(maas::item_size(in.dtype))};
  void* const outputs[] = {y.data()};
  const bool locked = mlockall(MCL_CURRENT | MCL_FUTURE) == 0;  // where limits allow it
  std::vector<long> times(argc > 2 ? std::atoi(argv[2]) : 5000);
  long late = 0;
  Usage used{};
  auto tick = Clock::now();
  for (long i = -100; i < std::ssize(times); ++i) {  // the first ones warm up
    std::this_thread::sleep_until(tick += std::chrono::milliseconds(1));
    const Usage before = usage();
    const auto start = Clock::now();
    program.run(&input, 1, outputs, scratch);
    const auto end = Clock::now();
    if (i < 0) continue;
    used += usage() - before;
    times[i] = std::chrono::nanoseconds(end - start).count();
    late += end > tick + std::chrono::milliseconds(1);  // the deadline is the next tick
  }
  print_quantiles(times);  // ns
  std::printf("ticks %zu late %ld locked %d page_faults %ld context_switches %ld allocations %ld\n",
              times.size(), late, locked, used.faults, used.switches, used.allocations);
}
