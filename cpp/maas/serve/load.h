// What all connections of a server hold together: how many they are, and the bytes in their buffers, of their
// requests' values and of their answers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace maas::serve {

// Shared by all loops.
struct Load {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> bytes{0};
  std::atomic<size_t> most_bytes{0};  // since an Ebb looked

  // False, and as before, where that would pass the limit.
  bool add(size_t more, size_t limit) {
    const size_t now = bytes.fetch_add(more, std::memory_order_relaxed) + more;
    if (now > limit) {
      remove(more);
      return false;
    }
    size_t most = most_bytes.load(std::memory_order_relaxed);
    while (now > most && !most_bytes.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
    return true;
  }
  void remove(size_t less) { bytes.fetch_sub(less, std::memory_order_relaxed); }
};

// Tells when so much less is held than before that what the allocator keeps of it is worth giving back.
class Ebb {
 public:
  bool seen(Load& load) {
    const size_t now = load.bytes.load(), connections = kConnection * load.connections.load();
    most_ = std::max(most_, connections + std::max(now, load.most_bytes.exchange(now)));
    if (connections + now > most_ / 4 || most_ < kWorth) return false;
    most_ = connections + now;
    return true;
  }

  static constexpr size_t kConnection = 8 << 10;  // bytes, roughly
  static constexpr size_t kWorth = 8 << 20;

 private:
  size_t most_ = 0;
};

// One holder's part of the bytes; given back when it goes.
class Share {
 public:
  Share(Load& load, size_t limit) : load_(load), limit_(limit) {}
  ~Share() { hold(0); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // False where all together would pass the limit: then nothing changes.
  bool grow_to(size_t bytes) {
    if (bytes <= held_) return true;
    if (!load_.add(bytes - held_, limit_)) return false;
    held_ = bytes;
    return true;
  }
  // So many bytes more; false likewise.
  bool take(size_t bytes) { return grow_to(held_ + bytes); }

  // Of what is there already, limit or not.
  void hold(size_t bytes) {
    if (bytes > held_) load_.add(bytes - held_, static_cast<size_t>(-1));
    if (bytes < held_) load_.remove(held_ - bytes);
    held_ = bytes;
  }
  void hold_more(size_t bytes) { hold(held_ + bytes); }

 private:
  Load& load_;
  const size_t limit_;
  size_t held_ = 0;
};

}  // namespace maas::serve
