// One node of a draft made into a step.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "maas/program/draft.h"
#include "maas/program/step.h"

namespace maas {

struct MadeStep {
  std::unique_ptr<Step> step;
  size_t work_bytes = 0;
  bool work_is_text = false;
};

// `slots` by root name. Constants of the draft must outlive the step. Throws Unsupported where the operator
// has no step.
MadeStep make_step(const Draft& draft, const Node& node, const std::unordered_map<std::string, size_t>& slots,
                   size_t block_rows);

// "unknown category" and the like.
const char* status_text(RunStatus status);

}  // namespace maas
