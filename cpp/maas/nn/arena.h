// Memory of a network, which says what it was wanted for where there is not enough.
#pragma once

#include <new>
#include <string>
#include <utility>

#include "maas/base/aligned.h"

namespace maas {

class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

// Uninitialised. `purpose` completes "no memory for 12 MB of ...".
template <class T>
AlignedBuffer<T> allocate_arena(size_t values, const std::string& purpose) {
  try {
    return AlignedBuffer<T>(values);
  } catch (const std::bad_alloc&) {
    const size_t megabytes = values / ((size_t{1} << 20) / sizeof(T)) + 1;
    throw OutOfMemory("[Network] no memory for " + std::to_string(megabytes) + " MB of " + purpose);
  }
}

}  // namespace maas
