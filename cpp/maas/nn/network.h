// A chain of layers made from a Graph: its nodes are the layers, its initializers the parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "maas/graph/graph.h"
#include "maas/nn/layer.h"
#include "maas/nn/layer_chain.h"

namespace maas {

// What the graph does not say of an initializer.
struct ParameterOptions {
  std::string name;
  bool trainable = true;
  double l1 = 0, l2 = 0;
  bool decays = true;
};

// Parameters, gradients and optimizer slots side by side in one arena, trainable ones first; the activations
// of a batch in another, sized by reserve().
template <class T>
class Network {
 public:
  // `graph`: one input of T (or integers, read by a Gather: an embedding) with the batch in front, a chain of
  // nodes, one output. Nodes: Gemm; MatMul (+ Add); activations that kernels/activation_gradient.h knows;
  // Sigmoid × its input (silu); Softmax of the last axis; Dropout; BatchNormalization; LayerNormalization;
  // Gather; Reshape, Flatten, Identity; Sub, Div, Mul, Add of constants. Throws Unsupported naming the node,
  // also where two read the same trained parameter. Initializers not listed in `parameters` are constants.
  Network(Graph graph, const std::vector<ParameterOptions>& parameters, size_t optimizer_slots);
  ~Network();

  const std::vector<ParameterSpec>& parameters() const { return specs_; }
  Graph current_graph() const;  // with the parameters' present values

  // Row-major copies.
  void get_parameter(size_t index, T* plain) const;
  void set_parameter(size_t index, const T* plain);
  void get_gradient(size_t index, T* plain) const;
  void get_slot(size_t slot, size_t index, T* plain) const;  // of a trainable one
  void set_slot(size_t slot, size_t index, const T* plain);

  // The arena's parts, each of trained_values() values: what an Optimizer works on.
  T* values();
  T* gradients();
  T* slots();
  size_t trained_values() const;
  size_t offset(size_t index) const;  // of a parameter in its part

  void reserve(size_t samples);
  size_t sample_bytes() const;           // of the activations of one sample, about
  size_t input_values() const;           // of one sample: columns of T, or indices
  size_t index_limit() const;            // indices are below it; 0: the input is of T
  BatchMatrix<T> input(size_t samples);  // filled by the caller before forward()
  int64_t* indices();                    // likewise: samples × input_values()
  // The output; before the closing sigmoid or softmax where `logits`.
  BatchMatrix<T> output(size_t samples, bool logits);
  size_t output_values() const;  // of one sample
  Closing closing() const;
  const std::string& before_closing() const;  // the graph's name of what `logits` gives
  BatchMatrix<T> output_gradient(size_t samples);

  // Moving averages of batch normalisation, which forward() moves: kept and put back.
  void save_averages();
  void restore_averages();

  // Training mode. With `logits` the closing sigmoid or softmax is left out; backward() then starts from the
  // gradient of what came before it.
  void forward(size_t samples, uint64_t seed, uint64_t step, bool logits);
  void backward(size_t samples, uint64_t seed, uint64_t step, bool logits, bool accumulate);
  // The closing sigmoid or softmax that a forward() with `logits` left out.
  void close(size_t samples);

 private:
  struct Parts;
  Graph graph_;
  std::vector<ParameterSpec> specs_;
  std::unique_ptr<Parts> parts_;
};

extern template class Network<float>;
extern template class Network<double>;

}  // namespace maas
