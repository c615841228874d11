#include "model_state.h"

#include "maas/base/error.h"

namespace maas::bindings {

const char* role_name(RoleKind kind) {
  switch (kind) {
    case RoleKind::kPredict: return "predict";
    case RoleKind::kPredictProba: return "predict_proba";
    case RoleKind::kDecisionFunction: return "decision_function";
    case RoleKind::kOutputs: break;
  }
  return "run";
}

ModelState::ModelState(std::shared_ptr<const CheckedGraph> graph, std::array<std::string, 3> values,
                       PyObject* column_names, size_t text_width)
    : graph_(std::move(graph)),
      values_(std::move(values)),
      text_width_(text_width),
      inputs_(graph_->graph.inputs.begin(), graph_->graph.inputs.end()),
      row_plan_(inputs_, column_names) {}

ModelState::~ModelState() {
  for (const std::atomic<Role*>& role : roles_) delete role.load();
}

Role& ModelState::make_role(RoleKind kind) {
  const std::lock_guard lock(making_);  // compiling never waits for the GIL
  std::atomic<Role*>& place = roles_[static_cast<size_t>(kind)];
  if (Role* made = place.load()) return *made;
  std::vector<std::string> values;  // none: the graph's outputs
  if (kind != RoleKind::kOutputs) {
    values.push_back(values_[static_cast<size_t>(kind)]);
    if (values[0].empty()) {
      throw_invalid(role_name(kind), std::string("expected a model that offers ") + role_name(kind));
    }
  }
  auto role = std::make_unique<Role>(graph_->graph, std::move(values), text_width_);
  place.store(role.get(), std::memory_order_release);
  return *role.release();
}

}  // namespace maas::bindings
