#include "maas/kernels/narrow.h"

#include "maas/base/aligned.h"
#include "maas/kernels/packed_matrix.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/narrow.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/kernels/narrow-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

void narrow_f32(const MatrixView<float>& a, const float* w, const NarrowOutput<float>& out) {
  run_narrow(a, w, out);
}
void narrow_f64(const MatrixView<double>& a, const double* w, const NarrowOutput<double>& out) {
  run_narrow(a, w, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace maas {

HWY_EXPORT(narrow_f32);
HWY_EXPORT(narrow_f64);

void gemm_narrow(MatrixView<float> a, const float* w, NarrowOutput<float> out) {
  HWY_DYNAMIC_DISPATCH(narrow_f32)(a, w, out);
}
void gemm_narrow(MatrixView<double> a, const double* w, NarrowOutput<double> out) {
  HWY_DYNAMIC_DISPATCH(narrow_f64)(a, w, out);
}

}  // namespace maas
#endif  // HWY_ONCE
