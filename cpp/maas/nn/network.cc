#include "maas/nn/network.h"

#include <algorithm>
#include <utility>

#include "maas/base/error.h"
#include "maas/nn/arena.h"

namespace maas {

namespace {

// Where an initializer of T lies: offset into the trained values, or into those that are not trained.
struct Stored {
  ParameterSpec spec;
  size_t offset = 0, size = 0;
  bool listed = true;  // in Network::parameters()
};

struct Range {
  size_t begin, end;  // offsets into the whole arena
};

}  // namespace

template <class T>
struct Network<T>::Parts {
  void store_initializers(const Graph& graph, const std::vector<ParameterOptions>& listed);
  void place();
  void fill(const Graph& graph);
  PlacedParameters<T> placed();
  void find_averages(const Graph& graph);

  T* value(const Stored& one) {
    return arena.data() + (one.spec.trainable ? 0 : (2 + slots) * trained) + one.offset;
  }
  T* gradient(const Stored& one) { return arena.data() + trained + one.offset; }
  T* slot(size_t which, const Stored& one) { return arena.data() + (2 + which) * trained + one.offset; }

  BatchMatrix<T> matrix(T* data, size_t samples, SampleShape shape) const {
    return {data, samples * shape.positions, shape.cols};
  }
  LayerPass<T> pass(size_t layer, size_t samples, uint64_t seed, uint64_t step) const;
  size_t layers(bool logits) const { return chain.layers.size() - (logits ? 1 : 0); }

  std::vector<Stored> stored;  // the listed ones first, in their order
  size_t trained = 0, slots = 0, fixed = 0;
  AlignedBuffer<T> arena;
  std::vector<Range> averages;
  AlignedBuffer<T> saved_averages;

  LayerChain<T> chain;
  size_t first_trained = 0;  // layer

