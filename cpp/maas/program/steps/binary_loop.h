// Loops over two operands that steps/broadcast.h lays out. They hold no transcendental arithmetic, so plain
// C++ gives the same bits wherever it is compiled.
#pragma once

#include <bit>
#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>

#include "maas/kernels/elementwise.h"
#include "maas/program/steps/broadcast.h"
#include "maas/program/steps/node_step.h"

namespace maas {

// NaN of any origin comes out as the one NaN of the kernels. By its bits: to a compiler one NaN is as good as
// another.
template <class T>
T canonical(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    constexpr auto kNaN = std::bit_cast<Bits>(std::numeric_limits<T>::quiet_NaN());
    return std::bit_cast<T>(x != x ? kNaN : std::bit_cast<Bits>(x));
  } else {
    return x;
  }
}

// False where some result could not be had (a division by zero); every result is written all the same.
using BinaryLoop = bool (*)(const std::array<const std::byte*, 2>& from, std::byte* to, size_t outer,
                            size_t inner, const std::array<ptrdiff_t, 2>& steps);

// Op::apply(a, b, ok) gives one result of type Out and may clear `ok`.
template <class Op, class T, class Out, Along kA, Along kB>
bool binary_loop(const std::array<const std::byte*, 2>& from, std::byte* to, size_t outer, size_t inner,
                 const std::array<ptrdiff_t, 2>& steps) {
  const std::byte* a_bytes = from[0];
  const std::byte* b_bytes = from[1];
  Out* out = reinterpret_cast<Out*>(to);
  bool ok = true;
  for (size_t i = 0; i < outer; ++i, a_bytes += steps[0], b_bytes += steps[1], out += inner) {
    const T* a = reinterpret_cast<const T*>(a_bytes);
    const T* b = reinterpret_cast<const T*>(b_bytes);
    const T first_a = *a, first_b = *b;
    MAAS_INDEPENDENT
    for (size_t j = 0; j < inner; ++j) {
      out[j] = Op::apply(kA == Along::kOne ? first_a : a[j], kB == Along::kOne ? first_b : b[j], ok);
    }
  }
  return ok;
}

template <class Op, class T, class Out = T>
BinaryLoop pick_binary_loop(const BroadcastPlan<2>& plan) {
  constexpr Along kItems = Along::kItems, kOne = Along::kOne;
  if (plan.along(0) == kOne) {
    return plan.along(1) == kOne ? binary_loop<Op, T, Out, kOne, kOne>
                                 : binary_loop<Op, T, Out, kOne, kItems>;
  }
  return plan.along(1) == kOne ? binary_loop<Op, T, Out, kItems, kOne>
                               : binary_loop<Op, T, Out, kItems, kItems>;
}

// A loop with the plan that feeds it.
struct BinaryCall {
  BroadcastPlan<2> plan;
  BinaryLoop loop = nullptr;
  // The vector code for the same where both go along item by item; null: the loop alone.
  MapFn<float> map_f32 = nullptr;
  MapFn<double> map_f64 = nullptr;
  size_t a = 0, b = 0, out = 0;  // slots

  BinaryCall(const Operand& left, const Operand& right, const Operand& result)
      : plan(result, {&left, &right}), a(left.slot), b(right.slot), out(result.slot) {}

  void use_map(MapOp op, DType dtype) {
    if (!plan.all_items()) return;
    if (dtype == DType::kFloat32) map_f32 = find_map<float>(op);
    if (dtype == DType::kFloat64) map_f64 = find_map<double>(op);
  }

  bool run(const Block& block) const noexcept {
    bool ok = true;
    plan.run({block.in<std::byte>(a), block.in<std::byte>(b)}, block.out<std::byte>(out), block.rows,
             [&](const auto& from, std::byte* to, size_t outer, size_t inner, const auto& steps) {
               // Many short stretches are faster in one loop than in a call each.
               const bool map = outer == 1 || inner >= kMapFrom;
               if (map && map_f32 != nullptr) return map_stretches(map_f32, from, to, outer, inner, steps);
               if (map && map_f64 != nullptr) return map_stretches(map_f64, from, to, outer, inner, steps);
               ok &= loop(from, to, outer, inner, steps);
             });
    return ok;
  }

 private:
  static constexpr size_t kMapFrom = 24;

  template <class T>
  static void map_stretches(MapFn<T> map, const std::array<const std::byte*, 2>& from, std::byte* to,
                            size_t outer, size_t inner, const std::array<ptrdiff_t, 2>& steps) noexcept {
    const std::byte *left = from[0], *right = from[1];
    for (size_t i = 0; i < outer; ++i, left += steps[0], right += steps[1], to += inner * sizeof(T)) {
      map(inner, reinterpret_cast<const T*>(left), reinterpret_cast<const T*>(right),
          reinterpret_cast<T*>(to), 0, 0);
    }
  }
};

class BinaryStep final : public NodeStep {
 public:
  BinaryStep(const StepSpec& spec, const BinaryCall& call) : NodeStep(spec), call_(call) {}
  RunStatus run(const Block& block) const noexcept override {
    return call_.run(block) ? RunStatus::kOk : RunStatus::kZeroDivision;
  }

 private:
  BinaryCall call_;
};

}  // namespace maas
