#include "maas/kernels/panel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/kernels/target.h"

namespace maas {
namespace {

enum class Layout { kRows, kColumns, kStrided, kReversed };

// A matrix in one of the layouts, its first element `offset` bytes off alignment.
template <class T>
struct Matrix {
  Matrix(size_t rows, size_t cols, Layout layout, size_t offset)
      : bytes((rows * cols * 3 + 1) * sizeof(T) + offset) {
    T* base = reinterpret_cast<T*>(bytes.data() + offset);
    const auto r = static_cast<ptrdiff_t>(rows), c = static_cast<ptrdiff_t>(cols);
    view = {base, rows, cols, c, 1};
    if (layout == Layout::kColumns) view = {base, rows, cols, 1, r};
    if (layout == Layout::kStrided) view = {base, rows, cols, 3 * c, 3};
    if (layout == Layout::kReversed) view = {base + (rows ? (rows - 1) * cols : 0), rows, cols, -c, 1};
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < cols; ++j)
        set(i, j, static_cast<T>(0.1) * static_cast<T>(i) - static_cast<T>(j));
  }
  void set(size_t i, size_t j, T value) { std::memcpy(const_cast<T*>(view.at(i, j)), &value, sizeof(T)); }
  std::vector<unsigned char> bytes;
  MatrixView<T> view;
};

template <class T, class Out>
void check(size_t rows, size_t cols, Layout layout, size_t offset, bool shifted) {
  Matrix<T> m(rows + 1, cols, layout, offset);  // one row before the panel
  const size_t ld = panel_ld(rows) + kPanelPad;
  std::vector<Out> shift(cols), panel(ld * cols + 1, Out{-7});
  for (size_t j = 0; j < cols; ++j) shift[j] = static_cast<Out>(j) / 3;
  ASSERT_TRUE(pack_panel(m.view, 1, rows, shifted ? shift.data() : nullptr, panel.data(), ld));
  for (size_t j = 0; j < cols; ++j) {
    for (size_t i = 0; i < ld; ++i) {
      const Out want = i < rows ? static_cast<Out>(m.view(i + 1, j)) - (shifted ? shift[j] : Out{0}) : Out{0};
      ASSERT_EQ(panel[j * ld + i], want) << rows << "x" << cols << " at " << i << "," << j;
    }
  }
  EXPECT_EQ(panel[ld * cols], Out{-7});
}

template <class T, class Out>
void check_all() {
  for (const auto& target : supported_targets()) {
    set_target(target);
    for (const size_t rows : {0, 1, 3, 4, 8, 15, 16, 17, 33, 70}) {
      for (const size_t cols : {1, 2, 3, 4, 5, 7, 8, 20, 33}) {
        for (const auto layout : {Layout::kRows, Layout::kColumns, Layout::kStrided, Layout::kReversed}) {
          for (const size_t offset : {0, 1, 4}) {
            check<T, Out>(rows, cols, layout, offset, false);
            check<T, Out>(rows, cols, layout, offset, true);
          }
        }
      }
    }
  }
  set_target("");
}

TEST(Panel, Float32) { check_all<float, float>(); }
TEST(Panel, Float64) { check_all<double, double>(); }
TEST(Panel, Float32ToFloat64) { check_all<float, double>(); }

TEST(Panel, ReportsEveryValueThatIsNotFinite) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto& target : supported_targets()) {
    set_target(target);
    for (const auto layout : {Layout::kRows, Layout::kColumns, Layout::kStrided}) {
      for (const double bad : {std::nan(""), inf, -inf}) {
        for (size_t i = 0; i < 19; ++i) {
          for (size_t j = 0; j < 5; ++j) {
            Matrix<double> m(19, 5, layout, 0);
            m.set(i, j, bad);
            std::vector<double> panel(5 * panel_ld(19));
            ASSERT_FALSE(pack_panel(m.view, 0, 19, nullptr, panel.data(), panel_ld(19)));
          }
        }
      }
    }
    Matrix<double> big(19, 5, Layout::kRows, 0);
    big.set(3, 3, std::numeric_limits<double>::max());
    big.set(4, 3, std::numeric_limits<double>::denorm_min());
    std::vector<double> panel(5 * panel_ld(19));
    EXPECT_TRUE(pack_panel(big.view, 0, 19, nullptr, panel.data(), panel_ld(19)));
  }
  set_target("");
}

}  // namespace
}  // namespace maas
