#include "maas/linear/gram_state.h"

#include <algorithm>
#include <type_traits>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/linear/wide_gram.h"

namespace maas {
namespace {

constexpr size_t kPanelBytes = 384 << 10;  // a task's panel stays in a 512 KB L2
constexpr size_t kNarrowColumns = 256;     // up to this many, a thread's accumulators stay in its caches
constexpr size_t kMeanColumns = 256;       // columns one task of mean_state takes
constexpr double kSmallWork = 2e6;         // multiply-adds: below, waking a thread costs more than it saves

// How the rows are cut into shards and panels: from the shape alone.
struct Plan {
  size_t columns;
  size_t panel_rows;
  Shards shards;
};

Plan make_plan(size_t rows, size_t columns, size_t item) {
  const size_t height = kPanelBytes / (columns * item) / kPanelPad * kPanelPad;
  const size_t panel_rows = std::clamp<size_t>(height, 64, kGramFloatRows);
  // Tens of tasks in all, so that a core slowed by another process delays little.
  const size_t max_shards = columns <= 64 ? 64 : 32;
  return {columns, panel_rows, make_shards(rows, panel_rows, max_shards)};
}

template <class T>
GramState empty_state(const RegressionRows<T>& rows, double weight) {
  if (!(weight > 0)) throw_invalid("fit", "expected sample weights with a positive sum");
  GramState state;
  state.features = rows.x.cols;
  state.targets = rows.y.cols;
  state.weight = weight;
  state.mean.resize(state.size());
  return state;
}

template <class P>
struct PassScratch {
  AlignedBuffer<P> panel;
  AlignedBuffer<P> h;
  AlignedBuffer<double> accumulators;
};

// Runs the tasks with one scratch a thread, inline when there is little to do.
template <class P, class Fn>
void for_tasks(size_t tasks, bool small, Fn&& run) {
  std::vector<PassScratch<P>> scratch(small ? 1 : static_cast<size_t>(num_threads()));
  if (small) {
    for (size_t task = 0; task < tasks; ++task) run(task, scratch[0]);
  } else {
    parallel_for(tasks, [&](size_t task, int worker) { run(task, scratch[static_cast<size_t>(worker)]); });
  }
}

// Adds up one shard in panels that stay in the second-level cache.
template <class T, class P>
void add_shard(const RowPanels<T, P>& panels, const Plan& plan, size_t shard, PassScratch<P>& scratch,
               double* out) {
  const size_t q = plan.columns;
  if (scratch.panel.size() == 0) {
    scratch.panel = AlignedBuffer<P>(q * plan.panel_rows);
    scratch.h = AlignedBuffer<P>(plan.panel_rows);
    scratch.accumulators = AlignedBuffer<double>(gram_accumulator_size(q, q));
  }
  std::fill(scratch.accumulators.begin(), scratch.accumulators.end(), 0.0);
  for (size_t r = plan.shards.begin(shard); r < plan.shards.end(shard); r += plan.panel_rows) {
    const size_t n = std::min(plan.panel_rows, plan.shards.end(shard) - r), ld = panel_ld(n);
    P* panel = scratch.panel.data();
    panels.pack(0, q, r, n, panel, ld);
    const P* h = panels.pack_weights(r, n, scratch.h.data(), ld);
    gram_panel(panel, q, panel, q, ld, ld, h, scratch.accumulators.data());
  }
  gram_finish(scratch.accumulators.data(), q, q, true, out, q);
}

// Products of all pairs of shifted columns, valid above and on the diagonal.
template <class T, class P>
AlignedBuffer<double> column_products(const RowPanels<T, P>& panels) {
  const size_t q = panels.columns(), n = panels.rows().x.rows;
  if (q > kNarrowColumns) return wide_gram(panels);
  const Plan plan = make_plan(n, q, sizeof(P));
  AlignedBuffer<double> sums(plan.shards.count() * q * q, 0.0);
  const bool small = 0.5 * static_cast<double>(n * q * q) < kSmallWork;
  for_tasks<P>(plan.shards.count(), small, [&](size_t shard, PassScratch<P>& scratch) {
    add_shard(panels, plan, shard, scratch, sums.data() + shard * q * q);
  });
  combine_tree(sums.data(), plan.shards.count(), q * q);
  return sums;
}

// From products of shifted columns to moments about the mean. Square tiles, because writing a column of a
// large matrix costs a cache miss a value.
template <class T, class P>
GramState centre(const RowPanels<T, P>& panels, const double* sums) {
  constexpr size_t kTile = 32;
  const size_t q = panels.columns(), p = q - 1;
  GramState state = empty_state(panels.rows(), sums[p * q + p]);
  std::vector<double> offset(p);
  for (size_t j = 0; j < p; ++j) {
    offset[j] = sums[j * q + p] / state.weight;
    state.mean[j] = static_cast<double>(panels.shift()[j]) + offset[j];
  }
  state.centred.resize(p * p);
  for_tasks<P>((p + kTile - 1) / kTile, p <= 4 * kTile, [&](size_t task, PassScratch<P>&) {
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

template <class P, class T>
GramState gram_pass(const RegressionRows<T>& rows) {
  const RowPanels<T, P> panels(rows, sampled_shift<P>(rows));
  return centre(panels, column_products(panels).data());
}

}  // namespace

template <class T>
GramState gram_state(const RegressionRows<T>& rows, GramSums sums) {
  if constexpr (std::is_same_v<T, float>) {
    if (sums == GramSums::kAuto && rows.x.cols >= kFloatGramFeatures) return gram_pass<float>(rows);
  }
  (void)sums;
  return gram_pass<double>(rows);
}

template <class T>
GramState mean_state(const RegressionRows<T>& rows) {
  const RowPanels<T, double> panels(rows, sampled_shift<double>(rows));
  const size_t q = panels.columns();
  constexpr size_t kPanelRows = 256;
  const Shards shards = make_shards(rows.x.rows, kPanelRows);
  const size_t parts = (q + kMeanColumns - 1) / kMeanColumns;
  AlignedBuffer<double> sums(shards.count() * q, 0.0);
  const auto run = [&](size_t task, PassScratch<double>& scratch) {
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
  for_tasks<double>(parts * shards.count(), static_cast<double>(rows.x.rows * q) < kSmallWork, run);
  combine_tree(sums.data(), shards.count(), q);
  GramState state = empty_state(rows, sums[q - 1]);
  for (size_t j = 0; j + 1 < q; ++j) state.mean[j] = panels.shift()[j] + sums[j] / state.weight;
  return state;
}

template GramState gram_state(const RegressionRows<float>&, GramSums);
template GramState gram_state(const RegressionRows<double>&, GramSums);
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
