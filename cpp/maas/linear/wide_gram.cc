#include "maas/linear/wide_gram.h"

#include <algorithm>
#include <type_traits>

#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/gemm.h"

namespace maas {
namespace {

// More than the rows from one column to the next: at 4 KB apart the columns of a tile would fight for the
// same lines of the first-level cache.
constexpr size_t kSpareRows = kPanelPad;
constexpr size_t kPackColumns = 256;  // columns one task packs
constexpr size_t kFoldRows = 32;      // rows of the sums one task folds

// A block of rows as a panel of all columns, and its weighted twin where there are weights.
template <class P>
struct Slab {
  AlignedBuffer<P> panel;
  AlignedBuffer<P> weighted;
  AlignedBuffer<P> h;
  size_t ld;
};

template <class T, class P>
void pack_slab(const RowPanels<T, P>& panels, size_t first, size_t n, Slab<P>& slab) {
  const size_t q = panels.columns(), ld = panel_ld(n) + kSpareRows;
  slab.ld = ld;
  const P* h = panels.pack_weights(first, n, slab.h.data(), ld);
  parallel_for((q + kPackColumns - 1) / kPackColumns, [&](size_t task, int) {
    const size_t begin = task * kPackColumns, end = std::min(q, begin + kPackColumns);
    P* panel = slab.panel.data() + begin * ld;
    panels.pack(begin, end, first, n, panel, ld);
    if (h == nullptr) return;
    P* weighted = slab.weighted.data() + begin * ld;
    for (size_t j = 0; j < end - begin; ++j) {
      for (size_t r = 0; r < ld; ++r) weighted[j * ld + r] = panel[j * ld + r] * h[r];
    }
  });
}

// sums += product above the diagonal; leaves zeros in product.
void fold(float* product, size_t q, double* sums) {
  parallel_for((q + kFoldRows - 1) / kFoldRows, [&](size_t task, int) {
    for (size_t i = task * kFoldRows; i < std::min(q, (task + 1) * kFoldRows); ++i) {
      for (size_t j = i; j < q; ++j) sums[i * q + j] += static_cast<double>(product[i * q + j]);
      std::fill(product + i * q, product + (i + 1) * q, 0.0F);
    }
  });
}

}  // namespace

template <class T, class P>
void wide_gram(const RowPanels<T, P>& panels, size_t begin, size_t end, double* sums) {
  const size_t q = panels.columns();
  const size_t height = std::min(panel_ld(end - begin), kSlabRows) + kSpareRows;
  Slab<P> slab{AlignedBuffer<P>(q * height), {}, {}, height};
  if (panels.rows().weights) {
    slab.weighted = AlignedBuffer<P>(q * height);
    slab.h = AlignedBuffer<P>(height);
  }
  AlignedBuffer<P> product;
  if constexpr (std::is_same_v<P, float>) product = AlignedBuffer<P>(q * q, P{0});
  for (size_t first = begin; first < end; first += kSlabRows) {
    const size_t rows = std::min(kSlabRows, end - first), depth = panel_ld(rows);
    pack_slab(panels, first, rows, slab);
    const auto stride = static_cast<ptrdiff_t>(slab.ld);
    const P* left = slab.weighted.size() == 0 ? slab.panel.data() : slab.weighted.data();
    const MatrixView<P> a{left, q, depth, stride, 1}, b{slab.panel.data(), q, depth, stride, 1};
    if constexpr (std::is_same_v<P, float>) {
      gemm_update(a, b.transposed(), product.data(), q, Sign::kPlus, Part::kUpper);
      fold(product.data(), q, sums);
    } else {
      gemm_update(a, b.transposed(), sums, q, Sign::kPlus, Part::kUpper);
    }
  }
}

template void wide_gram(const RowPanels<float, float>&, size_t, size_t, double*);
template void wide_gram(const RowPanels<float, double>&, size_t, size_t, double*);
template void wide_gram(const RowPanels<double, double>&, size_t, size_t, double*);

}  // namespace maas
