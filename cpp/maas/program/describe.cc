// What a Program says about itself.
#include "maas/program/make_step.h"
#include "maas/program/program.h"

namespace maas {

std::string Program::message(const RunResult& result) const {
  const std::string where = result.step < step_names_.size() ? step_names_[result.step] : "run";
  return "[" + where + "] " + status_text(result.status);
}

std::string Program::describe() const {
  std::string text = std::to_string(steps_.size()) + (steps_.size() == 1 ? " step, " : " steps, ") +
                     std::to_string(block_rows_) + " rows at a time, " + std::to_string(scratch_bytes_) +
                     " bytes of scratch\n";
  for (size_t i = 0; i < steps_.size(); ++i) {
    text += std::to_string(i) + "  " + steps_[i]->describe() + "  " + step_notes_[i] + "\n";
  }
  return text;
}

}  // namespace maas
