#include "maas/kernels/network_loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/network_loss.cc"
#include "hwy/foreach_target.h"
#include "maas/kernels/class_loss-inl.h"
#include "maas/kernels/element_loss-inl.h"
#include "maas/kernels/loss_panel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {

template <class L, class T>
double NarrowElements(const LossRows<T>& s, const L& loss) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  RowSums sums;
  ForPanels(s, true, [&](LossPanel<T>& panel, size_t rows) HWY_ATTR {
    for (size_t i = 0; i < rows; i += hn::Lanes(d)) {
      const V weight = hn::Load(d, panel.weight + i);
      const V scale = hn::Mul(weight, hn::Set(d, s.gradient_scale));
      V value = hn::Zero(d);
      for (size_t at = i; at < i + s.cols * kPanelRows; at += kPanelRows) {
        const auto term = loss.eval(d, hn::Load(d, panel.prediction + at), hn::Load(d, panel.target + at));
        value = hn::Add(value, term.value);
        hn::Store(hn::Mul(term.slope, scale), d, panel.gradient + at);
      }
      sums.add(d, i, rows - i, hn::Mul(value, weight));
    }
  });
  return sums.total();
}

template <class L, class T>
double WideElements(const LossRows<T>& s, const L& loss) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  double total = 0;
  for (size_t i = 0; i < s.rows; ++i) {
    const T weight = s.weight == nullptr ? T(1) : s.weight[i];
    const V scale = hn::Set(d, weight * s.gradient_scale);
    const T* prediction = s.prediction + i * s.ld;
    const T* target = s.target + i * s.target_ld;
    T* gradient = s.gradient == nullptr ? nullptr : s.gradient + i * s.ld;
    V sums[kSumVectors<decltype(d)>];
    for (V& sum : sums) sum = hn::Zero(d);
    ForVectors(d, s.cols, [&](size_t v, size_t k) HWY_ATTR {
      const auto term = loss.eval(d, hn::Load(d, prediction + k), hn::Load(d, target + k));
      sums[v] = hn::Add(sums[v], UpTo(d, k, s.cols, term.value));
      if (gradient != nullptr) hn::Store(hn::Mul(term.slope, scale), d, gradient + k);
    });
    total += static_cast<double>(weight) * static_cast<double>(CombinePartials(d, sums));
  }
  return total;
}

template <class L, class T>
double Elements(const LossRows<T>& s, const L& loss) {
  return s.cols <= kPanelCols ? NarrowElements(s, loss) : WideElements(s, loss);
}

template <class T>
double Classes(const LossRows<T>& s) {
  const hn::ScalableTag<T> d;
  if (s.cols > kPanelCols) {
    double total = 0;
    for (size_t i = 0; i < s.rows; ++i) {
      const RowClasses<T> row(s, i);
      const T value = s.from_logits ? row.of_logits() : row.of_probabilities();
      total += static_cast<double>(s.weight == nullptr ? T(1) : s.weight[i]) * static_cast<double>(value);
    }
    return total;
  }
  RowSums sums;
  const bool columns = s.kind == LossKind::kCategoricalCrossentropy;
  ForPanels(s, columns, [&](LossPanel<T>& panel, size_t rows) HWY_ATTR {
    const PanelClasses<T> block(s, panel);
    for (size_t i = 0; i < rows; i += hn::Lanes(d)) {
      const auto value = s.from_logits ? block.of_logits(d, i) : block.of_probabilities(d, i);
      sums.add(d, i, rows - i, hn::Mul(value, hn::Load(d, panel.weight + i)));
    }
  });
  return sums.total();
}

template <class T>
double Binary(const LossRows<T>& s) {
  const T keep = T(1) - s.label_smoothing, add = s.label_smoothing * T(0.5);
  if (s.from_logits) return Elements(s, BinaryLogits<T>{keep, add});
  return Elements(s, BinaryProbability<T>{keep, add});
}

template <class T>
double SumLoss(const LossRows<T>& s) {
  switch (s.kind) {
    case LossKind::kMeanSquaredError: return Elements(s, SquaredError<T>{});
    case LossKind::kMeanAbsoluteError: return Elements(s, AbsoluteError<T>{});
    case LossKind::kHuber: return Elements(s, HuberError<T>{s.delta});
    case LossKind::kBinaryCrossentropy: return Binary(s);
    case LossKind::kCategoricalCrossentropy:
    case LossKind::kSparseCategoricalCrossentropy: return Classes(s);
    case LossKind::kHinge: return Elements(s, HingeError<T, false>{});
    case LossKind::kSquaredHinge: return Elements(s, HingeError<T, true>{});
    case LossKind::kPoisson:
      if (s.from_logits) return Elements(s, PoissonLogits<T>{});
      return Elements(s, PoissonError<T>{});
    case LossKind::kKlDivergence: return Elements(s, Divergence<T>{});
  }
  return 0;
}

double SumLossF32(const LossRows<float>& rows) { return SumLoss(rows); }
double SumLossF64(const LossRows<double>& rows) { return SumLoss(rows); }

}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maas {

HWY_EXPORT(SumLossF32);
HWY_EXPORT(SumLossF64);

double sum_loss(const LossRows<float>& rows) { return HWY_DYNAMIC_DISPATCH(SumLossF32)(rows); }
double sum_loss(const LossRows<double>& rows) { return HWY_DYNAMIC_DISPATCH(SumLossF64)(rows); }

}  // namespace maas
#endif  // HWY_ONCE
