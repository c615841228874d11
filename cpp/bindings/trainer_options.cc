#include "trainer_options.h"

#include <functional>
#include <map>

#include "maas/base/error.h"
#include "tensor_array.h"

namespace py = pybind11;

namespace maas::bindings {

namespace {

using Setters = std::map<std::string, std::function<void(py::handle)>>;

template <class Field>
std::function<void(py::handle)> into(Field& field) {
  return [&field](py::handle value) { field = value.cast<Field>(); };
}

void set_all(const char* what, const py::dict& options, const Setters& setters) {
  for (const auto& [key, value] : options) {
    const auto name = key.cast<std::string>();
    const auto setter = setters.find(name);
    if (setter == setters.end())
      throw_invalid("Trainer", std::string("unknown ") + what + " option '" + name + "'");
    setter->second(value);
  }
}

OptimizerRule rule_by_name(const std::string& name) {
  static const std::map<std::string, OptimizerRule> kRules = {{"sgd", OptimizerRule::kSgd},
                                                              {"adam", OptimizerRule::kAdam},
                                                              {"rmsprop", OptimizerRule::kRmsprop},
                                                              {"adagrad", OptimizerRule::kAdagrad}};
  const auto found = kRules.find(name);
  if (found == kRules.end()) {
    throw_invalid("Trainer", "expected a rule of sgd, adam, rmsprop or adagrad, got '" + name + "'");
  }
  return found->second;
}

}  // namespace

LossOptions to_loss(const py::dict& options) {
  LossOptions loss;
  if (!options.contains("name")) throw_invalid("Trainer", "expected a loss with a name");
  set_all("loss", options,
          {{"name", [&](py::handle name) { loss.kind = loss_by_name(name.cast<std::string>()); }},
           {"from_logits", into(loss.from_logits)},
           {"label_smoothing", into(loss.label_smoothing)},
           {"delta", into(loss.delta)},
           {"scale", into(loss.scale)},
           {"gradient_scale", into(loss.gradient_scale)},
           {"mean_by_weight", into(loss.mean_by_weight)}});
  return loss;
}

OptimizerOptions to_optimizer(const py::dict& options) {
  OptimizerOptions o;
  if (!options.contains("rule")) throw_invalid("Trainer", "expected an optimizer with a rule");
  set_all("optimizer", options,
          {{"rule", [&](py::handle name) { o.rule = rule_by_name(name.cast<std::string>()); }},
           {"momentum", into(o.momentum)},
           {"nesterov", into(o.nesterov)},
           {"beta_1", into(o.beta_1)},
           {"beta_2", into(o.beta_2)},
           {"amsgrad", into(o.amsgrad)},
           {"rho", into(o.rho)},
           {"centered", into(o.centered)},
           {"epsilon", into(o.epsilon)},
           {"initial_accumulator", into(o.initial_accumulator)},
           {"weight_decay", into(o.weight_decay)},
           {"clip_value", into(o.clip_value)},
           {"clip_norm", into(o.clip_norm)},
           {"global_clip_norm", into(o.global_clip_norm)}});
  return o;
}

std::vector<ParameterOptions> to_parameters(const std::vector<ParameterTuple>& parameters) {
  std::vector<ParameterOptions> out;
  for (const auto& [name, trainable, l1, l2, decays] : parameters) {
    out.push_back({to_text(name), trainable, l1, l2, decays});
  }
  return out;
}

}  // namespace maas::bindings
