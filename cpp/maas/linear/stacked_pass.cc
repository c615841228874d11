#include "maas/linear/stacked_pass.h"

#include <algorithm>
#include <memory>

#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/kernels/linear_pass.h"
#include "maas/kernels/stacked_residuals.h"

namespace maas {
namespace {

constexpr size_t kTileOutputs = 32;  // margins that stay in cache with their panel
constexpr size_t kGramRows = 4;      // the inner products take residuals four at a time
constexpr size_t kWholeSize = 128;   // parameters from which blocks of the second derivative pay

size_t points_in_tile(size_t outputs) { return std::max<size_t>(1, kTileOutputs / outputs); }
size_t padded(size_t outputs) { return (outputs + kGramRows - 1) / kGramRows * kGramRows; }

template <class T>
void append_weights(const double* theta, size_t size, std::vector<T>& out) {
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<T>(theta[i]));
}

// Runs body(scratch, shard, sums) for every shard; the shards' sums of `size` doubles meet in the fixed tree.
template <class Scratch, class Body>
std::vector<double> sum_shards(size_t shards, size_t size, const Body& body) {
  std::vector<double> sums(shards * size, 0.0);
  std::vector<std::unique_ptr<Scratch>> scratch(static_cast<size_t>(num_threads()));
  parallel_for(shards, [&](size_t shard, int worker) {
    auto& own = scratch[static_cast<size_t>(worker)];
    if (!own) own = std::make_unique<Scratch>();
    body(*own, shard, sums.data() + shard * size);
  });
  combine_tree(sums.data(), shards, size);
  sums.resize(size);
  return sums;
}

}  // namespace

template <class T>
struct StackedPass<T>::Scratch {
  FoldPanel<T> panel;
  AlignedBuffer<T> z, residual, curvature;
  AlignedBuffer<double> accumulators;
  std::vector<double> block;

  void reserve(size_t values) {
    if (z.size() >= values) return;
    z = AlignedBuffer<T>(values, T(0));
    residual = AlignedBuffer<T>(values, T(0));
  }
  // Zeros the first time: whoever finishes sums leaves zeros behind.
  void accumulate_into(size_t doubles) {
    if (accumulators.size() < doubles) accumulators = AlignedBuffer<double>(doubles, 0.0);
  }
};

template <class T>
void StackedPass<T>::add_panel(const FoldPanel<T>& panel, const Stack& stack, Scratch& s) const {
  const size_t outputs = shape_.outputs, columns = rows_.columns(), ld = panel.ld;
  const size_t tile = points_in_tile(outputs);
  const size_t gram = gram_accumulator_size(padded(tile * outputs), columns);
  double* accumulators = s.accumulators.data();
  for (size_t p = 0; p < stack.slots.size(); p += tile, accumulators += gram) {
    const size_t count = std::min(tile, stack.slots.size() - p);
    const size_t stacked = count * outputs;
    T* const residual = s.residual.data();
    panel_margins(panel.x.data(), ld, columns, stack.weights.data() + p * size(), stacked, s.z.data());
    if (shape_.loss == Loss::kSoftmax) {
      for (size_t m = 0; m < count; ++m) {
        softmax_rows(s.z.data() + m * outputs * ld, ld, outputs, panel.y.data(), panel.weights, ld,
                     residual + m * outputs * ld);
      }
    } else {
      logistic_residuals(s.z.data(), ld, stacked, panel.y.data(), panel.weights, residual);
    }
    std::fill(residual + stacked * ld, residual + padded(stacked) * ld, T(0));
    gram_panel(residual, padded(stacked), panel.x.data(), columns, ld, ld, nullptr, accumulators);
  }
}

