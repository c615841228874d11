// The topics of the extension, one register function a file. Bindings convert; they never compute.
#pragma once

#include <pybind11/pybind11.h>

namespace maas::bindings {

void register_errors(pybind11::module_& m);
void register_runtime(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_least_squares(pybind11::module_& m);
void register_elastic_net(pybind11::module_& m);
void register_gram(pybind11::module_& m);
void register_logistic(pybind11::module_& m);
void register_huber(pybind11::module_& m);
void register_interior_point(pybind11::module_& m);
void register_working_set(pybind11::module_& m);
void register_logistic_cv(pybind11::module_& m);
void register_sgd(pybind11::module_& m);
void register_mini_batch(pybind11::module_& m);
void register_sparse(pybind11::module_& m);
void register_metrics(pybind11::module_& m);
void register_indicator(pybind11::module_& m);
void register_ranking(pybind11::module_& m);
void register_class_scores(pybind11::module_& m);
void register_metric_states(pybind11::module_& m);
void register_profile(pybind11::module_& m);
void register_bootstrap(pybind11::module_& m);
void register_random(pybind11::module_& m);
void register_graph(pybind11::module_& m);
void register_onnx(pybind11::module_& m);
void register_program(pybind11::module_& m);
void register_model(pybind11::module_& m);
void register_trainer(pybind11::module_& m);

}  // namespace maas::bindings
