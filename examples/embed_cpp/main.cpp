// Reads rows of numbers from standard input and prints their probabilities: embed_cpp MODEL.onnx < rows
#include <maas/maas.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

int main(int argc, char** argv) try {
  const maas::Program program = maas::load_model(argc > 1 ? argv[1] : "", {.outputs = {"predict_proba"}});
  const maas::ValueType &in = program.inputs()[0].type, &out = program.outputs()[0].type;
  if (in.dtype != maas::DType::kFloat64) maas::throw_invalid("embed_cpp", "expected a model of float64");
  const size_t columns = maas::elements(in.shape), classes = maas::elements(out.shape);
  const std::vector<double> x(std::istream_iterator<double>(std::cin), {});
  const size_t rows = x.size() / columns;

  const auto predict = [&](size_t begin, size_t count, std::vector<double>& y, maas::Scratch& scratch) {
    const ptrdiff_t item = sizeof(double), row = static_cast<ptrdiff_t>(columns) * item;
    const maas::InputArray input{&x[begin * columns], maas::DType::kFloat64, row, item};
    void* const outputs[] = {&y[begin * classes]};
    const maas::RunResult result = program.run(&input, count, outputs, scratch);
    if (!result) std::cerr << program.message(result) << '\n';
  };
  std::vector<double> batch(rows * classes), alone(rows * classes);
  maas::Scratch scratch(program);
  predict(0, rows, batch, scratch);
  std::vector<std::thread> threads;  // share the Program, have a Scratch each
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      maas::Scratch own(program);
      for (size_t i = t; i < rows; i += 4) predict(i, 1, alone, own);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < batch.size(); ++i) std::printf("%.17g%c", batch[i], (i + 1) % classes ? ' ' : '\n');
  return alone == batch ? 0 : 1;  // the same bits
} catch (const maas::Error& error) {
  return std::cerr << error.what() << '\n', 1;
}
