#include "maas/linear/gram_state.h"

#include <algorithm>
#include <type_traits>

#include "maas/base/aligned.h"
#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"
#include "maas/kernels/gram.h"

namespace maas {
namespace {

constexpr size_t kPanelBytes = 384 << 10;  // a task's panel stays in a 512 KB L2
constexpr size_t kOneBlock = 256;          // up to this many columns the output is one block
constexpr size_t kBlock = 256;             // else it is cut into square blocks of about this side
constexpr size_t kWideRows = 256;          // panel height then: the product packs its own operands
constexpr double kSmallWork = 2e6;         // multiply-adds: below, waking a thread costs more than it saves

// How the output is cut into blocks of columns and the rows into shards: from the shape alone.
struct Plan {
  size_t columns;
  size_t block;
  size_t panel_rows;
  Shards shards;

  bool wide() const { return columns > block; }
  size_t blocks() const { return (columns + block - 1) / block; }
  size_t end(size_t b) const { return std::min(columns, (b + 1) * block); }
};

Plan make_plan(size_t rows, size_t columns, size_t item) {
  const size_t parts = columns <= kOneBlock ? 1 : (columns + kBlock - 1) / kBlock;
  const size_t block = ((columns + parts - 1) / parts + 11) / 12 * 12;  // whole tiles of 3 and of 4
  const size_t height = kPanelBytes / (std::min(columns, 2 * block) * item) / kPanelPad * kPanelPad;
  const size_t panel_rows = parts > 1 ? kWideRows : std::clamp<size_t>(height, 64, kGramFloatRows);
  // Tens of tasks in all, so that a core slowed by another process delays little.
  const size_t tasks = parts * (parts + 1) / 2;
  const size_t max_shards = columns <= 64 ? 64 : std::max<size_t>(1, 32 / tasks);
  return {columns, block, panel_rows, make_shards(rows, panel_rows, max_shards)};
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
  AlignedBuffer<P> product;  // wide plans only
};

// out += aᵀ diag(h) b of two panels, through the matrix product: where blocks are large it needs no
// accumulator a vector wide for each pair. A block on the diagonal (b == a) is written above it only; a is
// scaled in place, or into `spare` where b is the same panel.
template <class P>
void add_wide_product(P* a, size_t ni, const P* b, size_t nj, size_t ld, const P* h, P* spare, P* product,
                      double* out, size_t out_ld) {
  const bool diagonal = a == b;
  P* left = h != nullptr && diagonal ? spare : a;
  for (size_t i = 0; h != nullptr && i < ni; ++i) {
    for (size_t r = 0; r < ld; ++r) left[i * ld + r] = a[i * ld + r] * h[r];
  }
  const auto stride = static_cast<ptrdiff_t>(ld);
  const MatrixView<P> rows{left, ni, ld, stride, 1}, columns{b, nj, ld, stride, 1};
  std::fill(product, product + ni * nj, P{0});
  gemm_update(rows, columns.transposed(), product, nj, Sign::kPlus, diagonal ? Part::kUpper : Part::kAll);
  for (size_t i = 0; i < ni; ++i) {
    for (size_t j = diagonal ? i : 0; j < nj; ++j)
      out[i * out_ld + j] += static_cast<double>(product[i * nj + j]);
  }
}

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

template <class T, class P>
class GramPass {
 public:
  explicit GramPass(const RegressionRows<T>& rows)
      : panels_(rows, sampled_shift<P>(rows)),
        plan_(make_plan(rows.x.rows, panels_.columns(), sizeof(P))),
        sums_(plan_.shards.count() * plan_.columns * plan_.columns, 0.0) {
    for (size_t i = 0; i < plan_.blocks(); ++i) {
      for (size_t j = i; j < plan_.blocks(); ++j) pairs_.push_back({i, j});
    }
  }

  GramState run() {
    const size_t tasks = pairs_.size() * plan_.shards.count();
    const double q = static_cast<double>(plan_.columns);
    const bool small = 0.5 * static_cast<double>(plan_.shards.rows) * q * q < kSmallWork;
    for_tasks<P>(tasks, small, [&](size_t task, Scratch& scratch) { run_task(task, scratch); });
    combine_tree(sums_.data(), plan_.shards.count(), plan_.columns * plan_.columns);
    return centre();
  }

 private:
  using Scratch = PassScratch<P>;

