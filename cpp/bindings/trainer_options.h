// Options of training from Python's dicts: names as Keras has them.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <tuple>
#include <vector>

#include "maas/nn/loss.h"
#include "maas/nn/network.h"
#include "maas/nn/optimizer.h"

namespace maas::bindings {

// Each throws InvalidArgument for a key or a name that there is not.
LossOptions to_loss(const pybind11::dict& options);
OptimizerOptions to_optimizer(const pybind11::dict& options);

// name, trainable, l1, l2, decays
using ParameterTuple = std::tuple<pybind11::str, bool, double, double, bool>;
std::vector<ParameterOptions> to_parameters(const std::vector<ParameterTuple>& parameters);

}  // namespace maas::bindings
