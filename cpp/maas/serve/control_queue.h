// Requests for the control plane on their way there and back. Knows nothing of who answers them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace maas::serve {

using FieldList = std::vector<std::pair<std::string, std::string>>;  // names and values of header fields

struct ControlRequest {
  uint64_t id = 0;  // the queue gives it
  std::string method, target;
  FieldList fields;
  std::string body;  // expanded where it came compressed
};

struct ControlReply {
  int status = 500;
  FieldList fields;
  std::string body;
};

// Used from any thread. Bounded: what is read but not answered counts.
class ControlQueue {
 public:
  // Called once, by the thread that answers; short.
  using Answer = std::function<void(ControlReply)>;

  // Room for no request: there is no control plane.
  ControlQueue(size_t requests, size_t bytes) : requests_(requests), bytes_(bytes) {}

  bool exists() const { return requests_ > 0; }

  // False where it is full or closed.
  bool ask(ControlRequest request, Answer answer);

  // The oldest request that nobody has taken; waits for one. nullopt once the queue is closed.
  std::optional<ControlRequest> next();

  // False where nobody waits for it: answered before, or the queue is closed.
  bool answer(uint64_t id, ControlReply reply);

  // Requests without an answer.
  size_t size();

  // Forgets everything. No Answer runs when it has returned, nor later.
  void close();

 private:
  struct Open {
    Answer answer;
    size_t bytes;
  };

  const size_t requests_, bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ControlRequest> waiting_;
  std::unordered_map<uint64_t, Open> open_;
  size_t held_ = 0;  // bytes of open_
  uint64_t last_id_ = 0;
  bool closed_ = false;
};

// A reply's Content-Type; "application/json" where it names none.
std::string content_type(const ControlReply& reply);

// A reply's other fields as lines of a head. Without those that the data plane writes itself, and without any
// that would break the head.
std::string field_lines(const ControlReply& reply);

}  // namespace maas::serve