  size_t reserved = 0;
  AlignedBuffer<T> activations;
  AlignedBuffer<int64_t> indices;
  std::vector<T*> outs, kept;  // by layer
  T* input = nullptr;
  T* work = nullptr;
  T* gradients[2] = {nullptr, nullptr};
};

template <class T>
void Network<T>::Parts::store_initializers(const Graph& graph, const std::vector<ParameterOptions>& listed) {
  const auto weights = find_product_weights(graph);
  const auto add = [&](const std::string& name, const Tensor& tensor) -> Stored& {
    Stored& one = stored.emplace_back();
    one.spec.name = name;
    one.spec.shape = tensor.shape();
    one.spec.trainable = false;
    const auto product = weights.find(name);
    if (product != weights.end() && tensor.shape().size() == 2) {
      one.spec.layout = Layout::kPacked;
      one.spec.transposed = product->second;
    }
    one.size = stored_values<T>(one.spec);
    return one;
  };
  for (const ParameterOptions& options : listed) {
    const auto found = graph.initializers.find(options.name);
    if (found == graph.initializers.end() || found->second.dtype() != dtype_of<T>) {
      throw_invalid("Network", "expected parameters among the graph's initializers of " +
                                   std::string(dtype_name(dtype_of<T>)) + ", got '" + options.name + "'");
    }
    Stored& one = add(options.name, found->second);
    one.spec.trainable = options.trainable;
    one.spec.l1 = options.l1;
    one.spec.l2 = options.l2;
    one.spec.decays = options.decays;
  }
  for (const auto& [name, tensor] : graph.initializers) {
    const auto same = [&name = name](const Stored& one) { return one.spec.name == name; };
    const auto times = std::count_if(stored.begin(), stored.end(), same);
    if (times > 1) throw_invalid("Network", "expected each parameter once, got '" + name + "' again");
    if (times == 0 && tensor.dtype() == dtype_of<T>) add(name, tensor).listed = false;
  }
}

template <class T>
void Network<T>::Parts::place() {
  for (Stored& one : stored) {
    size_t& end = one.spec.trainable ? trained : fixed;
    one.offset = end;
    end += one.size;
  }
  arena = allocate_arena<T>((2 + slots) * trained + fixed, "weights, gradients and the optimizer's state");
  std::fill(arena.begin(), arena.end(), T{0});
}

template <class T>
void Network<T>::Parts::fill(const Graph& graph) {
  for (const Stored& one : stored) {
    const T* values = graph.initializers.at(one.spec.name).template values<T>().data();
    store_parameter(one.spec, values, value(one));
  }
}

template <class T>
PlacedParameters<T> Network<T>::Parts::placed() {
  PlacedParameters<T> places;
  for (const Stored& one : stored) {
    places.emplace(
        one.spec.name,
        PlacedParameter<T>{{value(one), one.spec.trainable ? gradient(one) : nullptr}, one.listed});
  }
  return places;
}

template <class T>
void Network<T>::Parts::find_averages(const Graph& graph) {
  size_t size = 0;
  for (const Node& node : graph.nodes) {
    if (!node.domain.empty() || node.op != "BatchNormalization") continue;
    for (const Stored& one : stored) {
      if (one.spec.name != node.inputs[3] && one.spec.name != node.inputs[4]) continue;
      const auto begin = static_cast<size_t>(value(one) - arena.data());
      averages.push_back({begin, begin + one.size});
      size += one.size;
    }
  }
  saved_averages = AlignedBuffer<T>(size);
}

template <class T>
Network<T>::Network(Graph graph, const std::vector<ParameterOptions>& parameters, size_t optimizer_slots)
    : graph_(std::move(graph)), parts_(std::make_unique<Parts>()) {
  const Checked checked = check_graph(graph_);
  Parts& parts = *parts_;
  parts.slots = optimizer_slots;
  parts.store_initializers(graph_, parameters);
  parts.place();
  parts.fill(graph_);
  parts.chain = make_layer_chain(graph_, checked, parts.placed());
  parts.find_averages(graph_);
  const auto& layers = parts.chain.layers;
  while (parts.first_trained < layers.size() && !layers[parts.first_trained].trains) ++parts.first_trained;
  for (size_t i = 0; i < parameters.size(); ++i) specs_.push_back(parts.stored[i].spec);
}

template <class T>
Network<T>::~Network() = default;

template <class T>
Graph Network<T>::current_graph() const {
  Graph graph = graph_;
  for (size_t i = 0; i < specs_.size(); ++i) {
    AlignedBuffer<T> plain(elements(specs_[i].shape));
    get_parameter(i, plain.data());
    graph.initializers.at(specs_[i].name) = Tensor::of(specs_[i].shape, plain.data());
  }
  return graph;
}

template <class T>
void Network<T>::get_parameter(size_t index, T* plain) const {
  load_parameter(specs_[index], parts_->value(parts_->stored[index]), plain);
}
template <class T>
void Network<T>::set_parameter(size_t index, const T* plain) {
  store_parameter(specs_[index], plain, parts_->value(parts_->stored[index]));
}
template <class T>
void Network<T>::get_gradient(size_t index, T* plain) const {
  load_parameter(specs_[index], parts_->gradient(parts_->stored[index]), plain);
}
template <class T>
void Network<T>::get_slot(size_t slot, size_t index, T* plain) const {
  load_parameter(specs_[index], parts_->slot(slot, parts_->stored[index]), plain);
}
template <class T>
void Network<T>::set_slot(size_t slot, size_t index, const T* plain) {
  store_parameter(specs_[index], plain, parts_->slot(slot, parts_->stored[index]));
}

template <class T>
T* Network<T>::values() {
  return parts_->arena.data();
}
template <class T>
T* Network<T>::gradients() {
  return parts_->arena.data() + parts_->trained;
}
template <class T>
T* Network<T>::slots() {
  return parts_->arena.data() + 2 * parts_->trained;
}
template <class T>
size_t Network<T>::trained_values() const {
  return parts_->trained;
}
template <class T>
size_t Network<T>::offset(size_t index) const {
  return parts_->stored[index].offset;
}

template <class T>
void Network<T>::save_averages() {
  T* to = parts_->saved_averages.data();
  for (const Range& range : parts_->averages) {
    to = std::copy(parts_->arena.data() + range.begin, parts_->arena.data() + range.end, to);
  }
}
template <class T>
void Network<T>::restore_averages() {
  const T* from = parts_->saved_averages.data();
  for (const Range& range : parts_->averages) {
    const size_t size = range.end - range.begin;
    std::copy(from, from + size, parts_->arena.data() + range.begin);
    from += size;
  }
}

// --- a batch -----------------------------------------------------------------------------------------

template <class T>
void Network<T>::reserve(size_t samples) {
  Parts& parts = *parts_;
  if (samples <= parts.reserved) return;
  const auto size = [&](SampleShape shape) { return samples * shape.positions * row_stride<T>(shape.cols); };
  const auto whole = [](size_t values) { return row_stride<T>(values); };
  size_t total = index_limit() == 0 ? size(parts.chain.input) : 0, widest = 0, work = 0;
  std::vector<size_t> outs, kept;
  for (const ChainLayer<T>& layer : parts.chain.layers) {
    outs.push_back(total);
    total += size(layer.out);
    kept.push_back(total);
    total += whole(layer.layer->kept_values(samples, layer.in));
    work = std::max(work, whole(layer.layer->work_values(samples, layer.in)));
    widest = std::max({widest, size(layer.in), size(layer.out)});
  }
  const std::string purpose = "values in batches of " + std::to_string(samples) + " rows: take smaller ones";
  auto activations = allocate_arena<T>(total + work + 2 * widest, purpose);
  parts.indices = allocate_arena<int64_t>(index_limit() == 0 ? 0 : samples * input_values(), purpose);
  parts.activations = std::move(activations);  // only now: with either missing the network stays usable
  T* base = parts.activations.data();
  parts.input = base;
  parts.outs.clear();
  parts.kept.clear();
  for (const size_t out : outs) parts.outs.push_back(base + out);
  for (const size_t one : kept) parts.kept.push_back(base + one);
  parts.work = base + total;
  parts.gradients[0] = base + total + work;
  parts.gradients[1] = parts.gradients[0] + widest;
  parts.reserved = samples;
}

template <class T>
size_t Network<T>::sample_bytes() const {
  size_t values = 0;
  for (const ChainLayer<T>& layer : parts_->chain.layers) {
    values += layer.in.positions * row_stride<T>(layer.in.cols) +
              layer.out.positions * row_stride<T>(layer.out.cols);
  }
  return values * sizeof(T);
}

template <class T>
size_t Network<T>::input_values() const {
  return parts_->chain.input.positions * parts_->chain.input.cols;
}
template <class T>
size_t Network<T>::index_limit() const {
  return parts_->chain.table_rows;
}
template <class T>
BatchMatrix<T> Network<T>::input(size_t samples) {
  return parts_->matrix(parts_->input, samples, parts_->chain.input);
}
template <class T>
int64_t* Network<T>::indices() {
  return parts_->indices.data();
}
template <class T>
BatchMatrix<T> Network<T>::output(size_t samples, bool logits) {
  const size_t last = parts_->layers(logits) - 1;
  T* data = parts_->layers(logits) == 0 ? parts_->input : parts_->outs[last];
  return parts_->matrix(data, samples, parts_->chain.output);
}
template <class T>
size_t Network<T>::output_values() const {
  return parts_->chain.output.cols;
}
template <class T>
Closing Network<T>::closing() const {
  return parts_->chain.closing;
}
template <class T>
const std::string& Network<T>::before_closing() const {
  return parts_->chain.before_closing;
}
template <class T>
BatchMatrix<T> Network<T>::output_gradient(size_t samples) {
  return parts_->matrix(parts_->gradients[0], samples, parts_->chain.output);
}

template <class T>
LayerPass<T> Network<T>::Parts::pass(size_t layer, size_t samples, uint64_t seed, uint64_t step) const {
  LayerPass<T> one;
  one.seed = seed;
  one.step = step;
  const bool reads_indices = layer == 0 && chain.table_rows != 0;
  if (reads_indices) {
    one.indices = indices.data();
  } else {
    one.in = matrix(layer == 0 ? input : outs[layer - 1], samples, chain.layers[layer].in);
  }
  one.out = matrix(outs[layer], samples, chain.layers[layer].out);
  one.kept = kept[layer];
  one.work = work;
  return one;
}

template <class T>
void Network<T>::forward(size_t samples, uint64_t seed, uint64_t step, bool logits) {
  for (size_t i = 0; i < parts_->layers(logits); ++i) {
    parts_->chain.layers[i].layer->forward(parts_->pass(i, samples, seed, step));
  }
}

template <class T>
void Network<T>::close(size_t samples) {
  const size_t last = parts_->layers(true);
  parts_->chain.layers[last].layer->forward(parts_->pass(last, samples, 0, 0));
}

template <class T>
void Network<T>::backward(size_t samples, uint64_t seed, uint64_t step, bool logits, bool accumulate) {
  const Parts& parts = *parts_;
  T *of_output = parts.gradients[0], *of_input = parts.gradients[1];
  for (size_t i = parts.layers(logits); i-- > parts.first_trained;) {
    LayerPass<T> pass = parts.pass(i, samples, seed, step);
    pass.accumulate = accumulate;
    pass.out_gradient = parts.matrix(of_output, samples, parts.chain.layers[i].out);
    if (i > parts.first_trained) {
      pass.in_gradient = parts.matrix(of_input, samples, parts.chain.layers[i].in);
    }
    parts.chain.layers[i].layer->backward(pass);
    std::swap(of_output, of_input);
  }
}

template class Network<float>;
template class Network<double>;

}  // namespace maas
