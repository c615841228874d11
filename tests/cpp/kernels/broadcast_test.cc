#include "maas/kernels/broadcast.h"

#include <gtest/gtest.h>

#include <vector>

#include "maas/kernels/compare.h"
#include "targets.h"

namespace maas {
namespace {

// How an operand may lie: like the result, in wider rows, one row, one value a row, one value.
enum Form { kFull, kApart, kOneRow, kOneColumn, kOne, kForms };

template <class T>
struct Values {
  Values(Form form, size_t rows, size_t cols, T first) {
    const size_t stride = form == kFull     ? cols
                          : form == kApart  ? cols + 3
                          : form == kOneRow ? 0
                          : form == kOne    ? 0
                                            : 1;
    single = form == kOneColumn || form == kOne;
    const size_t last = (rows - 1) * stride + (single ? 1 : cols);
    for (size_t i = 0; i < last; ++i) memory.push_back(first + static_cast<T>(i));
    row_stride = stride;
  }
  T at(size_t i, size_t j) const { return memory[i * row_stride + (single ? 0 : j)]; }
  Operand2d<T> operand(const test::GuardedBuffer<T>& copy) const { return {copy.data(), row_stride, single}; }

  std::vector<T> memory;
  size_t row_stride = 0;
  bool single = false;
};

TEST(Broadcast, EveryFormOfBothOperands) {
  for (const size_t cols : {1, 2, 3, 16, 17, 100, 511, 512, 513, 1500}) {
    for (const size_t rows : {1, 2, 3, 7, 200}) {
      for (int fx = 0; fx < kForms; ++fx) {
        for (int fy = 0; fy < kForms; ++fy) {
          const Values<float> x(static_cast<Form>(fx), rows, cols, 1),
              y(static_cast<Form>(fy), rows, cols, 5);
          const test::GuardedBuffer<float> gx(x.memory), gy(y.memory);
          test::GuardedBuffer<float> out(rows * cols);
          map2_rows(MapOp::kSubtract, rows, cols, x.operand(gx), y.operand(gy), out.data());
          for (size_t i = 0; i < rows; ++i) {
            for (size_t j = 0; j < cols; ++j) {
              ASSERT_EQ(out[i * cols + j], x.at(i, j) - y.at(i, j))
                  << rows << "x" << cols << " forms " << fx << " " << fy << " at " << i << " " << j;
            }
          }
        }
      }
    }
  }
}

TEST(Broadcast, EmptyShapesCallNothing) {
  const float x = 1;
  const auto fail = [](size_t, size_t, const float*) { FAIL(); };
  for_pieces(0, 5, fail, Operand2d<float>{&x, 5});
  for_pieces(5, 0, fail, Operand2d<float>{&x, 0});
}

// Three operands of different types.
TEST(Broadcast, Select) {
  const size_t rows = 40, cols = 9;
  std::vector<uint8_t> condition(cols);
  for (size_t j = 0; j < cols; ++j) condition[j] = j % 2;
  std::vector<double> x(rows), y(rows * cols), out(rows * cols);
  for (size_t i = 0; i < x.size(); ++i) x[i] = -1 - static_cast<double>(i);
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>(i);
  const auto select = find_select<double>();
  for_pieces(
      rows, cols,
      [&](size_t first, size_t n, const uint8_t* c, const double* a, const double* b) {
        select(n, c, a, b, out.data() + first);
      },
      Operand2d<uint8_t>{condition.data(), 0}, Operand2d<double>{x.data(), 1, true},
      Operand2d<double>{y.data(), cols});
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) EXPECT_EQ(out[i * cols + j], j % 2 != 0 ? x[i] : y[i * cols + j]);
  }
}

}  // namespace
}  // namespace maas
