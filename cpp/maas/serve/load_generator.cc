#include "maas/serve/load_generator.h"

#include <algorithm>
#include <bit>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20

#include "maas/base/error.h"
#include "maas/serve/answer_end.h"
#include "maas/wire/frame.h"

namespace maas::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Steady = std::chrono::steady_clock;
using Error = boost::system::error_code;

constexpr auto kSpin = std::chrono::microseconds(200);  // a sleep wakes up later than that now and then
constexpr auto kLook = std::chrono::milliseconds(20);   // between looks at stop() and the clock
constexpr size_t kIdAt = 8;                             // of a frame
constexpr size_t kRoom = 64 << 10;

}  // namespace

void LatencyHistogram::add(uint64_t ns) {
  // Values below kSteps are exact; above, six bits below the leading one say the step of its octave.
  const auto octave = static_cast<size_t>(std::max(0, static_cast<int>(std::bit_width(ns)) - 7));
  const size_t at = octave * kSteps + static_cast<size_t>(ns >> octave);
  ++counts_[std::min(at, counts_.size() - 1)];
}

std::vector<std::pair<uint64_t, uint64_t>> LatencyHistogram::buckets() const {
  std::vector<std::pair<uint64_t, uint64_t>> out;
  for (size_t at = 0; at < counts_.size(); ++at) {
    if (counts_[at] == 0) continue;
    const size_t octave = at < 2 * kSteps ? 0 : at / kSteps - 1;
    const uint64_t step = at - octave * kSteps;
    out.emplace_back(((step + 1) << octave) - 1, counts_[at]);
  }
  return out;
}

class LoadGenerator::Run {
 public:
  Run(const LoadOptions& options, const std::atomic<bool>& stopped) : options_(options), stopped_(stopped) {}
  LoadResult go();

 private:
  // A connection and what it asked: a slot a request that is under way.
  struct Link {
    explicit Link(asio::io_context& context) : socket(context) {}
    tcp::socket socket;
    std::vector<Steady::time_point> due;  // by slot
    std::vector<bool> busy;
    std::deque<size_t> order;  // HTTP answers in the order of the requests
    std::vector<size_t> free;
    std::string out, sending;
    std::vector<char> in = std::vector<char>(kRoom);
    size_t begin = 0, end = 0;
    bool writing = false, open = false;
    uint64_t life = 0;  // connections before this one; what they still report is dropped
  };

  void connect(Link& link);
  void ask(Link& link, Steady::time_point due);
  void send(Link& link);
  void receive(Link& link);
  bool take_answers(Link& link);
  void answered(Link& link, size_t slot, int status);
  void lose(Link& link);
  void hand_out(Steady::time_point now);
  void wait(Steady::time_point now);
  size_t under_way() const;
  // Requests of the whole run, at a given rate.
  uint64_t all() const {
    return static_cast<uint64_t>(options_.rate * (options_.warm_up + options_.seconds));
  }

  const LoadOptions& options_;
  const std::atomic<bool>& stopped_;
  asio::io_context context_{1};
  std::vector<std::unique_ptr<Link>> links_;
  std::deque<Link*> idle_;  // with a free slot, at a given rate
  LoadResult result_;
  Steady::time_point count_from_, until_, last_;
  uint64_t handed_ = 0;  // at a given rate
  Steady::time_point first_;
};

void LoadGenerator::Run::connect(Link& link) {
  Error error;
  tcp::resolver resolver(context_);
  const auto found = resolver.resolve(options_.host, std::to_string(options_.port), error);
  if (!error) asio::connect(link.socket, found, error);
  if (error)
    throw_invalid("bench", "expected a server at " + options_.host + ":" + std::to_string(options_.port));
  link.socket.set_option(tcp::no_delay(true), error);
  link.socket.non_blocking(true, error);
  link.open = true;
  link.writing = false;
  ++link.life;
  link.begin = link.end = 0;
  link.out.clear();
  link.order.clear();
  link.free.clear();
  link.due.resize(options_.pipeline);
  link.busy.assign(options_.pipeline, false);
  for (size_t slot = options_.pipeline; slot-- > 0;) link.free.push_back(slot);
}

