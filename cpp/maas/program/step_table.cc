#include "maas/program/step.h"
#include "maas/program/steps/families.h"

namespace maas {

namespace {

using Family = std::span<const StepEntry> (*)();
constexpr Family kFamilies[] = {
    copy_steps, dense_steps, unary_steps, clip_steps, arithmetic_steps, compare_steps,
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
