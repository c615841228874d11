// One line of JSON a request, written by a thread of its own. What cannot be written in time is dropped and
// counted; no thread of the server waits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace maas::serve {

// Of a request for a model: nothing that a client sent but its number of rows.
struct AccessRecord {
  std::array<char, 96> model{};  // cut where longer; "" for one that there is not
  std::array<char, 32> version{};
  const char* protocol = "";
  const char* cause = nullptr;  // of an error; nullptr: answered
  std::chrono::system_clock::time_point time;
  uint64_t rows = 0, all_ns = 0, decode_ns = 0, run_ns = 0, encode_ns = 0;
};

// One thread adds, one takes.
class AccessRing {
 public:
  explicit AccessRing(double sample) : sample_(sample), records_(kRecords) {}

  // Whether the next request is one of the sample.
  bool chosen() noexcept {
    due_ += sample_;
    if (due_ < 1) return false;
    due_ -= 1;
    return true;
  }
  void add(const AccessRecord& record) noexcept;
  bool take(AccessRecord& record) noexcept;
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kRecords = 4096;

  const double sample_;
  double due_ = 0;
  std::vector<AccessRecord> records_;
  std::atomic<size_t> added_{0}, taken_{0};
  std::atomic<uint64_t> dropped_{0};
};

class AccessLog {
 public:
  // `path`: "-" for standard output. `sample`: share of requests, 0 to 1. Throws InvalidArgument for a file
  // that cannot be written and for another share.
  AccessLog(const std::string& path, double sample);
  ~AccessLog();

  // A thread's own, before start().
  std::shared_ptr<AccessRing> make_ring();
  void start();
  // Writes what has come, and ends.
  void stop();
  uint64_t dropped() const;

 private:
  void run();
  void write_all();

  const double sample_;
  int file_ = -1;
  bool closes_ = false;
  std::vector<std::shared_ptr<AccessRing>> rings_;
  std::atomic<uint64_t> unwritten_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace maas::serve