// Adds the sums over one group's rows to their models' own.
template <class T>
void StackedPass<T>::finish_group(const Stack& stack, Scratch& s, double* sums) const {
  const size_t outputs = shape_.outputs, columns = rows_.columns();
  const size_t tile = points_in_tile(outputs);
  const size_t gram = gram_accumulator_size(padded(tile * outputs), columns);
  double* accumulators = s.accumulators.data();
  for (size_t p = 0; p < stack.slots.size(); p += tile, accumulators += gram) {
    const size_t count = std::min(tile, stack.slots.size() - p);
    s.block.assign(padded(count * outputs) * columns, 0.0);
    gram_finish(accumulators, padded(count * outputs), columns, false, s.block.data(), columns);
    for (size_t m = 0; m < count; ++m) {
      double* into = sums + stack.slots[p + m] * size();
      for (size_t i = 0; i < size(); ++i) into[i] += s.block[m * size() + i];
    }
    std::fill(accumulators, accumulators + gram, 0.0);
  }
}

template <class T>
std::vector<double> StackedPass<T>::sum_gradients(const std::vector<Stack>& stacks, size_t slots) const {
  const size_t tile = points_in_tile(shape_.outputs);
  size_t most = 0;
  for (const Stack& stack : stacks) most = std::max(most, stack.slots.size());
  const size_t tiles = (most + tile - 1) / tile;
  const size_t tile_outputs = padded(tile * shape_.outputs);
  return sum_shards<Scratch>(
      rows_.shards().count(), slots * size(), [&](Scratch& s, size_t shard, double* sums) {
        s.reserve(tile_outputs * rows_.block_rows());
        s.accumulate_into(tiles * gram_accumulator_size(tile_outputs, rows_.columns()));
        for (size_t g = 0; g < rows_.groups(); ++g) {
          if (stacks[g].slots.empty() || !rows_.has(shard, g)) continue;
          rows_.for_each_panel(shard, g, s.panel,
                               [&](const FoldPanel<T>& panel) { add_panel(panel, stacks[g], s); });
          finish_group(stacks[g], s, sums);
        }
      });
}

template <class T>
std::vector<double> StackedPass<T>::gradients(const std::vector<StackedPoint>& points) const {
  std::vector<Stack> stacks(rows_.groups());
  for (size_t g = 0; g < stacks.size(); ++g) {
    for (size_t p = 0; p < points.size(); ++p) {
      if (points[p].fold == g) continue;
      append_weights(points[p].theta, size(), stacks[g].weights);
      stacks[g].slots.push_back(p);
    }
  }
  return sum_gradients(stacks, points.size());
}

template <class T>
std::vector<double> StackedPass<T>::group_gradients(const std::vector<StackedPoint>& points) const {
  std::vector<Stack> stacks(rows_.groups());
  for (size_t g = 0; g < stacks.size(); ++g) {
    for (size_t p = 0; p < points.size(); ++p) {
      append_weights(points[p].theta, size(), stacks[g].weights);
      stacks[g].slots.push_back(p * stacks.size() + g);
    }
  }
  return sum_gradients(stacks, points.size() * stacks.size());
}

template <class T>
bool StackedPass<T>::whole() const {
  return shape_.outputs == 1 || size() <= kWholeSize;
}

// Pairs of outputs whose block of the second derivative is summed.
template <class T>
size_t StackedPass<T>::pairs() const {
  const size_t outputs = shape_.outputs;
  return whole() ? outputs * (outputs + 1) / 2 : outputs;
}

template <class T>
void StackedPass<T>::add_curvature(const FoldPanel<T>& panel, const T* weights, Scratch& s,
                                   double* accumulators) const {
  const size_t outputs = shape_.outputs, columns = rows_.columns(), ld = panel.ld;
  const size_t gram = gram_accumulator_size(columns, columns);
  panel_margins(panel.x.data(), ld, columns, weights, outputs, s.z.data());
  if (shape_.loss == Loss::kSoftmax) {
    softmax_rows(s.z.data(), ld, outputs, panel.y.data(), panel.weights, ld, static_cast<T*>(nullptr));
  } else {
    loss_rows(shape_.loss, s.z.data(), panel.y.data(), panel.weights, ld, s.residual.data(),
              s.curvature.data());
  }
  for (size_t p = 0; p < outputs; ++p) {
    for (size_t q = whole() ? 0 : p; q <= p; ++q, accumulators += gram) {
      if (shape_.loss == Loss::kSoftmax) {
        softmax_curvature(s.z.data() + p * ld, s.z.data() + q * ld, p == q, panel.weights, ld,
                          s.curvature.data());
      }
      gram_panel(panel.x.data(), columns, panel.x.data(), columns, ld, ld, s.curvature.data(), accumulators);
    }
  }
}

