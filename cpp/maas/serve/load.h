// What all connections of a server hold together: how many they are, and the bytes in their buffers, of their
// requests' values and of their answers.
#pragma once

#include <atomic>
#include <cstddef>

namespace maas::serve {

// Shared by all loops.
struct Load {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> bytes{0};
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
    const size_t more = bytes - held_;
    if (load_.bytes.fetch_add(more, std::memory_order_relaxed) + more > limit_) {
      load_.bytes.fetch_sub(more, std::memory_order_relaxed);
      return false;
    }
    held_ = bytes;
    return true;
  }

  // So many bytes more; false likewise.
  bool take(size_t bytes) { return grow_to(held_ + bytes); }

  // Of what is there already, limit or not.
  void hold(size_t bytes) {
    if (bytes == held_) return;
    load_.bytes.fetch_add(bytes - held_, std::memory_order_relaxed);  // modulo 2^64, also where it is less
    held_ = bytes;
  }
  void hold_more(size_t bytes) { hold(held_ + bytes); }

 private:
  Load& load_;
  const size_t limit_;
  size_t held_ = 0;
};

}  // namespace maas::serve
