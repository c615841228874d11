#include "maas/kernels/reduce.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "maas/kernels/scalar_math.h"
#include "maas/kernels/softmax.h"
#include "maas/program/steps/families.h"
#include "maas/program/steps/last_axes.h"
#include "maas/program/steps/node_step.h"

namespace maas {

namespace {

// One result of each of `rows` contiguous runs of `count` values.
using ReduceRows = void (*)(const void* x, size_t rows, size_t count, void* out);

template <class Op, class T>
void reduce_rows(const void* x, size_t rows, size_t count, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  for (size_t i = 0; i < rows; ++i, from += count) to[i] = Op::of(from, count);
}

// Whole numbers, towards zero; what the type cannot hold becomes its nearest value.
template <class T>
T truncated(double x) {
  if (!(x > static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
  if (x >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(x);
}

// Integers wrap around, as two's complement does; floats are summed in float64 by kernels/reduce.h.
template <class T, class Term>
T integer_sum(const T* x, size_t n, Term term) {
  std::make_unsigned_t<T> sum = 0;
  for (size_t i = 0; i < n; ++i) sum += term(static_cast<std::make_unsigned_t<T>>(x[i]), x[i] < 0);
  return static_cast<T>(sum);
}

template <Reduction kKind>
struct SumOf {
  template <class T>
  static T of(const T* x, size_t n) {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(reduce(kKind, n, x));
    } else {
      return integer_sum(x, n, [](auto v, bool negative) {
        using Bits = decltype(v);
        if (kKind == Reduction::kSumSquares) return static_cast<Bits>(v * v);
        return kKind == Reduction::kSumAbsolute && negative ? static_cast<Bits>(0 - v) : v;
      });
    }
  }
};
struct MeanOf {
  template <class T>
  static T of(const T* x, size_t n) {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(reduce(Reduction::kSum, n, x) / static_cast<double>(n));
    } else {
      return n == 0 ? T(0)
                    : static_cast<T>(int64_t{SumOf<Reduction::kSum>::of(x, n)} / static_cast<int64_t>(n));
    }
  }
};
struct L2Of {
  template <class T>
  static T of(const T* x, size_t n) {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(std::sqrt(reduce(Reduction::kSumSquares, n, x)));
    } else {
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      return truncated<T>(std::sqrt(sum));
    }
  }
};
// From left to right; float32 in float64.
struct ProductOf {
  template <class T>
  static T of(const T* x, size_t n) {
    if constexpr (std::is_floating_point_v<T>) {
      double product = 1;
      for (size_t i = 0; i < n; ++i) product *= static_cast<double>(x[i]);
      return static_cast<T>(product);
    } else {
      std::make_unsigned_t<T> product = 1;
      for (size_t i = 0; i < n; ++i) product *= static_cast<std::make_unsigned_t<T>>(x[i]);
      return static_cast<T>(product);
    }
  }
};
// NaN wins; of equal zeros the first. Of nothing: the least (or largest) value.
template <bool kMax>
struct ExtremeOf {
  template <class T>
  static T of(const T* x, size_t n) {
    using Limits = std::numeric_limits<T>;
    T best = Limits::has_infinity ? (kMax ? -Limits::infinity() : Limits::infinity())
                                  : (kMax ? Limits::lowest() : Limits::max());
    if constexpr (std::is_same_v<T, uint8_t>) best = kMax ? 0 : 1;
    if (n > 0) best = x[0];
    for (size_t i = 0; i < n; ++i) {
      if (x[i] != x[i]) return Limits::quiet_NaN();
      best = (kMax ? x[i] > best : x[i] < best) ? x[i] : best;
    }
    return best;
  }
};
struct LogSumExpOf {
  template <class T>
  static T of(const T* x, size_t n) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (size_t i = 0; i < n; ++i) largest = std::max(largest, static_cast<double>(x[i]));
    for (size_t i = 0; i < n; ++i) sum += scalar_exp(static_cast<double>(x[i]) - largest);
    return truncated<T>(largest + scalar_log(sum));
  }
};

template <class T>
void log_sum_exp_rows(const void* x, size_t rows, size_t count, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  if (count > 0) return map_rows(RowOp::kLogSumExp, from, rows, count, count, to, 1);
  std::fill_n(to, rows, -std::numeric_limits<T>::infinity());
}

template <class Op>
ReduceRows pick_numbers(DType dtype) {
  return with_numbers(dtype, []<class T>() -> ReduceRows {
    if constexpr (std::is_same_v<T, uint8_t>) {
      return nullptr;  // check_graph lets no bool through
    } else {
      return reduce_rows<Op, T>;
    }
  });
}

template <class Op>
ReduceRows pick_any(DType dtype) {
  return with_numbers(dtype, []<class T>() -> ReduceRows { return reduce_rows<Op, T>; });
}

ReduceRows pick_log_sum_exp(DType dtype) {
  if (dtype == DType::kFloat32) return log_sum_exp_rows<float>;
  if (dtype == DType::kFloat64) return log_sum_exp_rows<double>;
  return dtype == DType::kInt64 ? reduce_rows<LogSumExpOf, int64_t> : reduce_rows<LogSumExpOf, int32_t>;
}

class ReduceStep final : public NodeStep {
 public:
  ReduceStep(StepSpec& spec, ReduceRows reduce_rows, const std::vector<bool>& gone)
      : NodeStep(spec),
        reduce_(reduce_rows),
        axes_(spec.inputs[0], gone),
        batched_(spec.inputs[0].batched()),
        from_(spec.inputs[0].slot),
        to_(spec.outputs[0].slot) {
    spec.work_bytes = axes_.work_bytes(batched_ ? spec.block_rows : 1);
  }

