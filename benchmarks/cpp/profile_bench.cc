// Counting a batch of 20 columns, numbers in 20 bins each, as a server does for every batch it answers.
// Floor: each value read once, in the same order.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "maas/metrics/profile_state.h"

namespace maas {
namespace {

constexpr size_t kColumns = 20;

ProfileState numbers() {
  std::vector<double> edges;
  for (int k = 0; k <= 20; ++k) edges.push_back(k * 0.2 - 2);
  return ProfileState(std::vector<ColumnState>(kColumns, HistogramState("", edges)));
}

void finish(benchmark::State& state) {
  state.counters["ns/value"] =
      benchmark::Counter(1e-9 * static_cast<double>(state.range(0) * static_cast<int64_t>(kColumns)),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <class T>
void Numbers(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<T> values(rows * kColumns);
  for (T& value : values) value = static_cast<T>(normal(random));
  ProfileState profile = numbers();
  std::vector<ProfileColumn> batch(kColumns);
  const NumberType type = sizeof(T) == 4 ? NumberType::kF32 : NumberType::kF64;
  for (auto _ : state) {
    for (size_t k = 0; k < kColumns; ++k) {
      batch[k] = ArrayView{reinterpret_cast<const std::byte*>(&values[k]), rows, kColumns * sizeof(T), type};
    }
    profile.update(batch.data());
  }
  finish(state);
}

void Integers(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::vector<int64_t> values(rows * kColumns);
  for (int64_t& value : values) value = static_cast<int64_t>(random() % 12);
  const Vocabulary vocabulary(std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  ProfileState profile(std::vector<ColumnState>(kColumns, CategoryState("", vocabulary)));
  std::vector<ProfileColumn> batch(kColumns);
  for (auto _ : state) {
    for (size_t k = 0; k < kColumns; ++k) {
      batch[k] =
          ArrayView{reinterpret_cast<const std::byte*>(&values[k]), rows, kColumns * 8, NumberType::kI64};
    }
    profile.update(batch.data());
  }
  finish(state);
}

void Texts(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::vector<std::string> known;
  for (char c = 'a'; c <= 'z'; ++c) known.push_back(std::string(1 + static_cast<size_t>(c) % 12, c));
  std::vector<std::string_view> values(rows * kColumns);
  for (std::string_view& value : values) value = known[random() % known.size()];
  ProfileState profile(std::vector<ColumnState>(kColumns, CategoryState("", Vocabulary(known))));
  std::vector<ProfileColumn> batch(kColumns);
  for (auto _ : state) {
    for (size_t k = 0; k < kColumns; ++k) {
      batch[k] = TextView{&values[k], rows, static_cast<ptrdiff_t>(kColumns * sizeof(std::string_view))};
    }
    profile.update(batch.data());
  }
  finish(state);
}

// What no counting can be faster than: each value read, in the order of the columns.
void Floor(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  const std::vector<double> values(rows * kColumns, 1.0);
  for (auto _ : state) {
    for (size_t k = 0; k < kColumns; ++k) {
      for (size_t i = 0; i < rows; ++i) {
        double value = values[i * kColumns + k];
        benchmark::DoNotOptimize(value);
      }
    }
  }
  finish(state);
}

BENCHMARK_TEMPLATE(Numbers, float)->Arg(1)->Arg(64)->Arg(4096);
BENCHMARK_TEMPLATE(Numbers, double)->Arg(1)->Arg(64)->Arg(4096);
BENCHMARK(Integers)->Arg(1)->Arg(64)->Arg(4096);
BENCHMARK(Texts)->Arg(1)->Arg(64)->Arg(4096);
BENCHMARK(Floor)->Arg(1)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace maas
