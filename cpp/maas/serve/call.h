// One question to a model on its way: decoded, waiting to run, answered.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "maas/serve/model_table.h"
#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::serve {

using Clock = std::chrono::steady_clock;

// Belongs to its conversation, which is told through answered() on its own thread.
class Call {
 public:
  virtual ~Call() = default;

  // `outputs` in the order of `wanted` hold until it returns; empty where status() is not ok. `told` is set
  // where the time is known without reading the clock, else it is 0.
  virtual void answered(std::span<const wire::Tensor> outputs) = 0;

  ModelPointer model;
  wire::Request request;
  Binding binding;
  std::vector<size_t> wanted;            // outputs of the program
  Clock::time_point arrived, added;      // whole here; decoded and waiting to run
  Clock::time_point started, ran, told;  // its run began and ended; its answer began to be made
  wire::Status status;

  void clear() {
    model.reset();
    request.clear();
    arrived = {};
    status = {};
  }
};

}  // namespace maas::serve
