#include "maas/kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/reduce.cc"
#include <limits>

#include "hwy/foreach_target.h"
#include "maas/kernels/map-inl.h"
#include "maas/kernels/sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class T>
double ReduceArrays(Reduction op, size_t n, const T* x, const T* y, const double* w) {
  const hn::ScalableTag<double> d;
  using V = hn::Vec<decltype(d)>;
  switch (op) {
    case Reduction::kSum: return SumPartials(d, n, [](V acc, V a) HWY_ATTR { return hn::Add(acc, a); }, x);
    case Reduction::kSumSquares:
      return SumPartials(d, n, [](V acc, V a) HWY_ATTR { return hn::MulAdd(a, a, acc); }, x);
    case Reduction::kSumAbsolute:
      return SumPartials(d, n, [](V acc, V a) HWY_ATTR { return hn::Add(acc, hn::Abs(a)); }, x);
    case Reduction::kDot:
      return SumPartials(d, n, [](V acc, V a, V b) HWY_ATTR { return hn::MulAdd(a, b, acc); }, x, y);
    case Reduction::kSquaredDifference: {
      const auto step = [](V acc, V a, V b) HWY_ATTR {
        const V difference = hn::Sub(a, b);
        return hn::MulAdd(difference, difference, acc);
      };
      return SumPartials(d, n, step, x, y);
    }
    case Reduction::kAbsoluteDifference: {
      const auto step = [](V acc, V a, V b) HWY_ATTR { return hn::Add(acc, hn::Abs(hn::Sub(a, b))); };
      return SumPartials(d, n, step, x, y);
    }
    case Reduction::kWeightedSum:
      return SumPartials(d, n, [](V acc, V a, V s) HWY_ATTR { return hn::MulAdd(s, a, acc); }, x, w);
    case Reduction::kWeightedSquaredDifference: {
      const auto step = [](V acc, V a, V b, V s) HWY_ATTR {
        const V difference = hn::Sub(a, b);
        return hn::MulAdd(hn::Mul(s, difference), difference, acc);
      };
      return SumPartials(d, n, step, x, y, w);
    }
    case Reduction::kWeightedAbsoluteDifference: {
      const auto step = [](V acc, V a, V b, V s)
                            HWY_ATTR { return hn::MulAdd(s, hn::Abs(hn::Sub(a, b)), acc); };
      return SumPartials(d, n, step, x, y, w);
    }
  }
  return 0;
}

double ReduceF32(Reduction op, size_t n, const float* x, const float* y, const double* w) {
  return ReduceArrays(op, n, x, y, w);
}
double ReduceF64(Reduction op, size_t n, const double* x, const double* y, const double* w) {
  return ReduceArrays(op, n, x, y, w);
}

// Min and Max treat NaN differently from target to target, so it is watched for apart.
template <class T>
Extremes<T> FindExtremes(const T* x, size_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  const size_t lanes = hn::Lanes(d);
  V low = hn::Set(d, kInfinity), high = hn::Set(d, -kInfinity);
  V nan = hn::Zero(d);  // not zero in a lane that met NaN
  const auto take = [&](V v) HWY_ATTR {
    low = hn::Min(low, v);
    high = hn::Max(high, v);
    nan = hn::IfThenElse(hn::IsNaN(v), hn::Set(d, T(1)), nan);
  };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) take(hn::LoadU(d, x + i));
  for (; i < n; ++i) take(hn::Set(d, x[i]));
  if (!hn::AllFalse(d, hn::Ne(nan, hn::Zero(d)))) return {kNaN, kNaN};
  return {hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
}

Extremes<float> ExtremesF32(const float* x, size_t n) { return FindExtremes(x, n); }
Extremes<double> ExtremesF64(const double* x, size_t n) { return FindExtremes(x, n); }

// x - x is zero for finite x and NaN otherwise; so is any sum of such differences.
template <class T>
bool FiniteArray(const T* x, size_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  return SumPartials(d, n, [](V acc, V v) HWY_ATTR { return hn::Add(acc, hn::Sub(v, v)); }, x) == 0;
}

bool FiniteF32(const float* x, size_t n) { return FiniteArray(x, n); }
bool FiniteF64(const double* x, size_t n) { return FiniteArray(x, n); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <array>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {

HWY_EXPORT(ReduceF32);
HWY_EXPORT(ReduceF64);
HWY_EXPORT(ExtremesF32);
HWY_EXPORT(ExtremesF64);
HWY_EXPORT(FiniteF32);
HWY_EXPORT(FiniteF64);

double reduce(Reduction op, size_t n, const float* x, const float* y, const double* w) {
  return HWY_DYNAMIC_DISPATCH(ReduceF32)(op, n, x, y, w);
}
double reduce(Reduction op, size_t n, const double* x, const double* y, const double* w) {
  return HWY_DYNAMIC_DISPATCH(ReduceF64)(op, n, x, y, w);
}

namespace {

constexpr size_t kShardRows = 1 << 15;  // a few microseconds of work
constexpr size_t kMaxShards = 64;

template <class T>
double reduce_shards(Reduction op, size_t n, const T* x, const T* y, const double* w) {
  const Shards shards = make_shards(n, kShardRows, kMaxShards);
  std::array<double, kMaxShards> sums{};
  const auto from = [](auto* p, size_t begin) { return p == nullptr ? nullptr : p + begin; };
  parallel_for(shards.count(), [&](size_t shard, int) {
    const size_t begin = shards.begin(shard);
    sums[shard] = reduce(op, shards.end(shard) - begin, from(x, begin), from(y, begin), from(w, begin));
  });
  combine_tree(sums.data(), shards.count(), 1);
  return sums[0];
}

}  // namespace

double reduce_parallel(Reduction op, size_t n, const float* x, const float* y, const double* w) {
  return reduce_shards(op, n, x, y, w);
}
double reduce_parallel(Reduction op, size_t n, const double* x, const double* y, const double* w) {
  return reduce_shards(op, n, x, y, w);
}

Extremes<float> extremes(const float* x, size_t n) { return HWY_DYNAMIC_DISPATCH(ExtremesF32)(x, n); }
Extremes<double> extremes(const double* x, size_t n) { return HWY_DYNAMIC_DISPATCH(ExtremesF64)(x, n); }
bool all_finite(const float* x, size_t n) { return HWY_DYNAMIC_DISPATCH(FiniteF32)(x, n); }
bool all_finite(const double* x, size_t n) { return HWY_DYNAMIC_DISPATCH(FiniteF64)(x, n); }

}  // namespace maas
#endif  // HWY_ONCE
