// Rows of every number type and layout against one value at a time.
#include "maas/nn/row_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "../targets.h"
#include "maas/base/aligned.h"
#include "maas/base/thread_pool.h"

namespace maas {
namespace {
using test::bits;
using test::GuardedBuffer;

constexpr size_t kRows = 37;

template <class From>
From made(size_t i) {
  const double x = static_cast<double>(i * 2654435761u % 20011) - 10005;
  if constexpr (std::is_same_v<From, bool>) return i % 3 == 1;
  return static_cast<From>(std::is_floating_point_v<From> ? x / 7 : x * 1001);
}

// Where value (i, j) of a table lies, in values; the layouts arrays come in.
struct Layout2D {
  const char* name;
  ptrdiff_t start, row, item;
  size_t values;
};
std::vector<Layout2D> layouts(size_t cols) {
  const auto r = static_cast<ptrdiff_t>(kRows), c = static_cast<ptrdiff_t>(cols);
  const size_t all = kRows * cols;
  return {{"C", 0, c, 1, all},
          {"F", 0, 1, r, all},
          {"every other column", 0, 2 * c, 2, 2 * all},
          {"rows backward", (r - 1) * c, -c, 1, all},
          {"columns backward", c - 1, c, -1, all},
          {"rows apart", 0, c + 3, 1, kRows * (cols + 3)},
          {"one row for all", 0, 0, 1, cols}};
}

template <class From>
struct Table {
  Table(const Layout2D& at, size_t cols) : layout(at), bytes(at.values * sizeof(From) + 1) {
    // One byte past alignment, and its last value at an unreadable page.
    for (size_t k = 0; k < at.values; ++k) {
      const From v = made<From>(k);
      std::memcpy(bytes.data() + 1 + k * sizeof(From), &v, sizeof(From));
    }
    const auto size = static_cast<ptrdiff_t>(sizeof(From));
    source = {bytes.data() + 1 + at.start * size, dtype_of<From>, kRows, cols, at.row * size, at.item * size};
  }
  From operator()(size_t i, size_t j) const {
    return made<From>(static_cast<size_t>(layout.start + static_cast<ptrdiff_t>(i) * layout.row +
                                          static_cast<ptrdiff_t>(j) * layout.item));
  }
  Layout2D layout;
  GuardedBuffer<char> bytes;
  RowSource source;
};

template <class From, class To>
void expect_rows(size_t cols) {
  for (const Layout2D& layout : layouts(cols)) {
    SCOPED_TRACE(layout.name);
    const Table<From> table(layout, cols);
    const std::vector<uint32_t> order = {36, 0, 5, 5, 12, 1, 35};
    for (const uint32_t* rows : {order.data(), static_cast<const uint32_t*>(nullptr)}) {
      const size_t n = order.size();
      AlignedBuffer<To> out(n * row_stride<To>(cols), To(-1));
      take_rows(table.source, rows, 9, BatchMatrix<To>{out.data(), n, cols});
      std::vector<int64_t> indices(n * cols + 1, -7);
      take_indices(table.source, rows, 9, n, indices.data());
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < cols; ++j) {
          const From expected = table(rows == nullptr ? 9 + i : order[i], j);
          ASSERT_EQ(bits(out[i * row_stride<To>(cols) + j]), bits(static_cast<To>(expected)))
              << i << " " << j;
          ASSERT_EQ(indices[i * cols + j], static_cast<int64_t>(expected));
        }
      }
      ASSERT_EQ(indices.back(), -7);
    }
  }
}

template <class To>
class RowSourceTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(RowSourceTest, Types);

TYPED_TEST(RowSourceTest, TakesRowsOfAnyTypeAndLayout) {
  for (const size_t cols : {1, 3, 4, 16, 17, 130, 300}) {
    SCOPED_TRACE(cols);
    expect_rows<float, TypeParam>(cols);
    expect_rows<double, TypeParam>(cols);
    expect_rows<int64_t, TypeParam>(cols);
    expect_rows<int32_t, TypeParam>(cols);
    expect_rows<bool, TypeParam>(cols);
  }
}

TYPED_TEST(RowSourceTest, TakesBigBatchesOnAnyNumberOfThreads) {
  constexpr size_t kMany = 5000, kCols = 40;
  std::vector<double> x(kMany * kCols);
  for (size_t i = 0; i < x.size(); ++i) x[i] = made<double>(i);
  std::vector<uint32_t> order(kMany);
  for (size_t i = 0; i < kMany; ++i) order[i] = static_cast<uint32_t>(i * 2011 % kMany);
  const ptrdiff_t row = kCols * sizeof(double);
  const RowSource source{x.data(), DType::kFloat64, kMany, kCols, row, sizeof(double)};
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    AlignedBuffer<TypeParam> out(kMany * row_stride<TypeParam>(kCols));
    const BatchMatrix<TypeParam> batch{out.data(), kMany, kCols};
    take_rows(source, order.data(), 0, batch);
    for (size_t i = 0; i < kMany; ++i) {
      for (size_t j = 0; j < kCols; ++j) {
        ASSERT_EQ(batch.row(i)[j], static_cast<TypeParam>(x[order[i] * kCols + j]));
      }
    }
  }
  set_num_threads(1);
}

TEST(RowSource, TakesNothing) {
  take_rows(RowSource{}, nullptr, 0, BatchMatrix<float>{});
  take_indices(RowSource{}, nullptr, 0, 0, nullptr);
}

}  // namespace
}  // namespace maas
