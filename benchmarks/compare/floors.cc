// Two physical limits of this machine, measured: bytes read from memory and fused multiply-adds, a second.
// Usage: floors THREADS. Prints: read_bytes_per_s float32_flop_per_s float64_flop_per_s.
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
using Floats = float __attribute__((vector_size(kVectorBytes)));
using Doubles = double __attribute__((vector_size(kVectorBytes)));

constexpr size_t kBytesPerThread = size_t{256} << 20;  // far beyond any cache
constexpr int kRepeats = 7;

double seconds_on_all(int threads, const std::function<void(int)>& work) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t) team.emplace_back(work, t);
  for (auto& thread : team) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double best_of(int threads, const std::function<void(int)>& work) {
  double best = 1e9;
  for (int r = 0; r < kRepeats; ++r) best = std::min(best, seconds_on_all(threads, work));
  return best;
}

// Twelve independent chains hide the latency of the unit; the result is kept so that nothing is removed.
template <class V, class T>
void multiply_add(size_t rounds, V* out) {
  V sums[12];
  for (int i = 0; i < 12; ++i) sums[i] = V{} + static_cast<T>(i);
  const V a = V{} + T(0.999), b = V{} + T(0.001);
  for (size_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < 12; ++i) sums[i] = sums[i] * a + b;
  }
  for (const V& sum : sums) *out += sum;
}

template <class V, class T>
double flop_rate(int threads) {
  constexpr size_t kRounds = 5'000'000;
  std::vector<V> sinks(static_cast<size_t>(threads));
  const double s =
      best_of(threads, [&](int t) { multiply_add<V, T>(kRounds, &sinks[static_cast<size_t>(t)]); });
  return threads * kRounds * 12.0 * 2.0 * (sizeof(V) / sizeof(T)) / s;
}

// Read as the kernels do: four streams in each thread's part, on huge pages where the system gives them.
double read_rate(int threads) {
  constexpr size_t kStreams = 4;
  const size_t count = kBytesPerThread / sizeof(Doubles), part = count / kStreams;
  std::vector<Doubles*> memory(static_cast<size_t>(threads));
  std::vector<Doubles> sinks(static_cast<size_t>(threads));
  for (auto& data : memory) {
    data = static_cast<Doubles*>(std::aligned_alloc(size_t{2} << 20, kBytesPerThread));
#if defined(__linux__)
    madvise(data, kBytesPerThread, MADV_HUGEPAGE);
#endif
    std::fill(data, data + count, Doubles{} + 1.0);
  }
  const double s = best_of(threads, [&](int t) {
    const Doubles* data = memory[static_cast<size_t>(t)];
    Doubles sums[kStreams] = {};
    for (size_t i = 0; i < part; ++i) {
      for (size_t j = 0; j < kStreams; ++j) sums[j] += data[j * part + i];
    }
    for (const Doubles& sum : sums) sinks[static_cast<size_t>(t)] += sum;
  });
  for (Doubles* data : memory) std::free(data);
  return static_cast<double>(threads) * kBytesPerThread / s;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  std::printf("%.6g %.6g %.6g\n", read_rate(threads), flop_rate<Floats, float>(threads),
              flop_rate<Doubles, double>(threads));
}
