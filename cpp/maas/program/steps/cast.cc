#include "maas/kernels/cast.h"

#include <cstring>
#include <string_view>

#include "maas/program/steps/families.h"
#include "maas/program/steps/map_step.h"
#include "maas/program/steps/number_text.h"

namespace maas {

namespace {

template <class From, class To>
bool cast_loop(const void* from, void* to, size_t count) {
  if constexpr (std::is_same_v<From, To>) {
    std::memcpy(to, from, count * sizeof(From));
    return true;
  } else {
    const bool held = cast_values(count, static_cast<const From*>(from), static_cast<To*>(to));
    // Integers keep their low bits and floats round: only a float without an integer is an error.
    return held || !std::is_floating_point_v<From>;
  }
}

template <class To>
bool read_loop(const void* from, void* to, size_t count) {
  const auto* texts = static_cast<const std::string_view*>(from);
  To* out = static_cast<To*>(to);
  bool ok = true;
  for (size_t i = 0; i < count; ++i) ok &= read_number(texts[i], out[i]);
  return ok;
}

// The texts lie in the step's workspace.
template <class From>
class WriteStep final : public NodeStep {
 public:
  explicit WriteStep(StepSpec& spec)
      : NodeStep(spec), count_(spec.inputs[0]), from_(spec.inputs[0].slot), to_(spec.outputs[0].slot) {
    spec.work_bytes = count_(spec.block_rows) * kNumberText;
    spec.work_is_text = true;
  }

  RunStatus run(const Block& block) const noexcept override {
    const From* from = block.in<From>(from_);
    auto* to = block.out<std::string_view>(to_);
    char* text = reinterpret_cast<char*>(block.work);
    const size_t count = count_(block.rows);
    for (size_t i = 0; i < count; ++i, text += kNumberText) {
      to[i] = {text, write_number(from[i], text)};
    }
    return RunStatus::kOk;
  }

 private:
  ItemCount count_;
  size_t from_, to_;
};

std::unique_ptr<Step> make_cast(StepSpec& spec) {
  const DType from = spec.inputs[0].dtype(), to = spec.outputs[0].dtype();
  if (from == DType::kString && to == DType::kString) {
    return std::make_unique<ItemStep>(spec, cast_loop<std::string_view, std::string_view>);
  }
  if (from == DType::kString) {
    return std::make_unique<ItemStep>(spec,
                                      with_numbers(to, []<class To>() -> ItemLoop { return read_loop<To>; }));
  }
  if (to == DType::kString) {
    return with_numbers(
        from, [&]<class From>() -> std::unique_ptr<Step> { return std::make_unique<WriteStep<From>>(spec); });
  }
  return std::make_unique<ItemStep>(spec, with_numbers(from, [&]<class From>() {
                                      return with_numbers(
                                          to, []<class To>() -> ItemLoop { return cast_loop<From, To>; });
                                    }));
}

constexpr StepEntry kEntries[] = {{"Cast", "", make_cast}};

}  // namespace

std::span<const StepEntry> cast_steps() { return kEntries; }

}  // namespace maas
