#include "maas/nn/parameter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/kernels/packed_matrix.h"

namespace maas {
namespace {

template <class T>
class Parameters : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Parameters, Types);

template <class T>
std::vector<T> numbers(size_t n) {
  std::vector<T> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(i + 1);
  return values;
}

TYPED_TEST(Parameters, LieAsPackedMatrixHasThem) {
  using T = TypeParam;
  for (const size_t rows : {1, 3, 64, 65, 130}) {
    for (const size_t cols : {1, 2, 15, 16, 17, 32, 63, 64, 65, 200}) {
      const std::vector<T> plain = numbers<T>(rows * cols);
      ParameterSpec spec;
      spec.shape = {static_cast<int64_t>(rows), static_cast<int64_t>(cols)};
      spec.layout = Layout::kPacked;
      const size_t size = stored_values<T>(spec);
      AlignedBuffer<T> stored(size, T{-1});
      store_parameter(spec, plain.data(), stored.data());
      const PackedMatrix<T> packed(MatrixView<T>{plain.data(), rows, cols, static_cast<ptrdiff_t>(cols), 1});
      ASSERT_EQ(std::memcmp(stored.data(), packed.data(), size * sizeof(T)), 0) << rows << "x" << cols;
      EXPECT_EQ(static_cast<size_t>(std::count(stored.begin(), stored.end(), T{0})), size - rows * cols);
      std::vector<T> back(rows * cols, T{-1});
      load_parameter(spec, stored.data(), back.data());
      ASSERT_EQ(back, plain);
    }
  }
}

// Leaving padded_rows' padding out leaves out zeros alone, and all that is worth it.
TYPED_TEST(Parameters, PaddedRowsHoldEveryValue) {
  using T = TypeParam;
  for (const size_t rows : {1, 3, 32, 64, 65, 130}) {
    for (const size_t cols : {1, 2, 10, 15, 16, 17, 32, 63, 64, 65, 100, 200}) {
      const std::vector<T> plain = numbers<T>(rows * cols);
      ParameterSpec spec;
      spec.shape = {static_cast<int64_t>(rows), static_cast<int64_t>(cols)};
      spec.layout = Layout::kPacked;
      AlignedBuffer<T> stored(stored_values<T>(spec));
      store_parameter(spec, plain.data(), stored.data());
      const PaddedRows padded = padded_rows<T>(spec);
      size_t held = 0, kept = 0;
      for (size_t i = 0; i < stored.size(); ++i) {
        const bool left_out =
            padded.stride > 0 && i >= padded.begin && (i - padded.begin) % padded.stride >= padded.used;
        held += stored[i] != T{0} && !left_out;
        kept += !left_out;
      }
      EXPECT_EQ(held, rows * cols) << rows << "x" << cols;
      EXPECT_EQ(padded.used * sizeof(T) % 64, 0u);
      if (padded.stride > 0) {
        EXPECT_EQ((stored.size() - padded.begin) % padded.stride, 0u);
      }
      if (cols == 32 && sizeof(T) == 4 && rows >= 32) {
        EXPECT_EQ(kept, rows * cols);
      }
    }
  }
}

TYPED_TEST(Parameters, TransposedOnesLieAsTheMatrixItself) {
  using T = TypeParam;
  for (const int64_t cols : {3, 70}) {
    const int64_t rows = 5;
    const std::vector<T> plain = numbers<T>(static_cast<size_t>(rows * cols));
    std::vector<T> turned(plain.size());
    for (int64_t k = 0; k < rows; ++k) {
      for (int64_t j = 0; j < cols; ++j) {
        turned[static_cast<size_t>(j * rows + k)] = plain[static_cast<size_t>(k * cols + j)];
      }
    }
    ParameterSpec spec, other;
    spec.layout = other.layout = Layout::kPacked;
    spec.shape = {rows, cols};
    other.shape = {cols, rows};
    other.transposed = true;
    const size_t size = stored_values<T>(spec);
    ASSERT_EQ(stored_values<T>(other), size);
    AlignedBuffer<T> a(size), b(size);
    store_parameter(spec, plain.data(), a.data());
    store_parameter(other, turned.data(), b.data());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), size * sizeof(T)), 0);
    std::vector<T> back(plain.size());
    load_parameter(other, b.data(), back.data());
    EXPECT_EQ(back, turned);
  }
}

TYPED_TEST(Parameters, PlainOnesEndInZeros) {
  using T = TypeParam;
  ParameterSpec spec;
  for (const int64_t size : {1, 3, 64, 65}) {
    spec.shape = {size};
    const std::vector<T> plain = numbers<T>(static_cast<size_t>(size));
    AlignedBuffer<T> stored(stored_values<T>(spec), T{-1});
    EXPECT_EQ(stored.size() * sizeof(T) % 256, 0U);
    store_parameter(spec, plain.data(), stored.data());
    EXPECT_TRUE(std::equal(plain.begin(), plain.end(), stored.begin()));
    EXPECT_TRUE(std::all_of(stored.begin() + size, stored.end(), [](T value) { return value == 0; }));
    std::vector<T> back(plain.size());
    load_parameter(spec, stored.data(), back.data());
    EXPECT_EQ(back, plain);
  }
}

}  // namespace
}  // namespace maas
