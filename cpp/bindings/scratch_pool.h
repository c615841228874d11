// The workspaces of one Program that wait for their next run.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "maas/program/program.h"

namespace maas::bindings {

// Safe from any thread. A lone caller pays two atomic exchanges; the lock is for callers that meet.
class ScratchPool {
 public:
  explicit ScratchPool(const Program& program) : program_(program) {}
  ~ScratchPool() { delete hot_.load(); }
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;

  std::unique_ptr<Scratch> take() {
    if (Scratch* hot = hot_.exchange(nullptr, std::memory_order_acquire))
      return std::unique_ptr<Scratch>(hot);
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto scratch = std::move(idle_.back());
        idle_.pop_back();
        return scratch;
      }
    }
    return std::make_unique<Scratch>(program_);
  }

  void give(std::unique_ptr<Scratch> scratch) {
    Scratch* none = nullptr;
    if (hot_.compare_exchange_strong(none, scratch.get(), std::memory_order_release)) {
      static_cast<void>(scratch.release());
      return;
    }
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  // For Program::run_rows: as many as `threads`.
  std::vector<Scratch> take_team(size_t threads) {
    std::vector<Scratch> team;
    {
      const std::lock_guard lock(mutex_);
      team.swap(team_);
    }
    while (team.size() > threads) team.pop_back();
    team.reserve(threads);
    while (team.size() < threads) team.emplace_back(program_);
    return team;
  }

  void give_team(std::vector<Scratch> team) {
    const std::lock_guard lock(mutex_);
    team_.swap(team);
  }

 private:
  const Program& program_;
  std::atomic<Scratch*> hot_{nullptr};
  std::mutex mutex_;  // never held while waiting for the GIL
  std::vector<std::unique_ptr<Scratch>> idle_;
  std::vector<Scratch> team_;
};

}  // namespace maas::bindings
