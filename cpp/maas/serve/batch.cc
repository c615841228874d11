#include "maas/serve/batch.h"

#include <algorithm>
#include <cstring>

#include "maas/base/float_env.h"

namespace maas::serve {

namespace {

void make_room(AlignedBuffer<std::byte>& buffer, size_t bytes) {
  if (buffer.size() < bytes) buffer = AlignedBuffer<std::byte>(std::max(bytes, 2 * buffer.size()));
}

size_t bytes_of(const ValueType& type, size_t rows) {
  return item_size(type.dtype) * elements(type.shape) * (is_batched(type.shape) ? rows : 1);
}

// Rows of the outputs that the call wants.
void collect(const Call& call, const std::vector<void*>& places, size_t first_row,
             std::vector<wire::Tensor>& tensors) {
  tensors.resize(call.wanted.size());
  for (size_t k = 0; k < tensors.size(); ++k) {
    const size_t i = call.wanted[k];
    call.model->output(i, first_row, call.binding.rows, places[i], tensors[k]);
  }
}

}  // namespace

wire::Status deadline_status(const Call& call, Clock::time_point now) {
  if (call.request.timeout_us == 0 || now <= call.arrived) return {};  // `arrived` may be reckoned
  const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - call.arrived);
  if (static_cast<uint64_t>(waited.count()) <= call.request.timeout_us) return {};  // any uint64 may be asked
  return {ErrorCode::kDeadlineExceeded, "the deadline passed before the request could run"};
}

bool run_program(const Program& program, const InputArray* inputs, size_t rows, Scratch& scratch,
                 std::vector<AlignedBuffer<std::byte>>& outputs, std::vector<void*>& places,
                 wire::Status& status) try {
  const auto& values = program.outputs();
  if (outputs.size() < values.size()) outputs.resize(values.size());
  places.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    make_room(outputs[i], bytes_of(values[i].type, rows));
    places[i] = outputs[i].data();
  }
  scratch.reserve(program, rows);
  const FloatEnv float_env;
  const RunResult result = program.run(inputs, rows, places.data(), scratch);
  if (!result) status = wire::invalid(program.message(result));
  return static_cast<bool>(result);
} catch (const std::bad_alloc&) {
  status = {ErrorCode::kOverloaded, "no memory for so many rows"};
  return false;
}

void warm(const ServedModel& model) {
  const Program& program = model.program();
  std::vector<AlignedBuffer<std::byte>> rows, outputs;
  std::vector<InputArray> inputs;
  for (const Value& input : program.inputs()) {
    const size_t item = item_size(input.type.dtype), count = elements(input.type.shape);
    rows.emplace_back(item * count);
    std::fill_n(rows.back().data(), item * count, std::byte{0});  // also a text without letters
    InputArray array;
    array.dtype = input.type.dtype;
    array.data = rows.back().data();
    array.item_stride = static_cast<ptrdiff_t>(item);
    array.row_stride = static_cast<ptrdiff_t>(item * count);
    inputs.push_back(array);
  }
  Scratch scratch(program);
  std::vector<void*> places;
  wire::Status status;
  run_program(program, inputs.data(), 1, scratch, outputs, places, status);
}

void LargeRun::run() try {
  call_.started = call_.ran = Clock::now();
  call_.status = deadline_status(call_, Clock::now());
  if (!call_.status.ok()) return;
  scratch_ = std::make_unique<Scratch>(call_.model->program());
  const bool done = run_program(call_.model->program(), call_.binding.inputs.data(), call_.binding.rows,
                                *scratch_, outputs_, places_, call_.status);
  call_.ran = Clock::now();
  LiveProfile* live = call_.model->live_profile();
  if (done && live != nullptr) live->count(call_.binding.inputs.data(), places_, call_.binding.rows);
} catch (const std::bad_alloc&) {
  call_.status = {ErrorCode::kOverloaded, "no memory for so many rows"};
}

void LargeRun::tell() {
  call_.told = Clock::now();
  std::vector<wire::Tensor> tensors;
  if (call_.status.ok()) {
    counters_.ran(*call_.model, call_.binding.rows, call_.ran - call_.started);
    collect(call_, places_, 0, tensors);
  }
  call_.answered(tensors);
}

void BatchRunner::run(std::span<Call* const> calls, Clock::time_point started) {
  if (calls.size() > 1 && run_together(calls, started)) return;
  for (Call* call : calls) {
    run_alone(*call, started);
    if (calls.size() > 1) started = Clock::now();
  }
}

void BatchRunner::tidy() {
  std::erase_if(kept_, [](const auto& entry) { return entry.second.model.expired(); });
}

Scratch& BatchRunner::scratch_of(const ModelPointer& model) {
  const auto found = kept_.find(model.get());
  if (found != kept_.end() && !found->second.model.expired()) return found->second.scratch;
  if (found != kept_.end()) kept_.erase(found);  // another model lay there
  return kept_.emplace(model.get(), Kept{model, Scratch(model->program())}).first->second.scratch;
}

bool BatchRunner::run_together(std::span<Call* const> calls, Clock::time_point started) {
  size_t rows = 0;
  for (const Call* call : calls) {
    if (!call->binding.exact) return false;
    rows += call->binding.rows;
  }
  const ModelPointer model = calls[0]->model;  // a call lets go of its own when it is answered
  const auto& inputs = model->program().inputs();
  if (inputs_.size() < inputs.size()) inputs_.resize(inputs.size());
  arrays_ = calls[0]->binding.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const size_t row_bytes = bytes_of(inputs[i].type, 1);
    make_room(inputs_[i], row_bytes * rows);
    std::byte* place = inputs_[i].data();
    for (const Call* call : calls) {
      const size_t bytes = row_bytes * call->binding.rows;
      if (bytes > 0) std::memcpy(place, call->binding.inputs[i].data, bytes);
      place += bytes;
    }
    arrays_[i].data = inputs_[i].data();
  }
  wire::Status status;
  if (!run_program(model->program(), arrays_.data(), rows, scratch_of(model), outputs_, places_, status))
    return false;
  count(arrays_.data(), rows, *calls[0], started);
  const Clock::time_point ran = calls[0]->ran;
  // Texts lie in requests, which are gone when they are answered.
  size_t row = 0;
  for (Call* call : calls) {
    if (call != calls[0]) call->told = {};  // others are told, and their answers sent, before it
    call->started = started;
    call->ran = ran;
    const size_t first = row;
    row += call->binding.rows;
    tell(*call, first);  // may free the call, or begin its next request
  }
  return true;
}

void BatchRunner::run_alone(Call& call, Clock::time_point started) {
  call.told = {};
  if (!run_program(call.model->program(), call.binding.inputs.data(), call.binding.rows,
                   scratch_of(call.model), outputs_, places_, call.status)) {
    return call.answered({});
  }
  count(call.binding.inputs.data(), call.binding.rows, call, started);
  tell(call, 0);
}

// What the run's first call, which is told next, knows of it now, and the figures.
void BatchRunner::count(const InputArray* inputs, size_t rows, Call& first, Clock::time_point started) {
  first.started = started;
  first.ran = first.told = Clock::now();
  counters_.ran(*first.model, rows, first.ran - started);
  if (LiveProfile* live = first.model->live_profile()) {
    live->count(inputs, places_, rows);
    first.told = {};
  }
}

void BatchRunner::tell(Call& call, size_t first_row) {
  collect(call, places_, first_row, tensors_);
  call.answered(tensors_);
}

}  // namespace maas::serve
