// From rows to a numpy result: what the methods of a model have in common.
#pragma once

#include "model_state.h"

namespace maas::bindings {

// A new reference; null with the Python error set.
PyObject* new_answer(Role& role, const InputArray* inputs, size_t rows, bool one_row);

// The graph's outputs as a tuple.
PyObject* new_answers(Role& role, const InputArray* inputs, size_t rows, bool one_row);

// `arrays`: a tuple of ndarrays that fit the model's inputs as they are, text as objects or as
// take_text_column has it.
PyObject* answer_arrays(ModelState& state, RoleKind kind, PyObject* arrays);

}  // namespace maas::bindings
