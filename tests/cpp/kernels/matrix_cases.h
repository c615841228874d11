// Matrices for the kernel tests: every layout a caller may pass, long double references, and a way to run a
// test body once for each SIMD target.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "maas/base/view.h"
#include "maas/kernels/target.h"

namespace maas::test {

// Deterministic values in [-1, 1) that no short formula repeats.
template <class T>
T value_at(uint64_t index, uint64_t seed) {
  uint64_t x = (index + 1) * 0x9E3779B97F4A7C15u ^ (seed * 0xD1B54A32D192ED03u);
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  x ^= x >> 32;
  return static_cast<T>(static_cast<double>(x >> 11) / static_cast<double>(uint64_t{1} << 52) - 1.0);
}

enum class Layout { kRows, kColumns, kStrided, kReversed, kUnaligned };
inline constexpr Layout kLayouts[] = {Layout::kRows, Layout::kColumns, Layout::kStrided, Layout::kReversed,
                                      Layout::kUnaligned};

// A matrix of value_at(i * cols + j, seed), laid out as asked; gaps hold NaN, so reading them shows.
template <class T>
class Matrix {
 public:
  Matrix(size_t rows, size_t cols, uint64_t seed, Layout layout = Layout::kRows) {
    const auto r = static_cast<ptrdiff_t>(rows), c = static_cast<ptrdiff_t>(cols);
    ptrdiff_t row_stride = c, col_stride = 1, origin = 0;
    switch (layout) {
      case Layout::kRows: break;
      case Layout::kUnaligned: break;
      case Layout::kColumns: row_stride = 1, col_stride = r; break;
      case Layout::kStrided: row_stride = 3 * c + 5, col_stride = 3; break;
      case Layout::kReversed: row_stride = -c, origin = (r - 1) * c; break;
    }
    const size_t size =
        rows * cols == 0 ? 1
                         : rows * static_cast<size_t>(std::abs(row_stride) + 1) * 3 + cols * 3 + rows * cols;
    memory_.assign((size + 1) * sizeof(T) + 1, '\xff');
    char* base = memory_.data() + (layout == Layout::kUnaligned ? 1 : 0);
    view_ = {reinterpret_cast<const T*>(base) + (rows * cols == 0 ? 0 : origin), rows, cols, row_stride,
             col_stride};
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) set(i, j, value_at<T>(i * cols + j, seed));
    }
  }
  void set(size_t i, size_t j, T value) {
    std::memcpy(const_cast<void*>(static_cast<const void*>(view_.at(i, j))), &value, sizeof(T));
  }
  MatrixView<T> view() const { return view_; }

 private:
  std::vector<char> memory_;
  MatrixView<T> view_;
};

// Memory that ends where the next page faults.
template <class T>
class GuardedArray {
 public:
  explicit GuardedArray(size_t size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = (size * sizeof(T) + page - 1) / page * page;
    length_ = bytes + page;
    base_ = static_cast<char*>(
        mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + bytes, page, PROT_NONE);
    data_ = reinterpret_cast<T*>(base_ + bytes) - size;
  }
  ~GuardedArray() { munmap(base_, length_); }
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;
  T* data() { return data_; }

 private:
  char* base_ = nullptr;
  size_t length_ = 0;
  T* data_ = nullptr;
};

struct Dot {
  long double value = 0;
  long double scale = 0;  // sum of |a·b|, what the rounding error is measured against
};

template <class T>
Dot reference_dot(MatrixView<T> a, MatrixView<T> b, size_t i, size_t j) {
  Dot dot;
  for (size_t k = 0; k < a.cols; ++k) {
    const long double term = static_cast<long double>(a(i, k)) * b(k, j);
    dot.value += term;
    dot.scale += std::abs(term);
  }
  return dot;
}

template <class T>
bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

template <class Fn>
void on_every_target(Fn fn) {
  for (const std::string& name : supported_targets()) {
    set_target(name);
    fn(name);
  }
  set_target("");
}

}  // namespace maas::test
