#include "maas/kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "maas/kernels/target.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
int64_t compiled_target() { return HWY_TARGET; }
}  // namespace HWY_NAMESPACE
}  // namespace maas
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>

#include "maas/base/error.h"

namespace maas {

HWY_EXPORT(compiled_target);

namespace {

std::string lower_name(int64_t target) {
  std::string name = hwy::TargetName(target);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

// Targets compiled into this library that the CPU can run, best (lowest bit) first.
std::vector<int64_t> usable() {
  static const int64_t mask = [] {
    hwy::SetSupportedTargetsForTest(0);
    return hwy::SupportedTargets() & HWY_TARGETS;
  }();
  std::vector<int64_t> targets;
  for (int bit = 0; bit < 62; ++bit) {
    if (mask & (int64_t{1} << bit)) targets.push_back(int64_t{1} << bit);
  }
  return targets;
}

}  // namespace

std::string active_target() { return lower_name(HWY_DYNAMIC_DISPATCH(compiled_target)()); }

std::vector<std::string> supported_targets() {
  std::vector<std::string> names;
  for (const int64_t target : usable()) names.push_back(lower_name(target));
  return names;
}

void set_target(const std::string& name) {
  const auto targets = usable();
  std::string choices;
  for (const int64_t target : targets) {
    choices += (choices.empty() ? "" : ", ") + lower_name(target);
    if (name.empty() || lower_name(target) == name) {
      // This target and every worse one: dispatch takes the best of the mask.
      hwy::SetSupportedTargetsForTest(name.empty() ? 0 : target);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      return;
    }
  }
  throw Error(ErrorCode::kUnsupported, "target",
              "expected one of " + choices + " on this CPU and build, got '" + name + "'");
}

bool target_has_fma() {
  const int64_t target = HWY_DYNAMIC_DISPATCH(compiled_target)();
  return target != HWY_SSE4 && target != HWY_SSSE3 && target != HWY_SCALAR && target != HWY_EMU128;
}

}  // namespace maas
#endif  // HWY_ONCE
