// What the server still waits for before it is ready: the models it was told to serve and does not have yet.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace maas::serve {

class Readiness {
 public:
  struct State {
    std::map<std::string, std::string, std::less<>>
        missing;       // names of models, and why each is not there yet
    std::string note;  // what an operator should know though all are there
  };

  // Used from any thread; rarely, so a lock is cheap enough.
  void set(State state) {
    auto next = std::make_shared<const State>(std::move(state));
    const std::lock_guard lock(mutex_);
    state_ = std::move(next);
  }

  std::shared_ptr<const State> state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_ = std::make_shared<const State>();
};

}  // namespace maas::serve
