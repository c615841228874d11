// Profiles as they come from Python and go back: bytes of one state a column.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "maas/serve/live_profile.h"
#include "maas/serve/model_table.h"

namespace maas::bindings {

// Whether of an output, field, item, state.
using ProfileBytes = std::vector<std::tuple<bool, std::string, size_t, std::string>>;

// Without the GIL. Throws FormatError for bytes that are no state.
std::unique_ptr<serve::LiveProfile> live_profile(const Program& program, const ProfileBytes& profile);

// Seconds since 1970 when counting began, and the states; None where nothing is counted.
pybind11::object read_live_profile(const serve::ModelTable& models, const std::string& name,
                                   const std::string& version);

}  // namespace maas::bindings
