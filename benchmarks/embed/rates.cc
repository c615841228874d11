// Compiled for this very machine (-march=native), unlike the library.
#include "rates.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

#if defined(__AVX512F__)
constexpr size_t kVectorBytes = 64;
#elif defined(__AVX__)
constexpr size_t kVectorBytes = 32;
#else
constexpr size_t kVectorBytes = 16;
#endif
using Floats = float __attribute__((vector_size(kVectorBytes)));
constexpr size_t kLanes = kVectorBytes / sizeof(float);

volatile float sink;  // so that no work is left out

template <class Work>
double best_seconds(Work&& work) {
  double best = 1e9;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

template <int kChains>
float total(const Floats (&sums)[kChains]) {
  Floats all = sums[0];
  for (int i = 1; i < kChains; ++i) all += sums[i];
  return all[0];
}

}  // namespace

double read_rate(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20, kChains = 8, kStep = kChains * kVectorBytes;
  const size_t steps = std::max<size_t>(bytes / kStep, 1), passes = std::max<size_t>((16 << 20) / bytes, 1);
  const size_t room = (bytes + kHugePage) / kHugePage * kHugePage;
  auto* memory = static_cast<Floats*>(std::aligned_alloc(kHugePage, room));
  madvise(memory, room, MADV_HUGEPAGE);
  std::fill_n(memory, room / kVectorBytes, Floats{} + 1.0F);
  const double seconds = best_seconds([&] {
    Floats sums[kChains] = {};
    for (size_t pass = 0; pass < passes; ++pass) {
      const Floats* data = memory;
      for (size_t step = 0; step < steps; ++step, data += kChains) {
        for (size_t i = 0; i < kChains; ++i) sums[i] += data[i];
      }
      __asm__ volatile("" : : : "memory");  // every pass reads anew
    }
    sink = total(sums);
  });
  std::free(memory);
  return static_cast<double>(passes * steps * kStep) / seconds;
}

double multiply_add_rate() {
  constexpr size_t kRounds = 50'000;
  constexpr int kChains = 12;  // independent ones, which hide the latency of the unit
  const double seconds = best_seconds([&] {
    Floats sums[kChains];
    for (int i = 0; i < kChains; ++i) sums[i] = Floats{} + static_cast<float>(i);
    const Floats a = Floats{} + 0.999F, b = Floats{} + 0.001F;
    for (size_t round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * a + b;
    }
    sink = total(sums);
  });
  return static_cast<double>(kRounds * kChains * kLanes) / seconds;
}
