#include "maas/program/step.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

using Family = std::span<const StepEntry> (*)();
constexpr Family kFamilies[] = {
    arg_extreme_steps,
    arithmetic_steps,
    cast_steps,
    clip_steps,
    compare_steps,
    copy_steps,
    dense_steps,
    gather_steps,
    layout_steps,
    norm_steps,
    power_steps,
    reduce_steps,
    softmax_steps,
    unary_steps,
    // ai.onnx.ml
    feature_columns_steps,
    imputer_steps,
    label_encoder_steps,
    linear_model_steps,
    normalizer_steps,
    one_hot_steps,
    scaler_steps,
};

}  // namespace

StepMaker find_step_maker(std::string_view domain, std::string_view op) {
  for (const Family family : kFamilies) {
    for (const StepEntry& entry : family()) {
      if (op == entry.op && domain == entry.domain) return entry.make;
    }
  }
  return nullptr;
}

}  // namespace maas
