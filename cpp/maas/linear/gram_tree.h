// Where the sums of leaves of rows meet: a binary counter, as in adding one to a binary number. The shape of
// the tree, and with it every bit of the total, depends on the number of leaves alone, not on the chunks,
// files or threads that brought them; log2(leaves) accumulators are kept however many rows there are.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "maas/base/aligned.h"

namespace maas {

class GramTree {
 public:
  size_t leaves() const { return leaves_; }

  // Adds the sums of the next 2^level leaves; leaves() must be a multiple of 2^level. The very last push may
  // stand for fewer leaves.
  void push(size_t level, AlignedBuffer<double> sums) {
    for (size_t carry = leaves_ >> level; carry & 1; carry >>= 1) {
      add(nodes_.back(), sums);
      nodes_.pop_back();
    }
    nodes_.push_back(std::move(sums));
    leaves_ += size_t{1} << level;
  }

  // Nodes from left to right, and the tree that such a list and the number of leaves stand for.
  const std::vector<AlignedBuffer<double>>& nodes() const { return nodes_; }
  static GramTree from_nodes(size_t leaves, std::vector<AlignedBuffer<double>> nodes) {
    GramTree tree;
    tree.leaves_ = leaves;
    tree.nodes_ = std::move(nodes);
    return tree;
  }

  // The sums of all leaves, those in `last` after the others: from the right, as pushing would. At least one
  // leaf, or `last`.
  AlignedBuffer<double> total(AlignedBuffer<double> last = {}) const {
    for (size_t k = nodes_.size(); k-- > 0;) {
      if (last.size() == 0) last = AlignedBuffer<double>(nodes_[k].size(), 0.0);
      add(nodes_[k], last);
    }
    return last;
  }

 private:
  static void add(const AlignedBuffer<double>& node, AlignedBuffer<double>& sums) {
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += node[k];
  }

  size_t leaves_ = 0;
  std::vector<AlignedBuffer<double>> nodes_;  // each of a smaller power of two than the one before
};

}  // namespace maas
