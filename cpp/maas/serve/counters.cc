#include "maas/serve/counters.h"

#include <functional>
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
  all = std::max(all, busy);  // times that are reckoned may overlap a little
  add(Part::kWait, all - busy);
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

uint64_t value(uint64_t number) { return number; }
uint64_t value(const Tally& number) { return number.read(); }
void add(uint64_t more, uint64_t& to) { to += more; }
void add(uint64_t more, Tally& to) { to.add(more); }
void set(uint64_t now, uint64_t& to) { to = now; }
void set(uint64_t now, Tally& to) { to.set(now); }

template <class N>
void add(const Spread<Tally>& from, Spread<N>& to) {
  for (size_t k = 0; k < kBuckets; ++k) add(from.counts[k].read(), to.counts[k]);
  add(from.sum.read(), to.sum);
}

template <class N>
void add(const ModelFigures<Tally>& from, ModelFigures<N>& to) {
  for (size_t p = 0; p < kProtocols; ++p) {
    const RequestFigures<Tally>& source = from.requests[p];
    RequestFigures<N>& target = to.requests[p];
    add(source.answered.read(), target.answered);
    add(source.rows.read(), target.rows);
    for (size_t c = 0; c < kCauses; ++c) add(source.errors[c].read(), target.errors[c]);
    add(source.failed_ns.read(), target.failed_ns);
    set(std::max(value(target.last), source.last.read()), target.last);
    for (size_t k = 0; k < kParts; ++k) add(source.times[k], target.times[k]);
  }
  add(from.runs.rows, to.runs.rows);
  add(from.runs.ns.read(), to.runs.ns);
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
  Live* found = find(model.name(), model.version());
  if (found == nullptr) {
    try {
      const std::lock_guard lock(mutex_);
      fold();
      found = &add(model.name(), model.version());
    } catch (const std::bad_alloc&) {
      return nowhere_;
    }
  }
  latest_ = found;
  latest_model_ = model.number();
  return *found;
}

Counters::Live* Counters::find(const std::string& model, const std::string& version) const {
  for (const auto& each : models_) {
    if (each->version == version && each->model == model && !each->retired.load(std::memory_order_relaxed))
      return each.get();
  }
  return nullptr;
}

Counters::Live& Counters::add(const std::string& model, const std::string& version) {
  auto added = std::make_unique<Live>();
  added->model = model;
  added->version = version;
  return *models_.emplace_back(std::move(added));
}

// Frees what is retired, on this thread, which alone may still count to it.
void Counters::fold() {
  latest_model_ = 0;
  for (size_t i = 0; i < models_.size(); ++i) {  // models may be added on the way
    const Live& each = *models_[i];
    if (!each.retired.load(std::memory_order_relaxed)) continue;
    Live* others = find(each.model, "");
    serve::add(each, others != nullptr ? *others : add(each.model, ""));
    models_.erase(models_.begin() + static_cast<ptrdiff_t>(i--));
  }
}

void Counters::retire(const std::string& model, const std::string& version) {
  const std::lock_guard lock(mutex_);
  if (Live* found = find(model, version)) found->retired.store(true, std::memory_order_relaxed);
}

void Counters::read(Figures& figures) const {
  const std::lock_guard lock(mutex_);
  serve::add(nowhere_, place_of("", "", figures));
  for (const auto& each : models_) {
    const bool retired = each->retired.load(std::memory_order_relaxed);
    serve::add(*each, place_of(each->model, retired ? "" : each->version, figures));
  }
  for (size_t p = 0; p < kProtocols; ++p) {
    figures.opened[p] += opened_[p].load(std::memory_order_relaxed);
    figures.closed[p] += closed_[p].load(std::memory_order_relaxed);
  }
  figures.waiting_requests += waiting_requests_.read();
  figures.waiting_rows += waiting_rows_.read();
}

void retire_old(const std::string& model, const ModelMap& served,
                const std::vector<std::shared_ptr<Counters>>& counters) {
  Figures figures;
  for (const auto& each : counters) each->read(figures);
  const auto entry = served.find(model);
  std::vector<std::pair<uint64_t, std::string>> gone;  // with the end of the latest request
  for (const auto& each : figures.models) {
    const bool is_served = entry != served.end() && entry->second.versions.contains(each.version);
    if (each.model == model && !each.version.empty() && !is_served)
      gone.emplace_back(std::max(each.requests[0].last, each.requests[1].last), each.version);
  }
  std::sort(gone.begin(), gone.end(), std::greater<>());
  for (size_t i = kGoneVersions; i < gone.size(); ++i) {
    for (const auto& each : counters) each->retire(model, gone[i].second);
  }
}

}  // namespace maas::serve
