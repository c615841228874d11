#include "maas/serve/worker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "maas/wire/http_reply.h"

namespace maas::serve {

Worker::Worker(const ServerOptions& server_options, const ModelTable& table, std::function<void()> schedule,
               std::function<bool(Call&)> run_elsewhere, AskControl ask, const Readiness* readiness,
               std::shared_ptr<Counters> shared_counters, const AccessRules* access_rules,
               DoElsewhere other_threads, Load* shared_load)
    : options(server_options),
      models(table),
      counters(std::move(shared_counters)),
      rules(access_rules),
      ask_control(std::move(ask)),
      do_elsewhere(std::move(other_threads)),
      load(shared_load == nullptr ? own_load_ : *shared_load),
      schedule_(std::move(schedule)),
      run_elsewhere_(std::move(run_elsewhere)),
      readiness_(readiness),
      runner_(*counters) {}

std::shared_ptr<const Readiness::State> Worker::readiness() const {
  return readiness_ == nullptr ? std::make_shared<const Readiness::State>() : readiness_->state();
}

void Worker::add(Call& call) {
  if (is_large(call)) {
    if (!run_elsewhere_(call)) refuse(call);
    return;
  }
  pending_.push_back(&call);
  pending_rows_ += call.binding.rows;
  counters->waits(pending_.size(), pending_rows_);
  if (pending_rows_ >= options.batch_rows && !running_) return flush();
  const uint64_t hurry = 2 * uint64_t{options.batch_wait_us};  // half of its time may go by before it runs
  const bool hurried = call.request.timeout_us > 0 && call.request.timeout_us < hurry;
  if (scheduled_ && (hurried_ || !hurried)) return;
  hurried_ = hurried_ || hurried;
  scheduled_ = true;
  schedule_();
}

bool Worker::is_large(const Call& call) const {
  const double tenths_of_ns =
      static_cast<double>(call.model->program().row_cost()) * static_cast<double>(call.binding.rows);
  return tenths_of_ns > 1e4 * static_cast<double>(options.large_us);
}

void Worker::refuse(Call& call) {
  call.status = {ErrorCode::kOverloaded, "too many rows wait for large batches: try again later"};
  call.answered({});
}

void Worker::flush() {
  scheduled_ = hurried_ = false;
  running_ = true;  // what answered connections ask meanwhile comes next
  std::vector<Call*> calls;
  calls.swap(pending_);
  pending_rows_ = 0;
  counters->waits(0, 0);
  Clock::time_point now = Clock::now();
  while (!calls.empty()) {
    const ServedModel* const model = calls.front()->model.get();
    batch_.clear();
    size_t kept = 0;
    for (Call* call : calls) {
      if (call->model.get() != model) {
        calls[kept++] = call;
      } else if (call->request.timeout_us > 0 && !(call->status = deadline_status(*call, now)).ok()) {
        call->answered({});
      } else {
        batch_.push_back(call);
      }
    }
    calls.resize(kept);
    if (!batch_.empty()) runner_.run(batch_, now);
    if (!calls.empty()) now = Clock::now();
  }
  running_ = false;
  if (pending_.empty()) pending_.swap(calls);  // its memory
  models.map();
  if (models.generation() != tidied_) {
    runner_.tidy();
    tidied_ = models.generation();
  }
}

const std::string& Worker::date() {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  if (second.count() != date_second_) {
    date_second_ = second.count();
    date_ = wire::http_date(date_second_);
  }
  return date_;
}

}  // namespace maas::serve
