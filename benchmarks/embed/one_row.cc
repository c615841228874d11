// How long one row takes through maas.h and maas_c.h, beside ONNX Runtime's C interface, on one thread.
// one_row LIBONNXRUNTIME MODEL.onnx... of float32, one input, one output. Prints words and numbers for
// benchmarks/embed/__main__.py: `version`, and of each model its `floor`, and the `row` and `time` of each
// rival.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "maas/maas.h"
#include "maas/maas_c.h"
#include "onnxruntime.h"
#include "rates.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Rival {
  std::string name;
  std::function<void(size_t calls)> run;
  const std::vector<float>* answer = nullptr;
  size_t bundle = 1;                               // calls between two looks at the clock
  std::vector<double> bundles = {}, singles = {};  // seconds a call
};

double seconds(const Rival& rival, size_t calls) {
  const auto start = Clock::now();
  rival.run(calls);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double quantile(std::vector<double>& times, double share) {
  const auto at = times.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

// What a look at the clock and a call of nothing take, part of every single call.
double clock_seconds() {
  const Rival nothing{"", [](size_t) {}};
  std::vector<double> times(10'000);
  for (double& time : times) time = seconds(nothing, 1);
  return quantile(times, 0.5);
}

// What a row needs at least: the bytes of weights, row and answer read, and the multiply-adds done.
struct Floor {
  size_t bytes = 0, products = 0;
  double read_rate = 0, product_rate = 0;  // a second, the best that was seen

  // Of dense layers, whose weights are matrices and whose biases are not.
  Floor(const char* path, size_t columns, size_t classes) : bytes((columns + classes) * sizeof(float)) {
    for (const auto& [name, tensor] : maas::read_onnx_file(path).initializers) {
      bytes += tensor.size() * sizeof(float);
      if (tensor.shape().size() == 2) products += tensor.size();
    }
  }

  void measure() {
    constexpr size_t kFirstCache = 16 << 10;  // smaller models are read at its rate
    read_rate = std::max(read_rate, ::read_rate(std::max(bytes, kFirstCache)));
    product_rate = std::max(product_rate, multiply_add_rate());
  }
};

// Rivals take turns, so that whatever else the machine does befalls all of them, the floor too.
void measure(std::vector<Rival>& rivals, Floor& floor) {
  constexpr int kTurns = 60, kBundles = 100, kSingles = 400;
  constexpr double kBundleSeconds = 50e-6;
  for (Rival& rival : rivals) {
    rival.run(1000);
    rival.bundle = static_cast<size_t>(std::ceil(kBundleSeconds / (seconds(rival, 1000) / 1000)));
  }
  const double clock = clock_seconds();
  for (int turn = 0; turn < kTurns; ++turn) {
    floor.measure();
    for (Rival& rival : rivals) {
      rival.run(20);  // its weights come back into the caches
      for (int i = 0; i < kBundles; ++i) {
        rival.bundles.push_back(seconds(rival, rival.bundle) / static_cast<double>(rival.bundle));
      }
      for (int i = 0; i < kSingles; ++i) rival.singles.push_back(std::max(0.0, seconds(rival, 1) - clock));
    }
  }
}

void require(bool fine, const std::string& words) {
  if (!fine) throw std::runtime_error(words);
}

void print(const char* path, std::vector<Rival>& rivals) {
  for (Rival& rival : rivals) {
    std::printf("row\t%s\t%s", path, rival.name.c_str());
    for (const float value : *rival.answer) std::printf("\t%.9g", value);
    std::printf("\ntime\t%s\t%s\t%.6g\t%.6g\t%.6g\n", path, rival.name.c_str(), quantile(rival.bundles, 0.5),
                quantile(rival.singles, 0.5), quantile(rival.singles, 0.99));
  }
}

void bench(const onnxruntime::Library& peer, const char* path) {
  const maas::Program program = maas::load_model(path);
  const maas::Value &in = program.inputs().at(0), &out = program.outputs().at(0);
  const size_t columns = maas::elements(in.type.shape), classes = maas::elements(out.type.shape);
  std::vector<float> x(columns), ours(classes), ours_c(classes), theirs(classes);
  for (size_t j = 0; j < columns; ++j) x[j] = static_cast<float>(j * 7 % 13) / 4 - 1.5F;  // exact

  maas::Scratch scratch(program);
  const maas::InputArray input{x.data(), maas::DType::kFloat32, 0, sizeof(float)};
  void *const outputs[] = {ours.data()}, *const outputs_c[] = {ours_c.data()};

  maas_model* model = nullptr;
  maas_scratch* scratch_c = nullptr;
  require(maas_open(path, nullptr, 0, &model) == MAAS_OK, maas_error(model));
  require(maas_scratch_new(model, 1, &scratch_c) == MAAS_OK, maas_scratch_error(scratch_c));
  const maas_array array{x.data(), MAAS_FLOAT32, 0, sizeof(float)};

  const auto count = [](size_t items) { return static_cast<int64_t>(items); };
  const onnxruntime::Session session(peer, path, in.name, out.name, x.data(), count(columns), theirs.data(),
                                     count(classes));
  std::vector<Rival> rivals;
  rivals.push_back({"maas.h",
                    [&](size_t calls) {
                      while (calls-- > 0) program.run(&input, 1, outputs, scratch);
                    },
                    &ours});
  rivals.push_back({"maas_c.h",
                    [&](size_t calls) {
                      while (calls-- > 0) maas_run(scratch_c, &array, 1, 1, outputs_c, 1);
                    },
                    &ours_c});
  rivals.push_back({"onnxruntime RunWithBinding",
                    [&](size_t calls) {
                      while (calls-- > 0) session.run_bound();
                    },
                    &theirs});
  rivals.push_back({"onnxruntime Run",
                    [&](size_t calls) {
                      while (calls-- > 0) session.run();
                    },
                    &theirs});
  Floor floor(path, columns, classes);
  measure(rivals, floor);
  print(path, rivals);
  std::printf("floor\t%s\t%zu\t%.6g\t%zu\t%.6g\n", path, floor.bytes, floor.read_rate, floor.products,
              floor.product_rate);
  maas_scratch_free(scratch_c);
  maas_close(model);
}

}  // namespace

int main(int argc, char** argv) try {
  require(argc > 2, "one_row LIBONNXRUNTIME MODEL.onnx...");
  const onnxruntime::Library peer(argv[1]);
  std::printf("version\tonnxruntime\t%s\n", peer.version().c_str());
  for (int i = 2; i < argc; ++i) bench(peer, argv[i]);
} catch (const std::exception& error) {
  return std::cerr << error.what() << '\n', 1;
}
