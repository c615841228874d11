#include "maas/kernels/scatter_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/scatter_rows.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
void GatherRows(const T* table, size_t cols, const int64_t* index, size_t n, T* out, size_t ld) {
  const hn::ScalableTag<T> d;
  const auto same = [](hn::Vec<decltype(d)> v) HWY_ATTR { return v; };
  for (size_t i = 0; i < n; ++i) {
    MapArrays(d, cols, same, out + i * ld, table + static_cast<size_t>(index[i]) * cols);
  }
}

template <class T>
void ScatterAddRows(const T* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end, T* table,
                    size_t cols) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto add = [](V sum, V v) HWY_ATTR { return hn::Add(sum, v); };
  for (size_t i = 0; i < n; ++i) {
    const size_t row = static_cast<size_t>(index[i]);
    if (row < begin || row >= end) continue;
    T* sum = table + row * cols;
    MapArrays(d, cols, add, sum, static_cast<const T*>(sum), x + i * ld);
  }
}

void GatherF32(const float* table, size_t cols, const int64_t* index, size_t n, float* out, size_t ld) {
  GatherRows(table, cols, index, n, out, ld);
}
void GatherF64(const double* table, size_t cols, const int64_t* index, size_t n, double* out, size_t ld) {
  GatherRows(table, cols, index, n, out, ld);
}
void ScatterF32(const float* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                float* table, size_t cols) {
  ScatterAddRows(x, ld, index, n, begin, end, table, cols);
}
void ScatterF64(const double* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                double* table, size_t cols) {
  ScatterAddRows(x, ld, index, n, begin, end, table, cols);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(GatherF32);
HWY_EXPORT(GatherF64);
HWY_EXPORT(ScatterF32);
HWY_EXPORT(ScatterF64);

void gather_rows(const float* table, size_t cols, const int64_t* index, size_t n, float* out, size_t ld) {
  HWY_DYNAMIC_DISPATCH(GatherF32)(table, cols, index, n, out, ld);
}
void gather_rows(const double* table, size_t cols, const int64_t* index, size_t n, double* out, size_t ld) {
  HWY_DYNAMIC_DISPATCH(GatherF64)(table, cols, index, n, out, ld);
}
void scatter_add_rows(const float* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                      float* table, size_t cols) {
  HWY_DYNAMIC_DISPATCH(ScatterF32)(x, ld, index, n, begin, end, table, cols);
}
void scatter_add_rows(const double* x, size_t ld, const int64_t* index, size_t n, size_t begin, size_t end,
                      double* table, size_t cols) {
  HWY_DYNAMIC_DISPATCH(ScatterF64)(x, ld, index, n, begin, end, table, cols);
}

}  // namespace maas
#endif  // HWY_ONCE
