// Which SIMD target runs. Highway picks the best the CPU has; MAAS_TARGET=avx3|avx2|sse4|neon forces one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maas {

// Lower-case name of the target that kernels use now, e.g. "avx3".
std::string active_target();
// Names of the targets this build has and this CPU can run, best first.
std::vector<std::string> supported_targets();
// Forces a target by name for the whole process; throws Unsupported naming the choices. "" restores the best.
void set_target(const std::string& name);
// True when the active target has fused multiply-add: the tier in which result bits are promised.
bool target_has_fma();

}  // namespace maas
