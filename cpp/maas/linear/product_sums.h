// The sums of products of all pairs of columns, over rows that arrive in order: in one call or in many, as
// long as they are cut at whole leaves. The bits depend on the rows alone.
#pragma once

#include <cstddef>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/linear/gram_tree.h"
#include "maas/linear/row_panels.h"

namespace maas {

// Up to this many columns a thread's accumulators stay in its caches: leaves are its tasks. With more, slabs
// of rows are multiplied one after the other, each by all threads.
inline constexpr size_t kNarrowColumns = 256;

// Rows of a leaf (narrow) or slab (wide) of `columns` columns.
size_t gram_leaf_rows(size_t columns);

class ProductSums {
 public:
  // columns: of the panels, that is features + targets + 1.
  explicit ProductSums(size_t columns) : columns_(columns) {}

  // Adds rows [begin, end): whole leaves, but for the last rows of the last call. Shifts must be the same in
  // every call. Throws NotFinite; the sums are then undefined.
  template <class T, class P>
  void add(const RowPanels<T, P>& panels, size_t begin, size_t end);

  // q × q, valid above and on the diagonal. At least one row must have been added.
  AlignedBuffer<double> take() &&;

  // What a stream keeps and writes down: the nodes of the tree, or the one accumulator of wide rows.
  size_t leaves() const { return tree_.leaves(); }
  std::vector<const AlignedBuffer<double>*> parts() const;
  static ProductSums from_parts(size_t columns, size_t leaves, std::vector<AlignedBuffer<double>> parts);
  ProductSums clone() const;

 private:
  size_t columns_;
  GramTree tree_;               // narrow
  AlignedBuffer<double> wide_;  // wide: one accumulator, empty before the first rows
};

extern template void ProductSums::add(const RowPanels<float, float>&, size_t, size_t);
extern template void ProductSums::add(const RowPanels<float, double>&, size_t, size_t);
extern template void ProductSums::add(const RowPanels<double, double>&, size_t, size_t);

}  // namespace maas
