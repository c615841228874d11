// Sends one prepared request again and again and measures how long each answer takes. Client side; uses
// nothing of the server.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace maas::serve {

// How often each latency occurred, in buckets of at most 1/64 of their value, from 1 ns to 18 minutes.
class LatencyHistogram {
 public:
  LatencyHistogram() : counts_((kOctaves + 1) * kSteps) {}
  void add(uint64_t ns);
  // Pairs of a bucket's upper end in ns and its count, ascending, without empty ones.
  std::vector<std::pair<uint64_t, uint64_t>> buckets() const;

 private:
  static constexpr size_t kSteps = 64, kOctaves = 34;
  std::vector<uint64_t> counts_;
};

struct LoadOptions {
  std::string host = "127.0.0.1";
  int port = 0;
  bool raw = false;     // frames, whose ids are set here; else HTTP/1.1 whose answers say Content-Length
  std::string request;  // the whole bytes
  size_t connections = 1;
  size_t pipeline = 1;  // requests of a connection that wait for their answers at the same time
  double rate = 0;      // requests a second, whatever the server does; 0: the next as one is answered
  double seconds = 1;
  double warm_up = 0;   // seconds before them, which do not count
  double patience = 5;  // seconds after them for the answers that are still missing
};

struct LoadResult {
  LatencyHistogram latency;  // of answers, errors included; with a rate: from when the request was due
  std::map<int, uint64_t> statuses;      // answers by HTTP status, or by a frame's
  std::map<std::string, uint64_t> lost;  // requests without answer: "closed", "unanswered"
  uint64_t asked = 0;                    // requests that were due while it counted
  double seconds = 0;                    // from the first of these until the last answer
};

class LoadGenerator {
 public:
  explicit LoadGenerator(LoadOptions options);

  // Runs on this thread until done. Throws InvalidArgument where no connection can be made or what answers
  // does not speak the protocol.
  LoadResult run();
  // Ends run() soon, from any thread; what was measured until then counts.
  void stop() { stopped_ = true; }

 private:
  class Run;
  const LoadOptions options_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace maas::serve