  RunStatus run(const Block& block) const noexcept override {
    const size_t rows = batched_ ? block.rows : 1;
    const void* x = axes_.bring(block.slots[from_], rows, block.work);
    reduce_(x, rows * axes_.outer(), axes_.inner(), block.slots[to_]);
    return RunStatus::kOk;
  }

 private:
  ReduceRows reduce_;
  LastAxes axes_;
  bool batched_;
  size_t from_, to_;
};

// By axis of a row: whether it is reduced. Without axes all are, or with noop_with_empty_axes none: then each
// value is reduced by itself.
std::vector<bool> reduced_axes(const StepSpec& spec) {
  const Operand& in = spec.inputs[0];
  const size_t first = in.batched() ? 1 : 0, rank = in.type.shape.size();
  std::vector<int64_t> axes;
  if (spec.view.has_input(1)) axes = spec.view.constant_ints(1);
  const bool all = axes.empty() && spec.view.get_int("noop_with_empty_axes", 0) == 0;
  std::vector<bool> gone(rank - first, all);
  for (const int64_t axis : axes) {
    const auto at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
    gone[at - first] = true;
  }
  return gone;
}

template <ReduceRows (*pick)(DType)>
std::unique_ptr<Step> make_reduce(StepSpec& spec) {
  return std::make_unique<ReduceStep>(spec, pick(spec.inputs[0].dtype()), reduced_axes(spec));
}

constexpr StepEntry kEntries[] = {
    {"ReduceSum", "", make_reduce<pick_numbers<SumOf<Reduction::kSum>>>},
    {"ReduceSumSquare", "", make_reduce<pick_numbers<SumOf<Reduction::kSumSquares>>>},
    {"ReduceL1", "", make_reduce<pick_numbers<SumOf<Reduction::kSumAbsolute>>>},
    {"ReduceL2", "", make_reduce<pick_numbers<L2Of>>},
    {"ReduceMean", "", make_reduce<pick_numbers<MeanOf>>},
    {"ReduceProd", "", make_reduce<pick_numbers<ProductOf>>},
    {"ReduceMax", "", make_reduce<pick_any<ExtremeOf<true>>>},
    {"ReduceMin", "", make_reduce<pick_any<ExtremeOf<false>>>},
    {"ReduceLogSumExp", "", make_reduce<pick_log_sum_exp>},
};

}  // namespace

std::span<const StepEntry> reduce_steps() { return kEntries; }

}  // namespace maas
