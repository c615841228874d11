#include "maas/kernels/cast.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/cast.cc"
#include <limits>
#include <type_traits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// Plain loops without branches: the compiler makes vectors of each target's width out of them.
template <class From, class To>
bool Cast(size_t n, const From* HWY_RESTRICT x, To* HWY_RESTRICT out) {
  constexpr bool kFromFloat = std::is_floating_point_v<From>, kToFloat = std::is_floating_point_v<To>;
  unsigned lost = 0;
  for (size_t i = 0; i < n; ++i) {
    const From v = x[i];
    if constexpr (std::is_same_v<To, uint8_t>) {
      out[i] = v != From{0} ? 1 : 0;
    } else if constexpr (std::is_same_v<From, uint8_t>) {
      out[i] = v != 0 ? To{1} : To{0};
    } else if constexpr (kFromFloat && kToFloat) {
      out[i] = v == v ? static_cast<To>(v) : std::numeric_limits<To>::quiet_NaN();
    } else if constexpr (kFromFloat) {
      // Both limits are powers of two, so the comparisons are exact.
      constexpr To kLeast = std::numeric_limits<To>::min();
      constexpr From kLow = static_cast<From>(kLeast);
      const bool above = sizeof(From) > sizeof(To) ? v > kLow - From{1} : v >= kLow;
      const bool held = above & (v < -kLow);
      const To whole = static_cast<To>(held ? v : From{0});
      out[i] = held ? whole : kLeast;
      lost |= held ? 0u : 1u;
    } else {
      out[i] = static_cast<To>(v);
      if constexpr (!kToFloat && sizeof(To) < sizeof(From)) lost |= static_cast<From>(out[i]) == v ? 0u : 1u;
    }
  }
  return lost == 0;
}

#define MAAS_CAST(From, f, To, t) \
  bool Cast_##f##_##t(size_t n, const From* x, To* out) { return Cast(n, x, out); }
#define MAAS_CASTS(apply, From, f)                                                    \
  apply(From, f, float, F32) apply(From, f, double, F64) apply(From, f, int32_t, I32) \
      apply(From, f, int64_t, I64) apply(From, f, uint8_t, U8)
#define MAAS_ALL_CASTS(apply)    \
  MAAS_CASTS(apply, float, F32)  \
  MAAS_CASTS(apply, double, F64) \
  MAAS_CASTS(apply, int32_t, I32) MAAS_CASTS(apply, int64_t, I64) MAAS_CASTS(apply, uint8_t, U8)
MAAS_ALL_CASTS(MAAS_CAST)
#undef MAAS_CAST

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

#define MAAS_CAST(From, f, To, t)                           \
  HWY_EXPORT(Cast_##f##_##t);                               \
  template <>                                               \
  bool cast_values(size_t n, const From* x, To* out) {      \
    return HWY_DYNAMIC_DISPATCH(Cast_##f##_##t)(n, x, out); \
  }
MAAS_ALL_CASTS(MAAS_CAST)
#undef MAAS_CAST

}  // namespace maas
#endif  // HWY_ONCE
