// Requests to one model as one run: rows side by side in, each request's share of the rows out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/serve/call.h"
#include "maas/serve/counters.h"

namespace maas::serve {

// Whether it is too late to run a call.
wire::Status deadline_status(const Call& call, Clock::time_point now);

// Runs rows on a scratch into buffers of their own, which grow as needed; `places` gets where the outputs
// begin. False, with the reason in `status`, for a wrong row or no memory.
bool run_program(const Program& program, const InputArray* inputs, size_t rows, Scratch& scratch,
                 std::vector<AlignedBuffer<std::byte>>& outputs, std::vector<void*>& places,
                 wire::Status& status);

// Runs one row of zeros, so that no caller is the first to touch the weights. What the row says does not
// matter.
void warm(const ServedModel& model);

// One large call: run on any thread, told on its own, whose counters it gets.
class LargeRun {
 public:
  LargeRun(Call& call, Counters& counters) : call_(call), counters_(counters) {}
  void run();
  void tell();

 private:
  Call& call_;
  Counters& counters_;
  std::unique_ptr<Scratch> scratch_;  // texts of the answer may lie in it
  std::vector<AlignedBuffer<std::byte>> outputs_;
  std::vector<void*> places_;
};

// What one thread needs to run models. Keeps a scratch a model, and its buffers.
class BatchRunner {
 public:
  explicit BatchRunner(Counters& counters) : counters_(counters) {}

  // Runs calls of one model and tells each its answer. Several are run together only where all their bindings
  // are exact; where that run finds a wrong row, each is run alone, so that only the one that has it hears of
  // it.
  void run(std::span<Call* const> calls, Clock::time_point started = Clock::now());

  // Forgets scratches of models that are gone.
  void tidy();

 private:
  struct Kept {
    std::weak_ptr<const ServedModel> model;
    Scratch scratch;
  };

  Scratch& scratch_of(const ModelPointer& model);
  bool run_together(std::span<Call* const> calls, Clock::time_point started);
  void run_alone(Call& call, Clock::time_point started);
  void count(const InputArray* inputs, size_t rows, Call& first, Clock::time_point started);
  void tell(Call& call, size_t first_row);

  Counters& counters_;
  std::unordered_map<const ServedModel*, Kept> kept_;
  std::vector<AlignedBuffer<std::byte>> inputs_, outputs_;
  std::vector<InputArray> arrays_;
  std::vector<void*> places_;
  std::vector<wire::Tensor> tensors_;
};

}  // namespace maas::serve
