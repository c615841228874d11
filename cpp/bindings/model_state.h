// What one Model holds: its graph, the programs of its methods, how its inputs are read.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "checked_graph.h"
#include "model_input.h"
#include "model_role.h"
#include "model_row.h"
#include "numpy_api.h"

namespace maas::bindings {

enum class RoleKind : uint8_t { kPredict, kPredictProba, kDecisionFunction, kOutputs };
inline constexpr size_t kRoleKinds = 4;
const char* role_name(RoleKind kind);  // the method's

// Shared by threads; all but the programs is made once.
class ModelState {
 public:
  // `values`: what predict, predict_proba and decision_function give, "" where the model has none.
  ModelState(std::shared_ptr<const CheckedGraph> graph, std::array<std::string, 3> values,
             PyObject* column_names, size_t text_width);
  ~ModelState();
  ModelState(const ModelState&) = delete;
  ModelState& operator=(const ModelState&) = delete;

  const std::vector<InputSpec>& inputs() const { return inputs_; }
  const RowPlan& row_plan() const { return row_plan_; }

  // Compiled when first asked for. Throws as compile does, and InvalidArgument where the model has none.
  Role& role(RoleKind kind) {
    Role* made = roles_[static_cast<size_t>(kind)].load(std::memory_order_acquire);
    return made != nullptr ? *made : make_role(kind);
  }

 private:
  Role& make_role(RoleKind kind);

  std::shared_ptr<const CheckedGraph> graph_;
  std::array<std::string, 3> values_;
  size_t text_width_;
  std::vector<InputSpec> inputs_;
  RowPlan row_plan_;
  std::mutex making_;
  std::array<std::atomic<Role*>, kRoleKinds> roles_{};
};

}  // namespace maas::bindings
