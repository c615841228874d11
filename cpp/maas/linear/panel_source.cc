#include "maas/linear/panel_source.h"

#include <cmath>

#include "maas/base/error.h"

namespace maas {

void PanelSource::load(size_t begin, size_t rows, PanelBlock& block) const {
  if (block.panel.size() == 0) block.panel = AlignedBuffer<double>(columns_ * panel_ld(block_rows()));
  block.begin = begin;
  block.rows = rows;
  const size_t ld = block.ld = panel_ld(rows);
  pack(begin, rows, block.panel.data(), ld);
  if (columns_ == features_) return;
  double* ones = block.panel.data() + features_ * ld;
  std::fill(ones, ones + rows, 1.0);
  std::fill(ones + rows, ones + ld, 0.0);
}

// A shard is worth waking a thread for from about 20 microseconds of work on, and the shards' sums must not
// outgrow the cache they are combined in.
Shards PanelSource::shards(size_t size, size_t work) const {
  const size_t room = std::max<size_t>(4, (size_t{1} << 19) / std::max<size_t>(1, size));
  const size_t wanted = std::clamp<size_t>(rows_ * work / (size_t{1} << 16), 1, 64);
  return make_shards(rows_, block_rows(), std::min(room, wanted));
}

template <class T>
void DensePanels<T>::pack(size_t begin, size_t rows, double* panel, size_t ld) const {
  const double* shift = shift_.empty() ? nullptr : shift_.data();
  if (!pack_panel(x_, begin, rows, shift, panel, ld)) throw NotFinite("X");
}

template <class T>
void CsrPanels<T>::pack(size_t begin, size_t rows, double* panel, size_t ld) const {
  std::fill(panel, panel + features() * ld, 0.0);
  for (size_t i = 0; i < rows; ++i) {
    for (int64_t k = x_.starts[begin + i]; k < x_.starts[begin + i + 1]; ++k) {
      const double value = static_cast<double>(x_.values[k]);
      if (!std::isfinite(value)) throw NotFinite("X");
      panel[static_cast<size_t>(x_.columns[k]) * ld + i] = value;
    }
  }
}

template class DensePanels<float>;
template class DensePanels<double>;
template class CsrPanels<float>;
template class CsrPanels<double>;

}  // namespace maas
