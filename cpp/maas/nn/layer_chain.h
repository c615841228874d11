// The chain of layers that a graph's nodes make. For Network alone.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/graph/graph.h"
#include "maas/nn/layer.h"

namespace maas {

template <class T>
struct ChainLayer {
  std::unique_ptr<Layer<T>> layer;
  SampleShape in, out;
  bool trains = false;  // some gradient of its parameters is wanted
};

// How a network ends: an activation that its loss may take over.
enum class Closing { kNone, kSigmoid, kSoftmax };

template <class T>
struct LayerChain {
  std::vector<ChainLayer<T>> layers;
  SampleShape input, output;  // of one position each, unless the input is indices
  size_t table_rows = 0;      // indices are below it; 0: the input is of T
  Closing closing = Closing::kNone;
  std::string before_closing;  // name of the value that the last layer reads; only where it is closing
  std::vector<AlignedBuffer<T>> constants;  // what layers point to besides the parameters
};

// An initializer of T, as the arena holds it.
template <class T>
struct PlacedParameter {
  Parameter<T> at;
  bool listed = false;  // may change: not a constant
};
template <class T>
using PlacedParameters = std::unordered_map<std::string, PlacedParameter<T>>;

// The names of those that are the weights of products, each with whether it is N × K.
std::unordered_map<std::string, bool> find_product_weights(const Graph& graph);

// `checked`: of the graph. What layers point to in `parameters` outlives the chain. Throws Unsupported naming
// the node.
template <class T>
LayerChain<T> make_layer_chain(const Graph& graph, const Checked& checked,
                               const PlacedParameters<T>& parameters);

extern template LayerChain<float> make_layer_chain(const Graph&, const Checked&,
                                                   const PlacedParameters<float>&);
extern template LayerChain<double> make_layer_chain(const Graph&, const Checked&,
                                                    const PlacedParameters<double>&);

}  // namespace maas
