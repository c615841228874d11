// First and second derivatives of many logistic or softmax models in one pass over shared rows: each panel is
// packed once and meets the stacked weights of all models that train on its group of rows.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/linear/fold_rows.h"
#include "maas/linear/row_objective.h"

namespace maas {

// A model that trains on all rows.
inline constexpr size_t kNoFold = static_cast<size_t>(-1);

// Weights at which derivatives are wanted, for each output one a column, and the fold whose rows are left out
// (or kNoFold).
struct StackedPoint {
  const double* theta;
  size_t fold;
};

// Sums over rows, not means, and without the penalty. Holds a view of `rows`. Not for two threads at once.
template <class T>
class StackedPass {
 public:
  // shape.loss is kLogistic or kSoftmax.
  StackedPass(const FoldRows<T>& rows, const LinearModelShape& shape) : rows_(rows), shape_(shape) {}

  // Parameters of a model.
  size_t size() const { return shape_.outputs * rows_.columns(); }

  // The gradient of each point: points × size().
  std::vector<double> gradients(const std::vector<StackedPoint>& points) const;
  // The same group by group, none left out: points × groups × size().
  std::vector<double> group_gradients(const std::vector<StackedPoint>& points) const;

  // Where the parameters are few the whole second derivative is one block, else one block an output.
  size_t blocks() const { return whole() ? 1 : shape_.outputs; }
  size_t block_size() const { return whole() ? size() : rows_.columns(); }
  size_t curvature_size() const { return blocks() * block_size() * block_size(); }
  // The symmetric blocks of each point side by side: points × curvature_size().
  std::vector<double> curvature(const std::vector<StackedPoint>& points) const;

 private:
  struct Scratch;
  // The models that meet the rows of one group, in the order of their slots.
  struct Stack {
    std::vector<T> weights;
    std::vector<size_t> slots;
  };

  bool whole() const;
  std::vector<double> sum_gradients(const std::vector<Stack>& stacks, size_t slots) const;
  void add_panel(const FoldPanel<T>& panel, const Stack& stack, Scratch& s) const;
  void finish_group(const Stack& stack, Scratch& s, double* sums) const;
  std::vector<double> curvature_batch(const std::vector<StackedPoint>& points) const;
  void add_curvature(const FoldPanel<T>& panel, const T* weights, Scratch& s, double* accumulators) const;
  void scatter_curvature(const double* pairs, double* blocks) const;
  size_t pairs() const;

  const FoldRows<T>& rows_;
  LinearModelShape shape_;
};

}  // namespace maas
