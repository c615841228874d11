// Large buffers of one thread's connections, from one request to the next: a connection that idles holds
// none.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace maas::serve {

struct Buffer {
  std::unique_ptr<char[]> bytes;
  size_t size = 0;
};

class BufferPool {
 public:
  // At least `size` bytes and at most twice as many, of any content. Throws std::bad_alloc.
  Buffer take(size_t size) {
    size_t best = kept_.size();
    for (size_t i = 0; i < kept_.size(); ++i) {
      const bool fits = kept_[i].size >= size && kept_[i].size / 2 <= size;
      if (fits && (best == kept_.size() || kept_[i].size < kept_[best].size)) best = i;
    }
    if (best == kept_.size()) return {std::make_unique_for_overwrite<char[]>(size), size};
    Buffer found = std::move(kept_[best]);
    kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(best));
    bytes_ -= found.size;
    return found;
  }

  // Keeps it, in place of those that were given longest ago.
  void give(Buffer buffer) {
    if (buffer.size > kMost) return;
    bytes_ += buffer.size;
    kept_.push_back(std::move(buffer));
    size_t first = 0;
    while (bytes_ > kMost) bytes_ -= kept_[first++].size;
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(first));
  }

  size_t bytes() const { return bytes_; }

  static constexpr size_t kMost = 2 << 20;  // of all that are kept

 private:
  std::vector<Buffer> kept_;
  size_t bytes_ = 0;
};

}  // namespace maas::serve
