#include "maas/linear/gram_state.h"

#include <algorithm>
#include <type_traits>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/linear/product_sums.h"

namespace maas {
namespace {

constexpr size_t kMeanColumns = 256;  // columns one task of mean_state takes
constexpr double kSmallWork = 2e6;    // multiply-adds: below, waking a thread costs more than it saves

struct Scratch {
  AlignedBuffer<double> panel;
  AlignedBuffer<double> h;
  AlignedBuffer<double> accumulators;
};

// Runs the tasks with one scratch a thread, inline when there is little to do.
template <class Fn>
void for_tasks(size_t tasks, bool small, Fn&& run) {
  std::vector<Scratch> scratch(small ? 1 : static_cast<size_t>(num_threads()));
  if (small) {
    for (size_t task = 0; task < tasks; ++task) run(task, scratch[0]);
  } else {
    parallel_for(tasks, [&](size_t task, int worker) { run(task, scratch[static_cast<size_t>(worker)]); });
  }
}

void refuse_no_weight(double weight) {
  if (!(weight > 0)) throw_invalid("fit", "expected sample weights with a positive sum");
}

template <class P, class T>
GramState gram_pass(const RegressionRows<T>& rows, RowIndex index) {
  const RowPanels<T, P> panels(rows, first_rows_shift<P>(rows, index), index);
  const std::vector<double> shift(panels.shift().begin(), panels.shift().end());
  const size_t q = panels.columns();
  if (panels.size() == 0) return centred_state(rows.x.cols, shift, AlignedBuffer<double>(q * q, 0.0).data());
  ProductSums sums(q);
  sums.add(panels, 0, panels.size());
  return centred_state(rows.x.cols, shift, std::move(sums).take().data());
}

}  // namespace

// Square tiles, because writing a column of a large matrix costs a cache miss a value.
GramState centred_state(size_t features, const std::vector<double>& shift, const double* sums) {
  constexpr size_t kTile = 32;
  const size_t p = shift.size(), q = p + 1;
  GramState state;
  state.features = features;
  state.targets = p - features;
  state.weight = sums[p * q + p];
  state.mean.resize(p);
  state.centred.resize(p * p);
  if (!(state.weight > 0)) return state;
  std::vector<double> offset(p);
  for (size_t j = 0; j < p; ++j) {
    offset[j] = sums[j * q + p] / state.weight;
    state.mean[j] = shift[j] + offset[j];
  }
  for_tasks((p + kTile - 1) / kTile, p <= 4 * kTile, [&](size_t task, Scratch&) {
    const size_t i0 = task * kTile, i1 = std::min(p, i0 + kTile);
    for (size_t j0 = i0; j0 < p; j0 += kTile) {
      for (size_t i = i0; i < i1; ++i) {
        for (size_t j = std::max(i, j0); j < std::min(p, j0 + kTile); ++j) {
          const double c = sums[i * q + j] - state.weight * offset[i] * offset[j];
          state.centred[i * p + j] = c;
          state.centred[j * p + i] = c;
        }
      }
    }
  });
  return state;
}

template <class T>
GramState gram_state(const RegressionRows<T>& rows, GramSums sums) {
  bool in_float = false;
  if constexpr (std::is_same_v<T, float>) {
    in_float = sums == GramSums::kAuto && rows.x.cols >= kFloatGramFeatures;
  }
  GramState state = in_float ? gram_pass<T>(rows, {}) : gram_pass<double>(rows, {});
  refuse_no_weight(state.weight);
  return state;
}

template <class T>
GramState gram_state(const RegressionRows<T>& rows, RowIndex index) {
  return gram_pass<double>(rows, index);
}

template <class T>
GramState mean_state(const RegressionRows<T>& rows) {
  const RowPanels<T, double> panels(rows, first_rows_shift<double>(rows));
  const size_t q = panels.columns();
  constexpr size_t kPanelRows = 256;
  const Shards shards = make_shards(rows.x.rows, kPanelRows);
  const size_t parts = (q + kMeanColumns - 1) / kMeanColumns;
  AlignedBuffer<double> sums(shards.count() * q, 0.0);
  const auto run = [&](size_t task, Scratch& scratch) {
    const size_t begin = task % parts * kMeanColumns, shard = task / parts;
    const size_t end = std::min(q, begin + kMeanColumns);
    if (scratch.panel.size() == 0) {
      scratch.panel = AlignedBuffer<double>((kMeanColumns + 1) * kPanelRows);
      scratch.h = AlignedBuffer<double>(kPanelRows);
      scratch.accumulators = AlignedBuffer<double>(gram_accumulator_size(1, kMeanColumns));
    }
    std::fill(scratch.accumulators.begin(), scratch.accumulators.end(), 0.0);
    for (size_t r = shards.begin(shard); r < shards.end(shard); r += kPanelRows) {
      const size_t n = std::min(kPanelRows, shards.end(shard) - r), ld = panel_ld(n);
      double* ones = scratch.panel.data();
      panels.pack(q - 1, q, r, n, ones, ld);
      panels.pack(begin, end, r, n, ones + ld, ld);
      const double* h = panels.pack_weights(r, n, scratch.h.data(), ld);
      gram_panel(ones, 1, ones + ld, end - begin, ld, ld, h, scratch.accumulators.data());
    }
    gram_finish(scratch.accumulators.data(), 1, end - begin, false, sums.data() + shard * q + begin, q);
  };
  for_tasks(parts * shards.count(), static_cast<double>(rows.x.rows * q) < kSmallWork, run);
  combine_tree(sums.data(), shards.count(), q);
  refuse_no_weight(sums[q - 1]);
  GramState state;
  state.features = rows.x.cols;
  state.targets = rows.y.cols;
  state.weight = sums[q - 1];
  state.mean.resize(q - 1);
  for (size_t j = 0; j + 1 < q; ++j) state.mean[j] = panels.shift()[j] + sums[j] / state.weight;
  return state;
}

template GramState gram_state(const RegressionRows<float>&, GramSums);
template GramState gram_state(const RegressionRows<double>&, GramSums);
template GramState gram_state(const RegressionRows<float>&, RowIndex);
template GramState gram_state(const RegressionRows<double>&, RowIndex);
template GramState mean_state(const RegressionRows<float>&);
template GramState mean_state(const RegressionRows<double>&);

std::vector<double> GramState::about_origin() const {
  const size_t p = size();
  std::vector<double> out(centred);
  for (size_t i = 0; i < p; ++i) {
    for (size_t j = 0; j < p; ++j) out[i * p + j] += weight * mean[i] * mean[j];
  }
  return out;
}

void GramState::merge(const GramState& other) {
  if (other.features != features || other.targets != targets) {
    throw_invalid("merge", "expected a state of the same features and targets");
  }
  if (other.weight == 0) return;
  if (weight == 0) {
    *this = other;
    return;
  }
  const size_t p = size();
  const double total = weight + other.weight;
  const double part = weight * (other.weight / total);
  std::vector<double> delta(p);
  for (size_t i = 0; i < p; ++i) delta[i] = other.mean[i] - mean[i];
  for (size_t i = 0; i < p; ++i) {
    for (size_t j = 0; j < p; ++j)
      centred[i * p + j] += other.centred[i * p + j] + part * delta[i] * delta[j];
    mean[i] += other.weight / total * delta[i];
  }
  weight = total;
}

}  // namespace maas
