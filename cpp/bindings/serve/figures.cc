#include "figures.h"

#include <pybind11/numpy.h>

#include <array>

namespace py = pybind11;

namespace maas::bindings {

namespace {

using serve::Clock;
using serve::kBuckets;
using serve::kParts;
using serve::kProtocols;
using serve::ModelFigures;
using serve::RequestFigures;

constexpr std::array<const char*, kProtocols> kProtocolNames = {"http", "raw"};
constexpr std::array<const char*, kParts> kPartNames = {"wait", "decode", "run", "encode", "all"};

py::dict spread(const serve::Spread<uint64_t>& from) {
  py::dict to;
  to["counts"] = py::array_t<uint64_t>(kBuckets, from.counts.data());
  to["sum"] = from.sum;
  return to;
}

// `epoch_ms`: of Clock's zero, since 1970.
py::dict requests(const RequestFigures<uint64_t>& from, int64_t epoch_ms) {
  py::dict errors, times, to;
  for (size_t c = 0; c < serve::kCauses; ++c) errors[serve::kCauseNames[c]] = from.errors[c];
  for (size_t k = 0; k < kParts; ++k) times[kPartNames[k]] = spread(from.times[k]);
  to["answered"] = from.answered;
  to["rows"] = from.rows;
  to["errors"] = errors;
  to["failed_ns"] = from.failed_ns;
  to["last_ms"] = from.last == 0 ? 0 : epoch_ms + static_cast<int64_t>(from.last / 1000000);
  to["times_ns"] = times;
  return to;
}

int64_t epoch_ms() {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return (duration_cast<milliseconds>(wall) - duration_cast<milliseconds>(Clock::now().time_since_epoch()))
      .count();
}

}  // namespace

py::dict as_dict(const serve::Figures& figures) {
  const int64_t epoch = epoch_ms();
  py::list models;
  for (const ModelFigures<uint64_t>& each : figures.models) {
    py::dict model;
    model["model"] = each.model;
    model["version"] = each.version;
    for (size_t p = 0; p < kProtocols; ++p) model[kProtocolNames[p]] = requests(each.requests[p], epoch);
    model["run_rows"] = spread(each.runs.rows);
    model["run_ns"] = each.runs.ns;
    models.append(model);
  }
  py::dict opened, closed, to;
  for (size_t p = 0; p < kProtocols; ++p) {
    opened[kProtocolNames[p]] = figures.opened[p];
    closed[kProtocolNames[p]] = figures.closed[p];
  }
  to["models"] = models;
  to["opened"] = opened;
  to["closed"] = closed;
  to["waiting_requests"] = figures.waiting_requests;
  to["waiting_rows"] = figures.waiting_rows;
  to["large_rows"] = figures.large_rows;
  to["log_dropped"] = figures.log_dropped;
  to["control_requests"] = figures.control_requests;
  return to;
}

}  // namespace maas::bindings