template <class T>
std::vector<double> StackedPass<T>::curvature_batch(const std::vector<StackedPoint>& points) const {
  const size_t columns = rows_.columns(), area = columns * columns;
  const size_t gram = gram_accumulator_size(columns, columns);
  std::vector<std::vector<T>> weights(points.size());
  for (size_t p = 0; p < points.size(); ++p) append_weights(points[p].theta, size(), weights[p]);
  return sum_shards<Scratch>(
      rows_.shards().count(), points.size() * pairs() * area, [&](Scratch& s, size_t shard, double* sums) {
        s.reserve(shape_.outputs * rows_.block_rows());
        if (s.curvature.size() == 0) s.curvature = AlignedBuffer<T>(rows_.block_rows());
        s.accumulate_into(points.size() * pairs() * gram);
        for (size_t g = 0; g < rows_.groups(); ++g) {
          rows_.for_each_panel(shard, g, s.panel, [&](const FoldPanel<T>& panel) {
            for (size_t p = 0; p < points.size(); ++p) {
              if (points[p].fold == g) continue;
              add_curvature(panel, weights[p].data(), s, s.accumulators.data() + p * pairs() * gram);
            }
          });
        }
        for (size_t b = 0; b < points.size() * pairs(); ++b) {
          gram_finish(s.accumulators.data() + b * gram, columns, columns, true, sums + b * area, columns);
        }
        std::fill(s.accumulators.begin(), s.accumulators.end(), 0.0);
      });
}

// From pairs of outputs to the symmetric blocks.
template <class T>
void StackedPass<T>::scatter_curvature(const double* pairs, double* blocks) const {
  const size_t columns = rows_.columns(), area = columns * columns;
  if (!whole()) return static_cast<void>(std::copy(pairs, pairs + shape_.outputs * area, blocks));
  const size_t n = size();
  for (size_t p = 0; p < shape_.outputs; ++p) {
    for (size_t q = 0; q <= p; ++q, pairs += area) {
      for (size_t i = 0; i < columns; ++i) {
        for (size_t j = 0; j < columns; ++j) {
          const size_t row = p * columns + i, col = q * columns + j;
          blocks[row * n + col] = blocks[col * n + row] = pairs[i * columns + j];
        }
      }
    }
  }
}

// In batches whose accumulators fit the cache that threads have of their own, or nearly.
template <class T>
std::vector<double> StackedPass<T>::curvature(const std::vector<StackedPoint>& points) const {
  const size_t columns = rows_.columns();
  const size_t bytes = pairs() * gram_accumulator_size(columns, columns) * sizeof(double);
  const size_t batch = std::max<size_t>(1, (size_t{1} << 20) / bytes);
  std::vector<double> blocks(points.size() * curvature_size());
  for (size_t p = 0; p < points.size(); p += batch) {
    const size_t count = std::min(batch, points.size() - p);
    const auto from = points.begin() + static_cast<ptrdiff_t>(p);
    const std::vector<double> sums = curvature_batch({from, from + static_cast<ptrdiff_t>(count)});
    const size_t each = sums.size() / count;
    for (size_t m = 0; m < count; ++m) {
      scatter_curvature(sums.data() + m * each, blocks.data() + (p + m) * curvature_size());
    }
  }
  return blocks;
}

template class StackedPass<float>;
template class StackedPass<double>;

}  // namespace maas
