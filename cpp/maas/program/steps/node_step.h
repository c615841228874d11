// What the steps made of single nodes share: their line in Program::describe and how many values they see.
#pragma once

#include <string>
#include <utility>

#include "maas/program/step.h"

namespace maas {

// "Add [N, 3], [3] -> [N, 3]".
std::string step_text(const StepSpec& spec);

class NodeStep : public Step {
 public:
  explicit NodeStep(const StepSpec& spec) : text_(step_text(spec)) {}
  std::string describe() const override { return text_; }

 private:
  std::string text_;
};

// The items of a value in a block: of all its rows, or of the value where it knows no rows.
class ItemCount {
 public:
  ItemCount() = default;
  explicit ItemCount(const Operand& operand) : elements_(operand.elements()), batched_(operand.batched()) {}
  size_t operator()(size_t rows) const { return batched_ ? elements_ * rows : elements_; }

 private:
  size_t elements_ = 0;
  bool batched_ = false;
};

// Calls fn with the C++ type of `dtype` as its template argument: fn.template operator()<float>(). Bool goes
// as uint8_t, whose values are 0 and 1.
template <class Fn>
auto with_numbers(DType dtype, Fn&& fn) {
  switch (dtype) {
    case DType::kFloat32: return fn.template operator()<float>();
    case DType::kFloat64: return fn.template operator()<double>();
    case DType::kInt64: return fn.template operator()<int64_t>();
    case DType::kInt32: return fn.template operator()<int32_t>();
    default: return fn.template operator()<uint8_t>();
  }
}

// The same for types that are only moved about: by their size.
template <class Fn>
auto with_items(DType dtype, Fn&& fn) {
  switch (item_size(dtype)) {
    case 1: return fn.template operator()<uint8_t>();
    case 4: return fn.template operator()<uint32_t>();
    case 8: return fn.template operator()<uint64_t>();
    default: return fn.template operator()<std::string_view>();
  }
}

// Where the loop writes what it reads (out may be an input), it does so at one index: vectors are safe.
#if defined(__clang__)
#define MAAS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define MAAS_INDEPENDENT _Pragma("GCC ivdep")
#else
#define MAAS_INDEPENDENT
#endif

}  // namespace maas
