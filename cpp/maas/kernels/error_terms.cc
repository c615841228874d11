#include "maas/kernels/error_terms.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/error_terms.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;

constexpr double kMostHalves = 16;

// x^exponent for x >= 0.
class Power {
 public:
  explicit Power(double exponent) : exponent_(exponent) {
    const double halves = 2 * std::fabs(exponent);
    if (halves <= kMostHalves && halves == std::floor(halves)) halves_ = static_cast<int>(halves);
  }

  HWY_INLINE V operator()(D d, V x) const { return halves_ >= 0 ? by_roots(d, x) : by_logarithm(d, x); }

 private:
  HWY_INLINE V by_roots(D d, V x) const {
    const V one = hn::Set(d, 1.0);
    V result = halves_ % 2 ? hn::Sqrt(x) : one;
    V square = x;
    for (int left = halves_ / 2; left > 0; left /= 2) {
      if (left % 2) result = hn::Mul(result, square);
      square = hn::Mul(square, square);
    }
    return exponent_ < 0 ? hn::Div(one, result) : result;
  }

  HWY_INLINE V by_logarithm(D d, V x) const {
    const V a = hn::Set(d, exponent_);
    const V log = Log(d, x);
    const V product = hn::Mul(a, log);
    const V lost = hn::MulSub(a, log, product);  // 0 without FMA
    const V result = Exp(d, product);
    const V refined = hn::MulAdd(result, lost, result);
    return hn::IfThenElse(hn::And(hn::IsFinite(product), hn::IsFinite(result)), refined, result);
  }

  double exponent_;
  int halves_ = -1;  // twice the exponent's magnitude where roots and products do
};

HWY_INLINE V TimesLog(D d, V y, V log) {
  return hn::IfThenElse(hn::Eq(y, hn::Zero(d)), hn::Zero(d), hn::Mul(y, log));
}

HWY_INLINE V Poisson(D d, V y, V p) {
  const V log = TimesLog(d, y, Log(d, hn::Div(y, p)));
  return hn::Mul(hn::Set(d, 2.0), hn::Add(hn::Sub(log, y), p));
}

HWY_INLINE V Gamma(D d, V y, V p) {
  const V sum = hn::Add(Log(d, hn::Div(p, y)), hn::Div(y, p));
  return hn::Mul(hn::Set(d, 2.0), hn::Sub(sum, hn::Set(d, 1.0)));
}

void Tweedie(double power, const double* y, const double* predicted, size_t n, double* out) {
  const D d;
  const Power first(1 - power), second(2 - power);
  const V a = hn::Set(d, 1 - power), b = hn::Set(d, 2 - power), ab = hn::Set(d, (1 - power) * (2 - power));
  MapArrays(
      d, n,
      [=](V t, V p) HWY_ATTR {
        const V own = hn::Div(second(d, hn::Max(t, hn::Zero(d))), ab);
        const V cross = hn::Div(hn::Mul(t, first(d, p)), a);
        const V rest = hn::Div(second(d, p), b);
        return hn::Mul(hn::Set(d, 2.0), hn::Add(hn::Sub(own, cross), rest));
      },
      out, y, predicted);
}

void OfBoth(ErrorTerm term, double parameter, const double* y, const double* predicted, size_t n,
            double* out) {
  const D d;
  const auto map = [&](auto fn) HWY_ATTR { MapArrays(d, n, fn, out, y, predicted); };
  const V tiny = hn::Set(d, std::numeric_limits<double>::epsilon());
  const V above = hn::Set(d, parameter), below = hn::Set(d, 1 - parameter);
  switch (term) {
    case ErrorTerm::kSquared:
      return map([](V t, V p) HWY_ATTR {
        const V error = hn::Sub(t, p);
        return hn::Mul(error, error);
      });
    case ErrorTerm::kAbsolute: return map([](V t, V p) HWY_ATTR { return hn::Abs(hn::Sub(t, p)); });
    case ErrorTerm::kPercentage:
      return map([=](V t, V p)
                     HWY_ATTR { return hn::Div(hn::Abs(hn::Sub(t, p)), hn::Max(hn::Abs(t), tiny)); });
    case ErrorTerm::kPinball:
      return map([=](V t, V p) HWY_ATTR {
        const V error = hn::Sub(t, p);
        const auto under = hn::Ge(error, hn::Zero(d));
        return hn::Mul(hn::IfThenElse(under, above, below), hn::Abs(error));
      });
    case ErrorTerm::kSquaredLog:
      return map([=](V t, V p) HWY_ATTR {
        const V error = hn::Sub(Log1p(d, t), Log1p(d, p));
        return hn::Mul(error, error);
      });
    case ErrorTerm::kPoisson: return map([=](V t, V p) HWY_ATTR { return Poisson(d, t, p); });
    case ErrorTerm::kGamma: return map([=](V t, V p) HWY_ATTR { return Gamma(d, t, p); });
    case ErrorTerm::kTweedie: return Tweedie(parameter, y, predicted, n, out);
    default: return map([](V t, V p) HWY_ATTR { return hn::Sub(t, p); });  // kDifference
  }
}

void ErrorTerms(ErrorTerm term, double parameter, const double* y, const double* predicted, size_t n,
                double* out) {
  const D d;
  const auto map = [&](auto fn) HWY_ATTR { MapArrays(d, n, fn, out, y); };
  switch (term) {
    case ErrorTerm::kLog: return map([=](V t) HWY_ATTR { return Log(d, t); });
    case ErrorTerm::kTimesLog: return map([=](V t) HWY_ATTR { return TimesLog(d, t, Log(d, t)); });
    case ErrorTerm::kPower: {
      const Power power(parameter);
      return map([=](V t) HWY_ATTR { return power(d, hn::Max(t, hn::Zero(d))); });
    }
    default: return OfBoth(term, parameter, y, predicted, n, out);
  }
}

// Minima and finiteness depend on no order; the rest of a vector is filled with the last element.
TargetRange Range(const double* y, const double* predicted, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V zero = hn::Zero(d);
  V least_y = hn::Inf(d), least_p = hn::Inf(d), poison = zero;  // 0 x is NaN for NaN and infinity
  const auto include = [&](V t, V p) HWY_ATTR {
    least_y = hn::Min(least_y, t);
    least_p = hn::Min(least_p, p);
    poison = hn::Add(poison, hn::Add(hn::Mul(t, zero), hn::Mul(p, zero)));
  };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) include(hn::LoadU(d, y + i), hn::LoadU(d, predicted + i));
  for (; i < n; ++i) {
    double t, p;
    std::memcpy(&t, y + i, sizeof t);
    std::memcpy(&p, predicted + i, sizeof p);
    include(hn::Set(d, t), hn::Set(d, p));
  }
  return {hn::GetLane(hn::MinOfLanes(d, least_y)), hn::GetLane(hn::MinOfLanes(d, least_p)),
          hn::AllTrue(d, hn::Eq(poison, zero))};
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(ErrorTerms);
HWY_EXPORT(Range);

void error_terms(ErrorTerm term, double parameter, const double* y, const double* predicted, size_t n,
                 double* out) {
  HWY_DYNAMIC_DISPATCH(ErrorTerms)(term, parameter, y, predicted, n, out);
}

TargetRange target_range(const double* y, const double* predicted, size_t n) {
  return HWY_DYNAMIC_DISPATCH(Range)(y, predicted, n);
}

void TargetRange::include(const TargetRange& other) {
  least_y = std::min(least_y, other.least_y);
  least_predicted = std::min(least_predicted, other.least_predicted);
  finite = finite && other.finite;
}

}  // namespace maas
#endif  // HWY_ONCE
