#include "maas/kernels/score_keys.h"

#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/score_keys.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;

// Keys of a vector of scores as int64.
class LinearKeys {
 public:
  explicit LinearKeys(const ScoreBins& bins) : bins_(bins) {}

  HWY_INLINE VI operator()(D d, V score) const {
    const DI di;
    const V low = hn::Set(d, bins_.low), high = hn::Set(d, bins_.high);
    const V inside = hn::Min(hn::Max(score, low), high);
    const V scale = hn::Set(d, bins_.bins / (bins_.high - bins_.low));
    const V place = hn::Mul(hn::Sub(inside, low), scale);
    const V most = hn::Set(d, bins_.bins - 1.0);
    const V key = hn::Add(hn::Min(hn::Floor(place), most), hn::Set(d, 1.0));
    const V below = hn::IfThenZeroElse(hn::Lt(score, low), key);
    const V both = hn::IfThenElse(hn::Gt(score, high), hn::Set(d, bins_.bins + 1.0), below);
    // The bits of 2^52 + key, less those of 2^52: AVX2 has no such conversion. NaN gives any bin.
    const V shifted = hn::Add(both, hn::Set(d, 0x1p52));
    return hn::And(hn::BitCast(di, shifted), hn::Set(di, int64_t{0xffffffff}));
  }

 private:
  ScoreBins bins_;
};

class BitKeys {
 public:
  explicit BitKeys(const ScoreBins& bins)
      : mantissa_bits_(std::countr_zero(bins.bins)),
        first_(static_cast<int64_t>(1023 + ScoreBins::kLeastExponent) << mantissa_bits_),
        most_(static_cast<int64_t>(bins.count() / 2)) {}

  HWY_INLINE VI operator()(D, V score) const {
    const DI di;
    const hn::RebindToUnsigned<D> du;
    const auto bits = hn::BitCast(du, hn::Abs(score));
    const auto top = hn::ShiftRightSame(bits, 52 - mantissa_bits_);
    const VI place = hn::Sub(hn::BitCast(di, top), hn::Set(di, first_ - 1));
    const VI magnitude = hn::Min(hn::Max(place, hn::Zero(di)), hn::Set(di, most_));
    const auto negative = hn::Lt(hn::BitCast(di, score), hn::Zero(di));
    const VI centre = hn::Set(di, most_);
    return hn::IfThenElse(negative, hn::Sub(centre, magnitude), hn::Add(centre, magnitude));
  }

 private:
  int mantissa_bits_;
  int64_t first_;  // the shifted bits of the least magnitude that has bins of its own
  int64_t most_;   // bins on either side of zero's
};

template <class Keys>
bool MapKeys(const Keys& of, const double* scores, size_t n, uint32_t* keys) {
  const D d;
  const DI di;
  const hn::Rebind<uint32_t, D> d32;
  const hn::RebindToUnsigned<D> du;
  const size_t lanes = hn::Lanes(d);
  const V zero = hn::Zero(d);
  V poison = zero;  // 0 x is NaN for NaN and infinity
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V score = hn::LoadU(d, scores + i);
    poison = hn::Add(poison, hn::Mul(score, zero));
    hn::StoreU(hn::TruncateTo(d32, hn::BitCast(du, of(d, score))), d32, keys + i);
  }
  if (i < n) {
    HWY_ALIGN int64_t last[hn::MaxLanes(d)];
    const V score = LoadTail(d, scores + i, n - i);
    poison = hn::Add(poison, hn::Mul(score, zero));
    hn::Store(of(d, score), di, last);
    for (size_t k = 0; i + k < n; ++k) keys[i + k] = static_cast<uint32_t>(last[k]);
  }
  return hn::AllTrue(d, hn::Eq(poison, zero));
}

bool ScoreKeys(const ScoreBins& bins, const double* scores, size_t n, uint32_t* keys) {
  if (bins.linear) return MapKeys(LinearKeys(bins), scores, n, keys);
  return MapKeys(BitKeys(bins), scores, n, keys);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(ScoreKeys);

uint32_t ScoreBins::count() const {
  if (linear) return bins + 2;
  const auto octaves = static_cast<uint32_t>(kMostExponent - kLeastExponent);
  return 2 * (octaves * bins + 1) + 1;  // on either side of zero's bin, and the outermost
}

bool score_keys(const ScoreBins& bins, const double* scores, size_t n, uint32_t* keys) {
  return HWY_DYNAMIC_DISPATCH(ScoreKeys)(bins, scores, n, keys);
}

}  // namespace maas
#endif  // HWY_ONCE