LoadResult LoadGenerator::Run::go() {
  for (size_t i = 0; i < options_.connections; ++i) {
    links_.push_back(std::make_unique<Link>(context_));
    connect(*links_.back());
  }
  const auto span = [](double seconds) {
    return std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds));
  };
  first_ = Steady::now();
  count_from_ = last_ = first_ + span(options_.warm_up);
  until_ = count_from_ + span(options_.seconds);
  for (const auto& link : links_) {
    if (options_.rate > 0) {
      for (size_t i = 0; i < options_.pipeline; ++i) idle_.push_back(link.get());
    } else {
      for (size_t i = 0; i < options_.pipeline; ++i) ask(*link, first_);
      send(*link);
    }
    receive(*link);
  }
  const auto end = until_ + span(options_.patience);
  for (auto now = first_; now < end; now = Steady::now()) {
    if (options_.rate > 0) hand_out(now);
    if (stopped_ || (now >= until_ && under_way() == 0 && (options_.rate <= 0 || handed_ == all()))) break;
    wait(now);
  }
  if (options_.rate > 0 && !stopped_) {  // those that found no free connection until the very end
    result_.asked += all() - handed_;
    result_.lost["unanswered"] += all() - handed_;
  }
  for (const auto& link : links_) {
    for (size_t slot = 0; slot < options_.pipeline; ++slot) {
      if (link->busy[slot] && link->due[slot] >= count_from_ && !stopped_) ++result_.lost["unanswered"];
    }
  }
  result_.seconds = std::chrono::duration<double>(last_ - count_from_).count();
  return std::move(result_);
}

size_t LoadGenerator::Run::under_way() const {
  size_t count = 0;
  for (const auto& link : links_) count += options_.pipeline - link->free.size();
  return count;
}

// What is due by now goes to the connections that have room; the rest keeps its time and goes as soon as one
// has.
void LoadGenerator::Run::hand_out(Steady::time_point now) {
  std::vector<Link*> touched;
  while (!idle_.empty() && handed_ < all()) {
    const auto after = std::chrono::duration<double>(static_cast<double>(handed_) / options_.rate);
    const auto due = first_ + std::chrono::duration_cast<Steady::duration>(after);
    if (due > now) break;
    Link& link = *idle_.front();
    idle_.pop_front();
    if (!link.open || link.free.empty()) continue;
    ++handed_;
    ask(link, due);
    touched.push_back(&link);
  }
  for (Link* link : touched) send(*link);
}

void LoadGenerator::Run::wait(Steady::time_point now) {
  if (options_.rate <= 0) {
    context_.run_for(kLook);
    return;
  }
  const auto after = std::chrono::duration<double>(static_cast<double>(handed_) / options_.rate);
  const auto due = first_ + std::chrono::duration_cast<Steady::duration>(after);
  if (!idle_.empty() && due - now > kSpin) {
    context_.run_one_until(std::min(due - kSpin, now + kLook));
  } else if (idle_.empty()) {
    context_.run_one_for(kLook);
  }
  context_.poll();
}

void LoadGenerator::Run::ask(Link& link, Steady::time_point due) {
  const size_t slot = link.free.back();
  link.free.pop_back();
  link.due[slot] = due;
  link.busy[slot] = true;
  if (due >= count_from_) ++result_.asked;
  const size_t at = link.out.size();
  link.out += options_.request;
  if (options_.raw) {
    const uint64_t id = slot;
    std::memcpy(link.out.data() + at + kIdAt, &id, sizeof(id));
  } else {
    link.order.push_back(slot);
  }
}

void LoadGenerator::Run::send(Link& link) {
  if (link.writing || link.out.empty() || !link.open) return;
  Error error;
  size_t sent = link.socket.write_some(asio::buffer(link.out), error);
  if (error && error != asio::error::would_block) return;  // reading finds out
  if (error) sent = 0;
  if (sent == link.out.size()) return link.out.clear();
  link.writing = true;
  link.sending = link.out.substr(sent);
  link.out.clear();
  asio::async_write(link.socket, asio::buffer(link.sending),
                    [this, &link, life = link.life](Error failed, size_t) {
                      if (life != link.life) return;
                      link.writing = false;
                      if (!failed) send(link);
                    });
}