  // One block of the output over one shard of the rows.
  void run_task(size_t task, Scratch& scratch) {
    const auto [bi, bj] = pairs_[task % pairs_.size()];
    const size_t shard = task / pairs_.size();
    const size_t i0 = bi * plan_.block, ni = plan_.end(bi) - i0;
    const size_t j0 = bj * plan_.block, nj = plan_.end(bj) - j0;
    double* out = sums_.data() + shard * plan_.columns * plan_.columns + i0 * plan_.columns + j0;
    if (scratch.panel.size() == 0) allocate(scratch);
    std::fill(scratch.accumulators.begin(), scratch.accumulators.end(), 0.0);
    for (size_t r = plan_.shards.begin(shard); r < plan_.shards.end(shard); r += plan_.panel_rows) {
      const size_t n = std::min(plan_.panel_rows, plan_.shards.end(shard) - r);
      const size_t ld = panel_ld(n);
      P* a = scratch.panel.data();
      P* b = bi == bj ? a : a + ni * ld;
      panels_.pack(i0, i0 + ni, r, n, a, ld);
      if (bi != bj) panels_.pack(j0, j0 + nj, r, n, b, ld);
      const P* h = panels_.pack_weights(r, n, scratch.h.data(), ld);
      if (plan_.wide()) {
        add_wide_product(a, ni, b, nj, ld, h, a + ni * ld, scratch.product.data(), out, plan_.columns);
      } else {
        gram_panel(a, ni, b, nj, ld, ld, h, scratch.accumulators.data());
      }
    }
    if (!plan_.wide()) gram_finish(scratch.accumulators.data(), ni, nj, bi == bj, out, plan_.columns);
  }

  void allocate(Scratch& scratch) const {
    const size_t block = plan_.block;
    scratch.panel = AlignedBuffer<P>((plan_.wide() ? 2 * block : plan_.columns) * plan_.panel_rows);
    scratch.h = AlignedBuffer<P>(plan_.panel_rows);
    if (plan_.wide()) {
      scratch.product = AlignedBuffer<P>(block * block);
    } else {
      scratch.accumulators = AlignedBuffer<double>(gram_accumulator_size(plan_.columns, plan_.columns));
    }
  }

  GramState centre() const {
    const size_t q = plan_.columns, p = q - 1;
    const double* sums = sums_.data();
    GramState state = empty_state(panels_.rows(), sums[p * q + p]);
    std::vector<double> offset(p);
    for (size_t j = 0; j < p; ++j) {
      offset[j] = sums[j * q + p] / state.weight;
      state.mean[j] = static_cast<double>(panels_.shift()[j]) + offset[j];
    }
    state.centred.resize(p * p);
    for (size_t i = 0; i < p; ++i) {
      for (size_t j = i; j < p; ++j) {
        const double c = sums[i * q + j] - state.weight * offset[i] * offset[j];
        state.centred[i * p + j] = c;
        state.centred[j * p + i] = c;
      }
    }
    return state;
  }

  RowPanels<T, P> panels_;
  Plan plan_;
  AlignedBuffer<double> sums_;  // one columns² slot a shard
  std::vector<std::pair<size_t, size_t>> pairs_;
};

}  // namespace

template <class T>
GramState gram_state(const RegressionRows<T>& rows, GramSums sums) {
  if constexpr (std::is_same_v<T, float>) {
    if (sums == GramSums::kAuto && rows.x.cols >= kFloatGramFeatures)
      return GramPass<float, float>(rows).run();
  }
  (void)sums;
  return GramPass<T, double>(rows).run();
}

template <class T>
GramState mean_state(const RegressionRows<T>& rows) {
  const RowPanels<T, double> panels(rows, sampled_shift<double>(rows));
  const size_t q = panels.columns();
  constexpr size_t kPanelRows = 256;
  const Shards shards = make_shards(rows.x.rows, kPanelRows);
  const size_t parts = (q + kBlock - 1) / kBlock;
  AlignedBuffer<double> sums(shards.count() * q, 0.0);
  const auto run = [&](size_t task, PassScratch<double>& scratch) {
    const size_t begin = task % parts * kBlock, end = std::min(q, begin + kBlock), shard = task / parts;
    if (scratch.panel.size() == 0) {
      scratch.panel = AlignedBuffer<double>((kBlock + 1) * kPanelRows);
      scratch.h = AlignedBuffer<double>(kPanelRows);
      scratch.accumulators = AlignedBuffer<double>(gram_accumulator_size(1, kBlock));
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
