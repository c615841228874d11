#include "maas/kernels/random_fill.h"

#include <algorithm>

#include "maas/base/random.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/random_fill.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

// A quotient of two polynomials, lowest power first.
struct Quotient {
  double above[8], below[8];
};

// Of 0.180625 - (p - 1/2)², for |p - 1/2| <= 0.425.
constexpr Quotient kMiddle = {
    {3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727},
    {1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867,
     39307.895800092710610, 28729.085735721942674, 5226.4952788528545610}};
// Of r - 1.6, for r = sqrt(-log(the smaller of p and 1 - p)) <= 5.
constexpr Quotient kTail = {
    {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
     0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
// Of r - 5, beyond.
constexpr Quotient kFarTail = {
    {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
     2.01033439929228813265e-7},
    {1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15}};

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Evaluate(D d, const Quotient& q, V x) {
  return hn::Div(Polynomial(d, x, q.above), Polynomial(d, x, q.below));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V NormalQuantile(D d, V p) {
  const V q = hn::Sub(p, hn::Set(d, 0.5));
  const V square_left = hn::NegMulAdd(q, q, hn::Set(d, 0.180625));
  const V middle = hn::Mul(q, Evaluate(d, kMiddle, square_left));
  const auto in_tail = hn::Gt(hn::Abs(q), hn::Set(d, 0.425));
  if (hn::AllFalse(d, in_tail)) return middle;
  const V r = hn::Sqrt(hn::Neg(Log(d, hn::Min(p, hn::Sub(hn::Set(d, 1), p)))));
  V tail = Evaluate(d, kTail, hn::Sub(r, hn::Set(d, 1.6)));
  const auto far = hn::Gt(r, hn::Set(d, 5));
  if (!hn::AllFalse(d, far)) {
    tail = hn::IfThenElse(far, Evaluate(d, kFarTail, hn::Sub(r, hn::Set(d, 5))), tail);
  }
  const V result = hn::IfThenElse(in_tail, hn::CopySign(tail, q), middle);
  const auto inside = hn::And(hn::Gt(p, hn::Zero(d)), hn::Lt(p, hn::Set(d, 1)));
  return hn::IfThenElse(inside, result, CanonicalNaN(d));
}

void NormalQuantiles(size_t n, const double* p, double* out) {
  const hn::ScalableTag<double> d;
  MapArrays(d, n, [d](auto v) HWY_ATTR { return NormalQuantile(d, v); }, out, p);
}

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(NormalQuantiles);

namespace {

constexpr size_t kBlock = 512;  // numbers made at a time, from 4 KiB of words
constexpr size_t kShardNumbers = 16384;

// make(bits, n, out) for blocks of 64-bit numbers.
template <class Make>
void fill(uint64_t seed, uint64_t stream, size_t n, double* out, Make make) {
  const Shards shards = make_shards(n, kShardNumbers, kShardNumbers);
  parallel_for(shards.count(), [&](size_t shard, int) {
    uint32_t words[2 * kBlock];
    uint64_t bits[kBlock];
    for (size_t at = shards.begin(shard); at < shards.end(shard); at += kBlock) {
      philox_words(seed, stream, at / 2, kBlock / 2, words);
      for (size_t k = 0; k < kBlock; ++k) bits[k] = uint64_t{words[2 * k + 1]} << 32 | words[2 * k];
      make(bits, std::min(kBlock, shards.end(shard) - at), out + at);
    }
  });
}

}  // namespace

void normal_quantiles(size_t n, const double* p, double* out) {
  HWY_DYNAMIC_DISPATCH(NormalQuantiles)(n, p, out);
}

void random_uniform(uint64_t seed, uint64_t stream, size_t n, double* out) {
  fill(seed, stream, n, out, [](const uint64_t* bits, size_t count, double* numbers) {
    for (size_t k = 0; k < count; ++k) numbers[k] = unit_double(bits[k]);
  });
}

void random_normal(uint64_t seed, uint64_t stream, size_t n, double* out) {
  fill(seed, stream, n, out, [](const uint64_t* bits, size_t count, double* numbers) {
    // The middle of one of 2^52 parts of (0, 1): exact, never 0 or 1, and as often above 1/2 as below.
    for (size_t k = 0; k < count; ++k) numbers[k] = static_cast<double>(bits[k] >> 12) * 0x1p-52 + 0x1p-53;
    normal_quantiles(count, numbers, numbers);
  });
}

}  // namespace maas
#endif  // HWY_ONCE
