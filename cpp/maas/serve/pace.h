// Times between pieces of like work that follow each other. Most are reckoned: a reading of the clock takes
// 25 ns, a good part of what a small request takes in all.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace maas::serve {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  // The first piece begins.
  void start(Clock::time_point now) {
    at_ = read_ = now;
    reckoned_ = 0;
    next_ = 1;
  }

  // The end of the latest piece.
  Clock::time_point at() const { return at_; }

  // A piece ends: the first one, and each eighth of many, by the clock; others took as long as those before.
  Clock::time_point step() {
    if (++reckoned_ < next_) return at_ += each_;
    const Clock::time_point now = Clock::now();
    each_ = (now - read_) / reckoned_;
    read_ = now;
    reckoned_ = 0;
    next_ = kReckoned;
    return at_ = std::max(at_, now);
  }

 private:
  static constexpr uint32_t kReckoned = 8;

  Clock::time_point at_, read_;
  Clock::duration each_{0};
  uint32_t reckoned_ = 0, next_ = 1;
};

}  // namespace maas::serve
