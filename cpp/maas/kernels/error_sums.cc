#include "maas/kernels/error_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/error_sums.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "maas/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kPartials = 32;
constexpr size_t kGroup =
    8;  // partials of one accumulator: a whole AVX-512 vector, two of AVX2, four of SSE4

using D = hn::CappedTag<double, kGroup>;
using V = hn::Vec<D>;

// partials[k] = sum over i of term(i * kPartials + k), for `steps` steps. Targets with fewer than kGroup
// lanes go over the (cached) block several times, so that four accumulators are enough on all.
template <class Term>
void add_steps(size_t steps, const Term& term, double* partials) {
  const D d;
  for (size_t lane = 0; lane < kGroup; lane += hn::Lanes(d)) {
    V a = hn::Zero(d), b = a, c = a, e = a;
    for (size_t step = 0; step < steps; ++step) {
      const size_t i = step * kPartials + lane;
      a = hn::Add(a, term(d, i));
      b = hn::Add(b, term(d, i + kGroup));
      c = hn::Add(c, term(d, i + 2 * kGroup));
      e = hn::Add(e, term(d, i + 3 * kGroup));
    }
    hn::StoreU(a, d, partials + lane);
    hn::StoreU(b, d, partials + lane + kGroup);
    hn::StoreU(c, d, partials + lane + 2 * kGroup);
    hn::StoreU(e, d, partials + lane + 3 * kGroup);
  }
}

double combine(double* partials) {
  for (size_t half = kPartials / 2; half > 0; half /= 2) {
    for (size_t k = 0; k < half; ++k) partials[k] += partials[k + half];
  }
  return partials[0];
}

// make_term(y, predicted, weight) gives the term over those pointers; the last rows go through the same code
// from a padded copy, whose padding must give terms of zero.
template <class MakeTerm>
double sum_terms(const double* y, const double* predicted, const double* weight, size_t n, double y_padding,
                 const MakeTerm& make_term) {
  const size_t steps = n / kPartials, left = n % kPartials;
  double partials[kPartials];
  add_steps(steps, make_term(y, predicted, weight), partials);
  if (left != 0) {
    double tail[3][kPartials];
    const double* sources[3] = {y, predicted, weight};
    for (size_t s = 0; s < 3; ++s) {
      for (size_t k = 0; k < kPartials; ++k) {
        const double padding = s == 0 ? y_padding : 0.0;
        tail[s][k] = sources[s] && k < left ? load_unaligned(sources[s] + steps * kPartials + k) : padding;
      }
    }
    double last[kPartials];
    add_steps(1, make_term(tail[0], tail[1], weight ? tail[2] : nullptr), last);
    for (size_t k = 0; k < kPartials; ++k) partials[k] += last[k];
  }
  return combine(partials);
}

// The weight test stays outside the loops. Sums over y alone pass y as `predicted` too.
template <class Value>
double weighted_sum(const double* y, const double* predicted, const double* weight, size_t n,
                    double y_padding, const Value& value) {
  if (weight == nullptr) {
    return sum_terms(y, predicted, weight, n, y_padding,
                     [&](const double* a, const double* b, const double*) {
                       return [=](D d, size_t i) HWY_ATTR { return value(d, a + i, b + i); };
                     });
  }
  return sum_terms(
      y, predicted, weight, n, y_padding, [&](const double* a, const double* b, const double* w) {
        return [=](D d, size_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, w + i), value(d, a + i, b + i)); };
      });
}

double sum_squared_error(const double* y, const double* predicted, const double* weight, size_t n) {
  return weighted_sum(y, predicted, weight, n, 0.0, [](D d, const double* a, const double* b) HWY_ATTR {
    const V error = hn::Sub(hn::LoadU(d, a), hn::LoadU(d, b));
    return hn::Mul(error, error);
  });
}

double sum_absolute_error(const double* y, const double* predicted, const double* weight, size_t n) {
  return weighted_sum(y, predicted, weight, n, 0.0, [](D d, const double* a, const double* b) HWY_ATTR {
    return hn::Abs(hn::Sub(hn::LoadU(d, a), hn::LoadU(d, b)));
  });
}

double sum_distance(const double* y, double centre, const double* weight, size_t n) {
  return weighted_sum(y, y, weight, n, centre, [centre](D d, const double* a, const double*) HWY_ATTR {
    return hn::Sub(hn::LoadU(d, a), hn::Set(d, centre));
  });
}

double sum_spread(const double* y, double centre, const double* weight, size_t n) {
  return weighted_sum(y, y, weight, n, centre, [centre](D d, const double* a, const double*) HWY_ATTR {
    const V distance = hn::Sub(hn::LoadU(d, a), hn::Set(d, centre));
    return hn::Mul(distance, distance);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(sum_squared_error);
HWY_EXPORT(sum_absolute_error);
HWY_EXPORT(sum_distance);
HWY_EXPORT(sum_spread);

double sum_squared_error(const double* y, const double* predicted, const double* weight, size_t n) {
  return HWY_DYNAMIC_DISPATCH(sum_squared_error)(y, predicted, weight, n);
}
double sum_absolute_error(const double* y, const double* predicted, const double* weight, size_t n) {
  return HWY_DYNAMIC_DISPATCH(sum_absolute_error)(y, predicted, weight, n);
}
double sum_distance(const double* y, double centre, const double* weight, size_t n) {
  return HWY_DYNAMIC_DISPATCH(sum_distance)(y, centre, weight, n);
}
double sum_spread(const double* y, double centre, const double* weight, size_t n) {
  return HWY_DYNAMIC_DISPATCH(sum_spread)(y, centre, weight, n);
}

}  // namespace maas
#endif  // HWY_ONCE
