#include "maas/program/make_step.h"

#include <algorithm>

namespace maas {

namespace {

Operand operand(const Draft& draft, const std::string& name,
                const std::unordered_map<std::string, size_t>& slots) {
  if (name.empty()) return {};
  return {true, slots.at(draft.root(name)), draft.types.at(name), draft.constant(name)};
}

// An output that the node leaves out still takes its place among the others, as in Split.
void type_absent_outputs(const NodeView& view, std::vector<Operand>& outputs) {
  if (std::all_of(outputs.begin(), outputs.end(), [](const Operand& o) { return o.present; })) return;
  const Op* op = find_op(view.node().domain, view.node().op);
  if (op == nullptr) return;
  const OutputTypes types = op->infer(view);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].present) outputs[i].type = types[i];
  }
}

}  // namespace

MadeStep make_step(const Draft& draft, const Node& node, const std::unordered_map<std::string, size_t>& slots,
                   size_t block_rows) {
  const NodeView view = view_node(draft, node);
  const StepMaker make = find_step_maker(node.domain, node.op);
  if (make == nullptr) view.unsupported("no step runs this operator on such values");
  StepSpec spec{view, {}, {}, block_rows, 0};
  for (const std::string& name : node.inputs) spec.inputs.push_back(operand(draft, name, slots));
  for (const std::string& name : node.outputs) spec.outputs.push_back(operand(draft, name, slots));
  type_absent_outputs(view, spec.outputs);
  MadeStep made;
  made.step = make(spec);
  made.work_bytes = spec.work_bytes;
  made.work_is_text = spec.work_is_text;
  return made;
}

const char* status_text(RunStatus status) {
  switch (status) {
    case RunStatus::kOk: return "no error";
    case RunStatus::kUnknownCategory: return "expected one of the categories it knows, got another value";
    case RunStatus::kIndexOutOfRange: return "expected an index inside the array, got one outside";
    case RunStatus::kNotRepresentable:
      return "expected a value that the type asked for can hold, got another";
    case RunStatus::kZeroDivision: return "expected an integer divisor other than zero, got zero";
  }
  return "";
}

}  // namespace maas
