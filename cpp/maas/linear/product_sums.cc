#include "maas/linear/product_sums.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/gram.h"
#include "maas/linear/wide_gram.h"

namespace maas {
namespace {

constexpr size_t kPanelBytes = 384 << 10;  // a task's panel stays in a 512 KB L2
// More than the rows from one column to the next: at 4 KB apart all columns of a row would fight for the same
// lines of the first-level cache.
constexpr size_t kSpareRows = kPanelPad;
// Adding up a leaf's lanes and merging it costs as much as about 80 of its rows; more rows would leave too
// few leaves to share among threads, and more unfinished rows to keep between the chunks of a stream.
constexpr size_t kLeafRows = 4096;
constexpr double kSmallWork = 2e6;  // multiply-adds: below, waking a thread costs more than it saves

size_t narrow_panel_rows(size_t columns, size_t item) {
  const size_t height = kPanelBytes / (columns * item) / kPanelPad * kPanelPad;
  return std::clamp<size_t>(height, 64, kGramFloatRows);
}

// Groups of 2^level leaves are a thread's tasks: tens in all, so that a core slowed by another process delays
// little, and not more, because each owns q × q sums.
size_t task_level(size_t leaves, size_t columns) {
  const size_t most_tasks = columns <= 64 ? 128 : 64;
  size_t level = 0;
  while ((leaves >> level) > most_tasks) ++level;
  return level;
}

template <class P>
struct Scratch {
  AlignedBuffer<P> panel;
  AlignedBuffer<P> h;
  AlignedBuffer<double> accumulators;
};

// One leaf in panels that stay in the second-level cache.
template <class T, class P>
AlignedBuffer<double> leaf_sums(const RowPanels<T, P>& panels, size_t begin, size_t end,
                                Scratch<P>& scratch) {
  const size_t q = panels.columns(), height = narrow_panel_rows(q, sizeof(P));
  if (scratch.panel.size() == 0) {
    const size_t rows = std::min(height, panel_ld(end - begin)) + kSpareRows;
    scratch.panel = AlignedBuffer<P>(q * rows);
    scratch.h = AlignedBuffer<P>(rows);
    scratch.accumulators = AlignedBuffer<double>(gram_accumulator_size(q, q));
  }
  std::fill(scratch.accumulators.begin(), scratch.accumulators.end(), 0.0);
  for (size_t r = begin; r < end; r += height) {
    const size_t n = std::min(height, end - r), depth = panel_ld(n), ld = depth + kSpareRows;
    P* panel = scratch.panel.data();
    panels.pack(0, q, r, n, panel, ld);
    const P* h = panels.pack_weights(r, n, scratch.h.data(), ld);
    const NextRows next = panels.location(r + n, std::min(height, end - r - n));
    gram_panel(panel, q, panel, q, ld, depth, h, scratch.accumulators.data(), next);
  }
  AlignedBuffer<double> sums(q * q, 0.0);
  gram_finish(scratch.accumulators.data(), q, q, true, sums.data(), q);
  return sums;
}

// The leaves of rows [begin, end) as one node of the tree.
template <class T, class P>
AlignedBuffer<double> node_sums(const RowPanels<T, P>& panels, size_t begin, size_t end,
                                Scratch<P>& scratch) {
  GramTree tree;
  for (size_t r = begin; r < end; r += kLeafRows) {
    tree.push(0, leaf_sums(panels, r, std::min(end, r + kLeafRows), scratch));
  }
  return tree.total();
}

struct Node {
  size_t level;
  size_t begin, end;  // rows
};

// Rows [begin, end) as nodes of a tree that already holds `leaves`: as large as alignment allows. Only the
// last leaf may be unfinished, a node of its own.
std::vector<Node> cut(size_t leaves, size_t begin, size_t end, size_t columns) {
  const size_t most = task_level((end - begin + kLeafRows - 1) / kLeafRows, columns);
  std::vector<Node> nodes;
  while (begin < end) {
    size_t level = 0;
    while (level < most && ((leaves >> level) & 1) == 0 && begin + (kLeafRows << (level + 1)) <= end) ++level;
    const size_t stop = std::min(end, begin + (kLeafRows << level));
    nodes.push_back({level, begin, stop});
    leaves += size_t{1} << level;
    begin = stop;
  }
  return nodes;
}

}  // namespace

size_t gram_leaf_rows(size_t columns) { return columns <= kNarrowColumns ? kLeafRows : kSlabRows; }

template <class T, class P>
void ProductSums::add(const RowPanels<T, P>& panels, size_t begin, size_t end) {
  if (begin == end) return;
  const size_t q = columns_;
  if (q > kNarrowColumns) {
    if (wide_.size() == 0) wide_ = AlignedBuffer<double>(q * q, 0.0);
    wide_gram(panels, begin, end, wide_.data());
    return;
  }
  const std::vector<Node> nodes = cut(tree_.leaves(), begin, end, q);
  std::vector<AlignedBuffer<double>> sums(nodes.size());
  const bool small = 0.5 * static_cast<double>((end - begin) * q * q) < kSmallWork;
  std::vector<Scratch<P>> scratch(small ? 1 : static_cast<size_t>(num_threads()));
  const auto run = [&](size_t task, int worker) {
    const Node& node = nodes[task];
    sums[task] = node_sums(panels, node.begin, node.end, scratch[static_cast<size_t>(worker)]);
  };
  if (small) {
    for (size_t task = 0; task < nodes.size(); ++task) run(task, 0);
  } else {
    parallel_for(nodes.size(), run);
  }
  for (size_t k = 0; k < nodes.size(); ++k) tree_.push(nodes[k].level, std::move(sums[k]));
}

AlignedBuffer<double> ProductSums::take() && {
  return columns_ <= kNarrowColumns ? tree_.total() : std::move(wide_);
}

std::vector<const AlignedBuffer<double>*> ProductSums::parts() const {
  std::vector<const AlignedBuffer<double>*> out;
  for (const auto& node : tree_.nodes()) out.push_back(&node);
  if (wide_.size() != 0) out.push_back(&wide_);
  return out;
}

ProductSums ProductSums::from_parts(size_t columns, size_t leaves, std::vector<AlignedBuffer<double>> parts) {
  ProductSums sums(columns);
  if (columns <= kNarrowColumns) {
    sums.tree_ = GramTree::from_nodes(leaves, std::move(parts));
  } else if (!parts.empty()) {
    sums.wide_ = std::move(parts[0]);
  }
  return sums;
}

ProductSums ProductSums::clone() const {
  std::vector<AlignedBuffer<double>> copies;
  for (const AlignedBuffer<double>* part : parts()) {
    copies.emplace_back(part->size());
    std::copy(part->data(), part->data() + part->size(), copies.back().data());
  }
  return from_parts(columns_, leaves(), std::move(copies));
}

template void ProductSums::add(const RowPanels<float, float>&, size_t, size_t);
template void ProductSums::add(const RowPanels<float, double>&, size_t, size_t);
template void ProductSums::add(const RowPanels<double, double>&, size_t, size_t);

}  // namespace maas
