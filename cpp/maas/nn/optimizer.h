// Optimizers: gradients in, weights changed, in one pass over the arena. Formulas are Keras 3's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "maas/kernels/update.h"
#include "maas/nn/parameter.h"

namespace maas {

enum class OptimizerRule { kSgd, kAdam, kRmsprop, kAdagrad };  // AdamW: Adam with weight_decay

struct OptimizerOptions {
  OptimizerRule rule = OptimizerRule::kAdam;
  double momentum = 0;  // SGD, RMSprop
  bool nesterov = false;
  double beta_1 = 0.9, beta_2 = 0.999;  // Adam
  bool amsgrad = false;
  double rho = 0.9;  // RMSprop
  bool centered = false;
  double epsilon = 1e-7;             // > 0
  double initial_accumulator = 0.1;  // Adagrad
  double weight_decay = 0;           // decoupled: w -= learning rate × this × w, before the rule
  // 0: none. At most one is set. By value, by the norm of each parameter, by the norm of all.
  double clip_value = 0, clip_norm = 0, global_clip_norm = 0;
};

// One trainable parameter in the arena, padding included.
struct OptimizerSegment {
  size_t offset = 0, size = 0;
  double l1 = 0, l2 = 0;
  bool decays = true;
  PaddedRows padding = {};  // left out of steps
};

// Names of the state vectors a rule keeps, in arena order: "momentum", "velocity", ...
std::vector<std::string> optimizer_slots(const OptimizerOptions& options);

// Holds pointers into the arena, no memory of its own. A step allocates nothing; large ones use the pool,
// with the same bits on any number of threads.
template <class T>
class Optimizer {
 public:
  // `values` and `gradients` of `size` values; `slots` as many times that. Segments lie in [0, size) in
  // ascending order; values between them are left alone. Throws InvalidArgument for options out of range.
  Optimizer(const OptimizerOptions& options, std::vector<OptimizerSegment> segments, T* values, T* gradients,
            T* slots, size_t size);

  // Fills the slots as before a first step, iterations to 0.
  void reset();
  double penalties() const;  // their sum for the present values
  // That sum × scale, and its gradient × scale added to the gradients.
  double add_penalties(double scale);
  // One step; iterations() grows by one. Gradients may be overwritten.
  void step(double learning_rate);

  uint64_t iterations() const { return iterations_; }
  void set_iterations(uint64_t n) { iterations_ = n; }

 private:
  // Values that are updated alike: all, or (stride > 0) the first `used` of each `stride`. Neighbouring
  // segments share a run where they can, but not where each has a norm of its own.
  struct Run {
    size_t begin = 0, end = 0, used = 0, stride = 0, segment = 0;
    bool decays = true;
    double scale = 1;  // of the gradient, by its norm
  };

  void add_run(const Run& run);
  void set_scales();
  void update(const Run& run, size_t begin, size_t end, const UpdateStep<T>& common, T decay);
  UpdateStep<T> constants(double learning_rate) const;

  OptimizerOptions options_;
  std::vector<OptimizerSegment> segments_;
  std::vector<Run> runs_;
  T* values_;
  T* gradients_;
  T* slots_;
  size_t size_;
  uint64_t iterations_ = 0;
};

extern template class Optimizer<float>;
extern template class Optimizer<double>;

}  // namespace maas
