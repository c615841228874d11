#include "model_role.h"

#include <algorithm>

#include "engine_call.h"
#include "maas/base/thread_pool.h"
#include "python_error.h"

namespace maas::bindings {

namespace {

// In Program::row_cost's units, about a tenth of a nanosecond each.
// Above, Program::run_rows decides whether threads are worth it.
constexpr size_t kReleaseGilAbove = 200'000;

size_t work(const Program& program, size_t rows) {
  size_t product = 0;
  return __builtin_mul_overflow(rows, program.row_cost(), &product) ? SIZE_MAX : product;
}

}  // namespace

Role::Role(const Graph& graph, std::vector<std::string> values, size_t text_width)
    : program_(compile(graph, {.outputs = std::move(values)})), scratches_(program_) {
  for (const Value& output : program_.outputs()) outputs_.emplace_back(output, text_width);
}

bool Role::run(const InputArray* inputs, size_t rows, void* const* outputs, Lease& lease) const {
  const size_t cost = work(program_, rows);
  RunResult result;
  if (cost <= kReleaseGilAbove) [[likely]] {
    lease.scratch = lease.pool.take();
    lease.scratch->reserve(program_, rows);
    result = program_.run(inputs, rows, outputs, *lease.scratch);  // sets the floating-point word itself
  } else {
    lease.team = lease.pool.take_team(static_cast<size_t>(num_threads()));
    const EngineCall call;
    result = program_.run_rows(inputs, rows, outputs, lease.team);
  }
  if (result) return true;
  set_python_error(ErrorCode::kInvalidArgument, program_.message(result));
  return false;
}

}  // namespace maas::bindings
