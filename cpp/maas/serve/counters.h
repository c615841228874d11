// What a thread of the server has done, in figures that others read while it goes on.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/serve/access_log.h"
#include "maas/serve/call.h"

namespace maas::serve {

enum class Protocol : uint8_t { kHttp, kRaw };
inline constexpr size_t kProtocols = 2;
inline constexpr size_t kGoneVersions = 8;  // of a model, that keep figures of their own
inline constexpr size_t kCauses = static_cast<size_t>(ErrorCode::kInternal) + 1;

inline constexpr std::array<const char*, kCauses> kCauseNames = {
    "InvalidArgument",  "FormatError", "NotFound",         "Unsupported",
    "PermissionDenied", "Overloaded",  "DeadlineExceeded", "Internal"};

// Where the time of an answered request goes. kWait is what is left of kAll.
enum class Part : uint8_t { kWait, kDecode, kRun, kEncode, kAll };
inline constexpr size_t kParts = 5;

// Bucket k holds what is at most 2^k units, and more than bucket k - 1 does; the last one the rest.
inline constexpr size_t kBuckets = 26;
inline constexpr uint64_t kMicrosecond = 1000;  // the unit of times, which are in ns

constexpr size_t bucket_of(uint64_t value, uint64_t unit) {
  const uint64_t whole = value == 0 ? 0 : (value - 1) / unit;
  return std::min<size_t>(static_cast<size_t>(std::bit_width(whole)), kBuckets - 1);
}

// A number that one thread changes and any thread reads; costs what a plain one costs.
class Tally {
 public:
  void add(uint64_t more) noexcept { set(read() + more); }
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// N: Tally where it is counted, uint64_t where it was read.
template <class N>
struct Spread {
  std::array<N, kBuckets> counts{};
  N sum{};
};

// Of one model, version and protocol. Requests that never reached a model have none.
template <class N>
struct RequestFigures {
  N answered{}, rows{};
  std::array<N, kCauses> errors{};
  N failed_ns{};                          // what they took that were not answered
  N last{};                               // when the latest ended, in ns of Clock
  std::array<Spread<N>, kParts> times{};  // of those that were answered, ns
};

// Of one model and version: a run may be for requests of both protocols.
template <class N>
struct RunFigures {
  Spread<N> rows;
  N ns{};
};

template <class N>
struct ModelFigures {
  std::string model, version;
  std::array<RequestFigures<N>, kProtocols> requests{};
  RunFigures<N> runs{};
};

// Of all threads together.
struct Figures {
  std::vector<ModelFigures<uint64_t>> models;  // by name, then version
  std::array<uint64_t, kProtocols> opened{}, closed{};
  uint64_t waiting_requests = 0, waiting_rows = 0;  // for the next run
  uint64_t large_rows = 0;                          // at the compute threads
  uint64_t control_requests = 0;                    // at the control plane
  uint64_t log_dropped = 0;                         // lines of the access log
};

// The figures of one, which are 0 where there were none.
ModelFigures<uint64_t>& place_of(const std::string& model, const std::string& version, Figures& figures);

// Changed by its own thread, but for connections; read by any.
class Counters {
 public:
  // The call is over: answered, or refused with its status. A call that no model took is counted by its
  // `cause` alone.
  void finished(const Call& call, Protocol protocol, Clock::time_point now) noexcept;
  // A request for something else than a model's answer; `cause` where it was refused.
  void other(Protocol protocol) noexcept { nowhere_.requests[index(protocol)].answered.add(1); }
  void other(Protocol protocol, ErrorCode cause) noexcept {
    nowhere_.requests[index(protocol)].errors[static_cast<size_t>(cause)].add(1);
  }

  void ran(const ServedModel& model, size_t rows, Clock::duration took) noexcept;
  void waits(size_t requests, size_t rows) noexcept {
    waiting_requests_.set(requests);
    waiting_rows_.set(rows);
  }

  // Where calls are told of; before the first.
  void log_to(std::shared_ptr<AccessRing> log) { log_ = std::move(log); }

  // From any thread.
  void opened(Protocol protocol) noexcept {
    opened_[index(protocol)].fetch_add(1, std::memory_order_relaxed);
  }
  void closed(Protocol protocol) noexcept {
    closed_[index(protocol)].fetch_add(1, std::memory_order_relaxed);
  }
  // Adds what is counted here.
  void read(Figures& figures) const;
  // Of a version that is served no more: its figures count from now on to version "" of its model, here and
  // wherever they are read.
  void retire(const std::string& model, const std::string& version);

 private:
  struct Live : ModelFigures<Tally> {
    std::atomic<bool> retired{false};  // to be added to version "" and freed
  };
  static size_t index(Protocol protocol) { return static_cast<size_t>(protocol); }
  Live& of(const ServedModel& model);
  Live* find(const std::string& model, const std::string& version) const;
  Live& add(const std::string& model, const std::string& version);
  void fold();
  void log(const Call& call, Protocol protocol, Clock::time_point now) noexcept;

  Live nowhere_;
  mutable std::mutex mutex_;  // taken to read, and to add or free a version
  std::vector<std::unique_ptr<Live>> models_;
  Live* latest_ = nullptr;
  uint64_t latest_model_ = 0;  // its number
  std::shared_ptr<AccessRing> log_;
  Tally waiting_requests_, waiting_rows_;
  std::array<std::atomic<uint64_t>, kProtocols> opened_{}, closed_{};
};

// Of the versions of a model that are not served any more only the few that were asked last keep figures of
// their own.
void retire_old(const std::string& model, const ModelMap& served,
                const std::vector<std::shared_ptr<Counters>>& counters);

}  // namespace maas::serve
