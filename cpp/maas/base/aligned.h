// Owned memory on 64-byte boundaries, uninitialised unless asked. Size is rounded up so that whole vectors
// may be read and written past the last element.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace maas {

inline constexpr size_t kAlignment = 64;

// At least bytes + 1, rounded up to kAlignment; released by std::free. Throws std::bad_alloc. Large blocks
// ask for huge pages: the first touch of 16 MB otherwise costs 4096 page faults, about as long as sorting it.
void* allocate_aligned(size_t bytes);

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size > static_cast<size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    data_ = static_cast<T*>(allocate_aligned(size * sizeof(T)));
  }
  AlignedBuffer(size_t size, T value) : AlignedBuffer(size) { std::fill(data_, data_ + size, value); }
  ~AlignedBuffer() { std::free(data_); }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace maas
