#include "live_profile.h"

#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

namespace py = pybind11;

namespace maas::bindings {

namespace {

ColumnState read_state(std::string_view bytes) {
  uint16_t type = 0;
  if (bytes.size() >= 6) std::memcpy(&type, bytes.data() + 4, sizeof(type));
  if (type == HistogramState::kTypeId) return state_from_bytes<HistogramState>(bytes);
  return state_from_bytes<CategoryState>(bytes);
}

}  // namespace

std::unique_ptr<serve::LiveProfile> live_profile(const Program& program, const ProfileBytes& profile) {
  std::vector<serve::ProfiledColumn> columns;
  std::vector<ColumnState> states;
  for (const auto& [is_output, field, item, state] : profile) {
    columns.push_back({is_output, field, item});
    states.push_back(read_state(state));
  }
  return std::make_unique<serve::LiveProfile>(program, columns, ProfileState(std::move(states)));
}

py::object read_live_profile(const serve::ModelTable& models, const std::string& name,
                             const std::string& version) {
  serve::ModelReader reader(models);
  const serve::ModelPointer* found = reader.find(name, version);
  if (found == nullptr || (*found)->live_profile() == nullptr) return py::none();
  const serve::ModelPointer model = *found;
  std::vector<std::string> bytes;
  {
    const py::gil_scoped_release free;
    const ProfileState counted = model->live_profile()->collect();
    for (const ColumnState& each : counted.columns()) {
      bytes.push_back(std::visit([](const auto& state) { return state_to_bytes(state); }, each));
    }
  }
  py::list states;
  for (const std::string& each : bytes) states.append(py::bytes(each));
  const std::chrono::duration<double> since = model->live_profile()->since().time_since_epoch();
  return py::make_tuple(since.count(), states);
}

}  // namespace maas::bindings
