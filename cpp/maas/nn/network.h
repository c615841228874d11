// A chain of layers made from a Graph: its nodes are the layers, its initializers the parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/graph/graph.h"
#include "maas/nn/layer.h"

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
  // nodes, one output. Nodes: Gemm; MatMul (+ Add); Relu, LeakyRelu, Elu, Selu, Gelu, Sigmoid, Tanh,
  // Softplus, Sigmoid × its input (silu); Softmax of the last axis; Dropout; BatchNormalization;
  // LayerNormalization; Gather; Reshape, Flatten; Sub, Div, Mul, Add of constants. Throws Unsupported naming
  // the node. Initializers not listed in `parameters` are constants.
  Network(Graph graph, const std::vector<ParameterOptions>& parameters, size_t optimizer_slots);
  ~Network();

  const std::vector<ParameterSpec>& parameters() const { return specs_; }
  const Graph& graph() const { return graph_; }  // as given: initializers of the start
  Graph current_graph() const;                   // with the parameters' present values

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
  bool takes_indices() const;
  BatchMatrix<T> input(size_t samples);  // filled by the caller before forward()
  int64_t* indices();                    // likewise
  // The output; before the closing sigmoid or softmax where `logits`.
  BatchMatrix<T> output(size_t samples, bool logits);
  bool ends_in_probabilities() const;  // a closing sigmoid or softmax
  BatchMatrix<T> output_gradient(size_t samples);

  // Training mode. With `logits` the closing sigmoid or softmax is left out; backward() then starts from the
  // gradient of what came before it.
  void forward(size_t samples, uint64_t seed, uint64_t step, bool logits);
  void backward(size_t samples, uint64_t seed, uint64_t step, bool logits, bool accumulate);

 private:
  struct Parts;
  Graph graph_;
  std::vector<ParameterSpec> specs_;
  std::unique_ptr<Parts> parts_;
};

extern template class Network<float>;
extern template class Network<double>;

}  // namespace maas
