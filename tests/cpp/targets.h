// Helpers of the kernel tests: run under every SIMD target, measure error in ULP, compare bits, and hold an
// array against an unreadable page.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "maas/kernels/target.h"

namespace maas::test {

// Runs fn() once under each target this CPU has, best first, and restores the best; failures name the target.
template <class Fn>
void for_each_target(Fn&& fn) {
  for (const std::string& name : supported_targets()) {
    SCOPED_TRACE("target " + name);
    set_target(name);
    fn();
  }
  set_target("");
}

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <class T>
BitsOf<T> bits(T value) {
  return std::bit_cast<BitsOf<T>>(value);
}

// Runs fn() -> std::vector<T> under every target and expects the same bits from all that have FMA.
template <class Fn>
void expect_same_bits_on_fma_targets(Fn&& fn) {
  decltype(fn()) reference;
  for_each_target([&] {
    if (!target_has_fma()) return;
    const auto result = fn();
    if (reference.empty()) reference = result;
    ASSERT_EQ(result.size(), reference.size());
    for (size_t i = 0; i < result.size(); ++i) {
      ASSERT_EQ(bits(result[i]), bits(reference[i]))
          << "at " << i << ": " << result[i] << " " << reference[i];
    }
  });
}

// Distance of `got` from the exact value in units of the last place of T at `exact`. 0 when both are NaN or
// both are the same infinity, infinite when only one is.
template <class T>
double ulp_error(T got, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : HUGE_VAL;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : HUGE_VAL;
  int exponent = 0;
  std::frexp(exact, &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  const long double ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / ulp);
}

// `size` elements that end at an unreadable page: reading or writing one past the end is a crash. The start
// is therefore not aligned to more than the element.
template <class T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(size_t size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t body = (size * sizeof(T) + page - 1) / page * page;
    bytes_ = body + page;
    base_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    char* end = static_cast<char*>(base_) + body;
    if (mprotect(end, page, PROT_NONE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(end) - size;
  }
  explicit GuardedBuffer(const std::vector<T>& values) : GuardedBuffer(values.size()) {
    std::copy(values.begin(), values.end(), data_);
  }
  ~GuardedBuffer() { munmap(base_, bytes_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }

 private:
  void* base_ = nullptr;
  size_t bytes_ = 0;
  T* data_ = nullptr;
};

// Two widest vectors (512 bits) and one: the lengths at which a tail can go wrong.
template <class T>
constexpr size_t kTailLengths = 2 * 64 / sizeof(T) + 1;

}  // namespace maas::test
