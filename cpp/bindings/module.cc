#include "module.h"

PYBIND11_MODULE(_core, m) {
  using namespace maas::bindings;
  m.attr("__version__") = MAAS_VERSION;
  register_errors(m);
  register_runtime(m);
  register_linalg(m);
  register_least_squares(m);
  register_elastic_net(m);
  register_gram(m);
  register_logistic(m);
  register_huber(m);
  register_interior_point(m);
  register_working_set(m);
  register_logistic_cv(m);
  register_sgd(m);
  register_mini_batch(m);
  register_sparse(m);
  register_metrics(m);
  register_indicator(m);
  register_ranking(m);
  register_class_scores(m);
  register_metric_states(m);
  register_profile(m);
  register_bootstrap(m);
  register_random(m);
  register_graph(m);
  register_onnx(m);
  register_program(m);
  register_model(m);
  register_trainer(m);
}
