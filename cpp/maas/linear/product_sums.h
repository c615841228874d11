// The sums of products of all pairs of columns, over rows that arrive in order: in one call or in many, as
// long as they are cut at whole leaves. The bits depend on the rows alone.
#pragma once

#include <cstddef>

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
  // every call. Throws NotFinite and leaves the sums as they were.
  template <class T, class P>
  void add(const RowPanels<T, P>& panels, size_t begin, size_t end);

  // q × q, valid above and on the diagonal. At least one row must have been added.
  AlignedBuffer<double> take() &&;
  // The same with the rows of an unfinished leaf added; the sums stay as they are.
  template <class T>
  AlignedBuffer<double> total_with(const RowPanels<T, double>& unfinished) const;
  AlignedBuffer<double> total() const;

 private:
  size_t columns_;
  GramTree tree_;               // narrow
  AlignedBuffer<double> wide_;  // wide: one accumulator, empty before the first rows
};

extern template void ProductSums::add(const RowPanels<float, float>&, size_t, size_t);
extern template void ProductSums::add(const RowPanels<float, double>&, size_t, size_t);
extern template void ProductSums::add(const RowPanels<double, double>&, size_t, size_t);
extern template AlignedBuffer<double> ProductSums::total_with(const RowPanels<float, double>&) const;
extern template AlignedBuffer<double> ProductSums::total_with(const RowPanels<double, double>&) const;

}  // namespace maas
