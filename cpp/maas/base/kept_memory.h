// Memory for what is kept and read again and again, such as packed weights. Blocks lie side by side in huge
// pages: scattered over small ones, a working set near the size of the second-level cache falls out of it
// (930 KB of weights were read at two thirds of the speed), and each load costs a look-up of its page.
#pragma once

#include <cstddef>
#include <utility>

namespace maas {

namespace detail {
struct KeptPage;
struct KeptBlock {
  void* data = nullptr;
  KeptPage* page = nullptr;  // null: a block of its own
};
KeptBlock take_kept(size_t bytes);  // on 64 bytes, uninitialised; throws std::bad_alloc
void give_back(const KeptBlock& block) noexcept;
}  // namespace detail

// Owned, movable. Whole vectors may be read past the last element. Any thread may make and destroy them.
template <class T>
class KeptBuffer {
 public:
  KeptBuffer() = default;
  explicit KeptBuffer(size_t size) : block_(detail::take_kept(size * sizeof(T))) {}
  ~KeptBuffer() { detail::give_back(block_); }
  KeptBuffer(KeptBuffer&& other) noexcept : block_(std::exchange(other.block_, {})) {}
  KeptBuffer& operator=(KeptBuffer&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }

  T* data() { return static_cast<T*>(block_.data); }
  const T* data() const { return static_cast<const T*>(block_.data); }

 private:
  detail::KeptBlock block_;
};

}  // namespace maas