void LoadGenerator::Run::receive(Link& link) {
  if (link.begin == link.end) link.begin = link.end = 0;
  if (link.in.size() - link.end < kRoom / 2) {
    std::memmove(link.in.data(), link.in.data() + link.begin, link.end - link.begin);
    link.end -= link.begin;
    link.begin = 0;
    if (link.in.size() - link.end < kRoom / 2) link.in.resize(2 * link.in.size());
  }
  link.socket.async_read_some(asio::buffer(link.in.data() + link.end, link.in.size() - link.end),
                              [this, &link](Error error, size_t count) {
                                if (error) return lose(link);
                                link.end += count;
                                if (!take_answers(link)) return lose(link);
                                send(link);
                                receive(link);
                              });
}

// False where the server is done with the connection.
bool LoadGenerator::Run::take_answers(Link& link) {
  while (link.begin < link.end) {
    const std::string_view bytes(link.in.data() + link.begin, link.end - link.begin);
    const AnswerEnd found = options_.raw ? end_of_frame(bytes) : end_of_http(bytes);
    if (found.size == 0) return true;
    if (options_.raw) {
      if (found.id >= options_.pipeline || !link.busy[found.id]) return false;
      answered(link, found.id, found.status);
    } else {
      if (link.order.empty()) return false;
      const size_t slot = link.order.front();
      link.order.pop_front();
      answered(link, slot, found.status);
    }
    link.begin += found.size;
    if (found.closes) return false;
  }
  return true;
}

void LoadGenerator::Run::answered(Link& link, size_t slot, int status) {
  const auto now = Steady::now();
  const auto due = link.due[slot];
  link.busy[slot] = false;
  link.free.push_back(slot);
  if (due >= count_from_) {
    last_ = now;
    result_.latency.add(static_cast<uint64_t>(std::chrono::nanoseconds(now - due).count()));
    ++result_.statuses[status];
  }
  if (options_.rate > 0) {
    idle_.push_back(&link);
  } else if (now < until_ && !stopped_) {
    ask(link, now);
  }
}

// What was under way has no answer; a new connection takes the place.
void LoadGenerator::Run::lose(Link& link) {
  if (!link.open) return;
  link.open = false;
  Error ignored;
  link.socket.close(ignored);
  for (size_t slot = 0; slot < options_.pipeline; ++slot) {
    if (link.busy[slot] && link.due[slot] >= count_from_) ++result_.lost["closed"];
  }
  link.free.clear();
  const auto now = Steady::now();
  if (now >= until_ || stopped_) {
    for (size_t slot = 0; slot < options_.pipeline; ++slot) link.free.push_back(slot);
    link.busy.assign(options_.pipeline, false);
    return;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a server that refuses is not stormed
  link.socket = tcp::socket(context_);
  connect(link);
  for (size_t i = 0; i < options_.pipeline; ++i) {
    if (options_.rate > 0) {
      idle_.push_back(&link);
    } else {
      ask(link, now);
    }
  }
  send(link);
  receive(link);
}

LoadGenerator::LoadGenerator(LoadOptions options) : options_(std::move(options)) {
  if (options_.connections < 1 || options_.pipeline < 1)
    throw_invalid("bench", "expected at least one connection and one request at a time");
  if (!(options_.seconds > 0) || !(options_.rate >= 0) || !(options_.warm_up >= 0) ||
      !(options_.patience >= 0))
    throw_invalid("bench", "expected times and a rate of at least 0");
  if (options_.raw && options_.request.size() < wire::kFrameHead)
    throw_invalid("bench", "expected a whole frame");
}

LoadResult LoadGenerator::run() { return Run(options_, stopped_).go(); }

}  // namespace maas::serve
