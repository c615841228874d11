#include "maas/kernels/gram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "maas/base/aligned.h"
#include "maas/kernels/panel.h"
#include "maas/kernels/target.h"

namespace maas {
namespace {

double value(size_t i, size_t j) {
  return std::sin(1.0 + 0.7 * static_cast<double>(i) + 1.3 * static_cast<double>(j));
}

template <class T>
AlignedBuffer<T> make_panel(size_t rows, size_t cols, size_t first) {
  const size_t ld = panel_ld(rows);
  AlignedBuffer<T> panel(ld * cols, T{0});
  for (size_t j = 0; j < cols; ++j) {
    for (size_t i = 0; i < rows; ++i) panel[j * ld + i] = static_cast<T>(value(i, first + j));
  }
  return panel;
}

template <class T>
std::vector<double> gram(const AlignedBuffer<T>& a, size_t a_cols, const AlignedBuffer<T>& b, size_t b_cols,
                         size_t rows, const T* h) {
  AlignedBuffer<double> acc(gram_accumulator_size(a_cols, b_cols), 0.0);
  gram_panel(a.data(), a_cols, b.data(), b_cols, panel_ld(rows), panel_ld(rows), h, acc.data());
  std::vector<double> out(a_cols * b_cols, 0.0);
  gram_finish(acc.data(), a_cols, b_cols, a.data() == b.data(), out.data(), b_cols);
  return out;
}

template <class T>
void check(size_t rows, size_t a_cols, size_t b_cols, bool symmetric, bool weighted) {
  const auto a = make_panel<T>(rows, a_cols, 0);
  const auto other = make_panel<T>(rows, b_cols, 100);
  const auto& b = symmetric ? a : other;
  const auto h = make_panel<T>(rows, 1, 50);
  const size_t ld = panel_ld(rows);
  std::vector<double> with_fma;
  for (const auto& name : supported_targets()) {
    set_target(name);
    const auto out = gram(a, a_cols, b, b_cols, rows, weighted ? h.data() : nullptr);
    for (size_t i = 0; i < a_cols; ++i) {
      for (size_t j = 0; j < b_cols; ++j) {
        long double truth = 0, size = 0;
        for (size_t r = 0; r < rows; ++r) {
          const long double term = static_cast<long double>(a.data()[i * ld + r]) * b.data()[j * ld + r] *
                                   (weighted ? h.data()[r] : T{1});
          truth += term;
          size += std::fabs(term);
        }
        const double unit = std::is_same_v<T, float> ? 6e-8 : 1.2e-16;
        ASSERT_NEAR(out[i * b_cols + j], static_cast<double>(truth), 12 * unit * static_cast<double>(size))
            << name << " rows " << rows << " pair " << i << "," << j;
      }
    }
    if (!target_has_fma()) continue;
    if (with_fma.empty()) with_fma = out;
    ASSERT_EQ(out, with_fma) << name;
  }
  set_target("");
}

TEST(Gram, MatchesLongDoubleOnEveryTargetWithTheSameBits) {
  for (const size_t rows : {1, 7, 8, 15, 16, 17, 31, 33, 300}) {
    for (const size_t cols : {1, 2, 3, 4, 5, 9}) {
      for (const bool weighted : {false, true}) {
        check<double>(rows, cols, cols, true, weighted);
        check<float>(rows, cols, cols, true, weighted);
        check<double>(rows, cols, 11 - cols, false, weighted);
        check<float>(rows, cols, 11 - cols, false, weighted);
      }
    }
  }
}

TEST(Gram, AccumulatesOverPanels) {
  const auto a = make_panel<double>(32, 3, 0);
  AlignedBuffer<double> acc(gram_accumulator_size(3, 3), 0.0);
  gram_panel(a.data(), 3, a.data(), 3, 32, 16, nullptr, acc.data());
  gram_panel(a.data() + 16, 3, a.data() + 16, 3, 32, 16, nullptr, acc.data());
  std::vector<double> out(9, 0.0);
  gram_finish(acc.data(), 3, 3, true, out.data(), 3);
  EXPECT_EQ(out, gram<double>(a, 3, a, 3, 32, nullptr));
}

}  // namespace
}  // namespace maas
