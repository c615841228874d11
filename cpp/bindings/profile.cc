// Profiles: counts of the columns of a model's rows. Python chooses edges and categories and holds the
// formulas.
#include <pybind11/stl.h>

#include <optional>
#include <string_view>
#include <vector>

#include "engine_call.h"
#include "maas/metrics/profile_state.h"
#include "metric_state.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

py::array_t<uint64_t> as_array(const std::vector<uint64_t>& counts) {
  return py::array_t<uint64_t>(static_cast<py::ssize_t>(counts.size()), counts.data());
}

// The texts of an array of str objects, None for a missing one. They live as long as the objects.
std::vector<std::string_view> texts_of(const py::array& array) {
  std::vector<std::string_view> texts;
  if (array.ndim() != 1) throw_invalid("array", "expected 1 dimension");
  texts.reserve(static_cast<size_t>(array.shape(0)));
  for (py::ssize_t i = 0; i < array.shape(0); ++i) {
    PyObject* object = *reinterpret_cast<PyObject* const*>(array.data(i));
    if (object == Py_None) {
      texts.emplace_back();
      continue;
    }
    if (!PyUnicode_Check(object)) throw_invalid("array", "expected objects that are text or None");
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(object, &size);
    if (!text) {
      PyErr_Clear();
      throw_invalid("array", "expected text in Unicode, got half a surrogate pair");
    }
    texts.emplace_back(text, static_cast<size_t>(size));
  }
  return texts;
}

// The arrays must outlive the column, and `texts` holds its texts.
ProfileColumn column_of(const py::array& array, std::vector<std::string_view>* texts) {
  if (array.dtype().kind() != 'O') return number_view(array);
  *texts = texts_of(array);
  return TextView{texts->data(), texts->size()};
}

template <class State>
void update_state(State& state, const py::array& array) {
  std::vector<std::string_view> texts;
  const ProfileColumn column = column_of(array, &texts);
  // With the GIL where texts lie in Python's objects.
  const EngineCall call(std::holds_alternative<ArrayView>(column));
  if (const auto* numbers = std::get_if<ArrayView>(&column)) {
    state.update(*numbers);
  } else if constexpr (std::is_same_v<State, CategoryState>) {
    state.update(std::get<TextView>(column));
  } else {
    throw_invalid("histogram", "expected numbers, got text");
  }
}

void update_profile(ProfileState& state, const std::vector<std::optional<py::array>>& arrays) {
  if (arrays.size() != state.columns().size()) throw_invalid("profile", "expected an array or None a column");
  std::vector<std::vector<std::string_view>> texts(arrays.size());
  std::vector<ProfileColumn> batch(arrays.size());
  for (size_t k = 0; k < arrays.size(); ++k) {
    if (!arrays[k]) continue;
    batch[k] = column_of(*arrays[k], &texts[k]);
  }
  const EngineCall call(false);  // the GIL also keeps two threads from counting at once
  state.update(batch.data());
}

py::object vocabulary(const CategoryState& state) {
  if (state.vocabulary().is_text()) return py::cast(state.vocabulary().texts());
  return py::cast(state.vocabulary().numbers());
}

ProfileState make_profile(const py::sequence& states) {
  std::vector<ColumnState> columns;
  for (const py::handle state : states) {
    if (py::isinstance<HistogramState>(state)) {
      columns.emplace_back(state.cast<const HistogramState&>());
    } else {
      columns.emplace_back(state.cast<const CategoryState&>());
    }
  }
  return ProfileState(std::move(columns));
}

py::list columns(const ProfileState& state) {
  py::list list;
  for (const ColumnState& column : state.columns()) {
    std::visit([&](const auto& each) { list.append(py::cast(each)); }, column);
  }
  return list;
}

}  // namespace

void register_profile(py::module_& m) {
  state_class<HistogramState>(m, "HistogramState")
      .def(py::init<std::string, std::vector<double>>())
      .def("update", &update_state<HistogramState>)
      .def("empty", &HistogramState::empty)
      .def_property_readonly("edges", &HistogramState::edges)
      .def_property_readonly("rows", &HistogramState::rows)
      .def_property_readonly("missing", &HistogramState::missing)
      .def_property_readonly("below", &HistogramState::below)
      .def_property_readonly("above", &HistogramState::above)
      .def_property_readonly("counts", [](const HistogramState& s) { return as_array(s.counts()); });
  state_class<CategoryState>(m, "CategoryState")
      .def(py::init([](std::string config, std::vector<std::string> texts) {
        return CategoryState(std::move(config), Vocabulary(std::move(texts)));
      }))
      .def(py::init([](std::string config, std::vector<int64_t> numbers) {
        return CategoryState(std::move(config), Vocabulary(std::move(numbers)));
      }))
      .def("update", &update_state<CategoryState>)
      .def("empty", &CategoryState::empty)
      .def_property_readonly("vocabulary", &vocabulary)
      .def_property_readonly("rows", &CategoryState::rows)
      .def_property_readonly("missing", &CategoryState::missing)
      .def_property_readonly("unseen", &CategoryState::unseen)
      .def_property_readonly("counts", [](const CategoryState& s) { return as_array(s.counts()); });
  // Shared, so that a server may hold one.
  py::class_<ProfileState, std::shared_ptr<ProfileState>>(m, "ProfileState")
      .def(py::init(&make_profile))
      .def("update", &update_profile)
      .def("merge", &ProfileState::merge)
      .def("empty", &ProfileState::empty)
      // Copies.
      .def_property_readonly("columns", &columns);
}

}  // namespace maas::bindings
