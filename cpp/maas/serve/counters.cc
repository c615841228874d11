#include "maas/serve/counters.h"

#include <new>
#include <tuple>

namespace maas::serve {

namespace {

uint64_t ns(Clock::duration time) {
  const auto count = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  return count > 0 ? static_cast<uint64_t>(count) : 0;
}

void count(Spread<Tally>& spread, uint64_t value, uint64_t unit) {
  spread.counts[bucket_of(value, unit)].add(1);
  spread.sum.add(value);
}

void count_times(const Call& call, uint64_t all, Clock::time_point now, RequestFigures<Tally>& figures) {
  const uint64_t decode = ns(call.added - call.arrived), run = ns(call.ran - call.started);
  const uint64_t encode = ns(now - call.told), busy = decode + run + encode;
  const auto add = [&](Part part, uint64_t time) {
    count(figures.times[static_cast<size_t>(part)], time, kMicrosecond);
  };
  add(Part::kWait, all > busy ? all - busy : 0);
  add(Part::kDecode, decode);
  add(Part::kRun, run);
  add(Part::kEncode, encode);
  add(Part::kAll, all);
}

// Cut between characters of UTF-8.
template <size_t N>
void copy_text(const std::string& from, std::array<char, N>& to) {
  size_t size = std::min(from.size(), N - 1);
  while (size > 0 && size < from.size() && (from[size] & 0xC0) == 0x80) --size;
  from.copy(to.data(), size);
}

void read_spread(const Spread<Tally>& from, Spread<uint64_t>& to) {
  for (size_t k = 0; k < kBuckets; ++k) to.counts[k] += from.counts[k].read();
  to.sum += from.sum.read();
}

void read_model(const ModelFigures<Tally>& from, ModelFigures<uint64_t>& to) {
  for (size_t p = 0; p < kProtocols; ++p) {
    const RequestFigures<Tally>& source = from.requests[p];
    RequestFigures<uint64_t>& target = to.requests[p];
    target.answered += source.answered.read();
    target.rows += source.rows.read();
    for (size_t c = 0; c < kCauses; ++c) target.errors[c] += source.errors[c].read();
    target.failed_ns += source.failed_ns.read();
    target.last = std::max(target.last, source.last.read());
    for (size_t k = 0; k < kParts; ++k) read_spread(source.times[k], target.times[k]);
  }
  read_spread(from.runs.rows, to.runs.rows);
  to.runs.ns += from.runs.ns.read();
}

}  // namespace

ModelFigures<uint64_t>& place_of(const std::string& model, const std::string& version, Figures& figures) {
  std::vector<ModelFigures<uint64_t>>& all = figures.models;
  const auto wanted = std::tie(model, version);
  const auto place = std::lower_bound(all.begin(), all.end(), wanted, [](const auto& each, const auto& key) {
    return std::tie(each.model, each.version) < key;
  });
  if (place != all.end() && std::tie(place->model, place->version) == wanted) return *place;
  return *all.insert(place, ModelFigures<uint64_t>{model, version, {}, {}});
}

void Counters::finished(const Call& call, Protocol protocol, Clock::time_point now) noexcept {
  if (log_ != nullptr && (call.model != nullptr || !call.status.ok()) && log_->chosen())
    log(call, protocol, now);
  if (call.model == nullptr) return call.status.ok() ? other(protocol) : other(protocol, call.status.code());
  RequestFigures<Tally>& figures = of(*call.model).requests[index(protocol)];
  const uint64_t all = ns(now - call.arrived);
  figures.last.set(ns(now.time_since_epoch()));
  if (!call.status.ok()) {
    figures.errors[static_cast<size_t>(call.status.code())].add(1);
    figures.failed_ns.add(all);
    return;
  }
  figures.answered.add(1);
  figures.rows.add(call.binding.rows);
  count_times(call, all, now, figures);
}

void Counters::log(const Call& call, Protocol protocol, Clock::time_point now) noexcept {
  AccessRecord record;
  if (call.model != nullptr) {
    copy_text(call.model->name(), record.model);
    copy_text(call.model->version(), record.version);
  }
  record.protocol = protocol == Protocol::kHttp ? "http" : "raw";
  record.time = std::chrono::system_clock::now();
  if (call.arrived != Clock::time_point{}) record.all_ns = ns(now - call.arrived);
  if (!call.status.ok()) {
    record.cause = kCauseNames[static_cast<size_t>(call.status.code())];
  } else {
    record.rows = call.binding.rows;
    record.decode_ns = ns(call.added - call.arrived);
    record.run_ns = ns(call.ran - call.started);
    record.encode_ns = ns(now - call.told);
  }
  log_->add(record);
}

void Counters::ran(const ServedModel& model, size_t rows, Clock::duration took) noexcept {
  RunFigures<Tally>& runs = of(model).runs;
  count(runs.rows, rows, 1);
  runs.ns.add(ns(took));
}

Counters::Live& Counters::of(const ServedModel& model) {
  if (latest_model_ == model.number()) return *latest_;
  const auto is_it = [&](const Live& live) {
    return live.model == model.name() && live.version == model.version();
  };
  const auto found = std::find_if(models_.begin(), models_.end(), is_it);
  if (found != models_.end()) {
    latest_ = &*found;
    latest_model_ = model.number();
    return *latest_;
  }
  try {
    const std::lock_guard lock(mutex_);
    Live& added = models_.emplace_back();
    latest_ = &added;
    latest_model_ = model.number();
    added.model = model.name();
    added.version = model.version();
    return added;
  } catch (const std::bad_alloc&) {
    return nowhere_;
  }
}

void Counters::read(Figures& figures) const {
  const std::lock_guard lock(mutex_);
  read_model(nowhere_, place_of("", "", figures));
  for (const Live& live : models_) read_model(live, place_of(live.model, live.version, figures));
  for (size_t p = 0; p < kProtocols; ++p) {
    figures.opened[p] += opened_[p].load(std::memory_order_relaxed);
    figures.closed[p] += closed_[p].load(std::memory_order_relaxed);
  }
  figures.waiting_requests += waiting_requests_.read();
  figures.waiting_rows += waiting_rows_.read();
}

}  // namespace maas::serve
