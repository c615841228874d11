// What one thread of the server works with: its models, its decoder, the calls of this wake-up.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "maas/serve/batch.h"
#include "maas/serve/call.h"
#include "maas/serve/control_queue.h"
#include "maas/serve/counters.h"
#include "maas/serve/load.h"
#include "maas/serve/model_table.h"
#include "maas/serve/options.h"
#include "maas/serve/readiness.h"
#include "maas/serve/tokens.h"
#include "maas/wire/infer_decoder.h"

namespace maas::serve {

// Used by its own thread alone.
class Worker {
 public:
  using AskControl = std::function<bool(ControlRequest, ControlQueue::Answer)>;
  using Job = std::function<void()>;
  using DoElsewhere = std::function<void(Job work, Job then)>;

  // `schedule`: calls flush() on this thread after everything that is ready now has been read, or patience()
  // later; called again where that has become shorter.
  // `run_elsewhere`: takes a call to the compute threads and brings it back to this one, answered; false
  // where too many rows wait there already.
  // `ask_control`: hands a request to the control plane and brings the reply to this thread; false where it
  // cannot. Empty where there is none.
  // `do_elsewhere`: does `work`, which must not throw, on the compute threads, then `then` on this one. Empty
  // where there are none.
  // `load`: of the server; nullptr: of this worker alone.
  Worker(const ServerOptions& options, const ModelTable& models, std::function<void()> schedule,
         std::function<bool(Call&)> run_elsewhere, AskControl ask_control = {},
         const Readiness* readiness = nullptr,
         std::shared_ptr<Counters> counters = std::make_shared<Counters>(),
         const AccessRules* rules = nullptr, DoElsewhere do_elsewhere = {}, Load* load = nullptr);

  const ServerOptions& options;
  ModelReader models;
  wire::InferDecoder decoder;
  const std::shared_ptr<Counters> counters;  // also of conversations that outlive this

  const AccessRules* const rules;  // nullptr: nobody needs a token

  // Of its HTTP conversations while they wait for requests.
  std::vector<std::unique_ptr<Call>> spare_calls;

  // Takes a bound call with its times `arrived` and `added`: it is answered within this wake-up, or later
  // where it is large.
  void add(Call& call);
  // Runs what was added, the calls of one model together.
  void flush();
  // How long what was added may wait for others: options.batch_wait_us, unless a deadline is near.
  std::chrono::microseconds patience() const {
    return std::chrono::microseconds(hurried_ ? 0 : options.batch_wait_us);
  }

  const AskControl ask_control;
  const DoElsewhere do_elsewhere;
  // What the server still waits for; nullptr where it waits for nothing, ever.
  std::shared_ptr<const Readiness::State> readiness() const;

  // Of every call when its answer is made.
  void finished(const Call& call, Protocol protocol) { counters->finished(call, protocol, Clock::now()); }

  // For answers' heads; made anew once a second.
  const std::string& date();

  Load& load;

 private:
  bool is_large(const Call& call) const;
  void refuse(Call& call);

  Load own_load_;
  std::function<void()> schedule_;
  std::function<bool(Call&)> run_elsewhere_;
  const Readiness* readiness_;
  BatchRunner runner_;
  std::vector<Call*> pending_, batch_;
  size_t pending_rows_ = 0;
  bool scheduled_ = false, running_ = false, hurried_ = false;
  uint64_t tidied_ = 0;
  int64_t date_second_ = -1;
  std::string date_;
};

}  // namespace maas::serve
