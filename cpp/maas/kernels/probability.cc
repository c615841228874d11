#include "maas/kernels/probability.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/probability.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

ProbabilityCheck true_class_probability(const int64_t* HWY_RESTRICT labels, int64_t negative,
                                        int64_t positive, const double* HWY_RESTRICT p, double epsilon,
                                        size_t n, double* HWY_RESTRICT out) {
  const hn::ScalableTag<double> d;
  const hn::RebindToSigned<decltype(d)> di;
  const size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0);
  const auto least = hn::Set(d, epsilon), most = hn::Set(d, 1 - epsilon);
  const auto yes = hn::Set(di, positive), no = hn::Set(di, negative);
  ProbabilityCheck check;
  const auto step = [&](const int64_t* label_at, const double* p_at, double* to) HWY_ATTR {
    const auto label = hn::LoadU(di, label_at);
    const auto value = hn::LoadU(d, p_at);
    const auto is_positive = hn::Eq(label, yes);
    check.in_range &= hn::AllTrue(d, hn::And(hn::Ge(value, zero), hn::Le(value, one)));
    check.known_labels &= hn::AllTrue(di, hn::Or(is_positive, hn::Eq(label, no)));
    const auto chosen = hn::IfThenElse(hn::RebindMask(d, is_positive), value, hn::Sub(one, value));
    hn::StoreU(hn::Min(hn::Max(chosen, least), most), d, to);
  };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) step(labels + i, p + i, out + i);
  if (i < n) {
    int64_t label_tail[hn::MaxLanes(d)];
    double p_tail[hn::MaxLanes(d)], out_tail[hn::MaxLanes(d)];
    for (size_t k = 0; k < lanes; ++k) {
      label_tail[k] = i + k < n ? load_unaligned(labels + i + k) : positive;
      p_tail[k] = i + k < n ? load_unaligned(p + i + k) : 1.0;
    }
    step(label_tail, p_tail, out_tail);
    for (size_t k = 0; i + k < n; ++k) out[i + k] = out_tail[k];
  }
  return check;
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(true_class_probability);

ProbabilityCheck true_class_probability(const int64_t* labels, int64_t negative, int64_t positive,
                                        const double* p, double epsilon, size_t n, double* out) {
  return HWY_DYNAMIC_DISPATCH(true_class_probability)(labels, negative, positive, p, epsilon, n, out);
}

}  // namespace maas
#endif  // HWY_ONCE
