#include "maas/program/steps/node_step.h"

namespace maas {

std::string step_text(const StepSpec& spec) {
  const auto list = [](const std::vector<Operand>& operands) {
    std::string text;
    for (const Operand& operand : operands) {
      if (!operand.present) continue;
      text += (text.empty() ? " " : ", ") + shape_text(operand.type.shape);
    }
    return text;
  };
  return spec.view.node().op + list(spec.inputs) + " ->" + list(spec.outputs);
}

}  // namespace maas
