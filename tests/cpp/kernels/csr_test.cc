#include "maas/kernels/csr.h"

#include <cmath>

#include "maas/base/random.h"
#include "maas/base/thread_pool.h"
#include "targets.h"

namespace maas {
namespace {

// Row i has i % 23 nonzeros in no order: all tails of the unrolled loop, and empty rows.
template <class T>
CsrMatrix<T> ragged(size_t rows, size_t cols) {
  CsrMatrix<T> m;
  m.rows = rows;
  m.cols = cols;
  m.starts.push_back(0);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < i % 23; ++k) {
      m.columns.push_back(static_cast<int32_t>((i * 7 + k * 13) % cols));
      m.values.push_back(static_cast<T>(std::sin(static_cast<double>(i * 31 + k))));
    }
    m.starts.push_back(static_cast<int64_t>(m.values.size()));
  }
  return m;
}

template <class T>
std::vector<T> weights(size_t size) {
  std::vector<T> w(size);
  for (size_t i = 0; i < size; ++i) w[i] = static_cast<T>(std::cos(static_cast<double>(i)) * 3);
  return w;
}

template <class T>
class Csr : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Csr, Types);

TYPED_TEST(Csr, ScoresAreTheSumsOfProducts) {
  using T = TypeParam;
  const CsrMatrix<T> m = ragged<T>(101, 97);
  for (const size_t outputs : {size_t{1}, size_t{3}}) {
    const std::vector<T> w = weights<T>(outputs * m.cols), bias = weights<T>(outputs);
    std::vector<T> scores(m.rows * outputs);
    csr_scores(m.view(), w.data(), outputs, bias.data(), scores.data());
    for (size_t i = 0; i < m.rows; ++i) {
      for (size_t o = 0; o < outputs; ++o) {
        long double exact = bias[o], size = 1;
        for (auto k = static_cast<size_t>(m.starts[i]); k < static_cast<size_t>(m.starts[i + 1]); ++k) {
          const auto term =
              static_cast<long double>(m.values[k]) * w[o * m.cols + static_cast<size_t>(m.columns[k])];
          exact += term;
          size += std::fabs(term);
        }
        const auto error = std::fabs(static_cast<long double>(scores[i * outputs + o]) - exact);
        EXPECT_LE(error, size * std::numeric_limits<T>::epsilon()) << i << " " << o;
      }
    }
  }
}

TYPED_TEST(Csr, BitsDependOnTheRowAlone) {
  using T = TypeParam;
  const CsrMatrix<T> m = ragged<T>(5000, 300);
  const std::vector<T> w = weights<T>(2 * m.cols), bias = weights<T>(2);
  const auto all = [&] {
    std::vector<T> scores(m.rows * 2);
    csr_scores(m.view(), w.data(), 2, bias.data(), scores.data());
    return scores;
  };
  const std::vector<T> reference = all();
  test::for_each_target([&] { EXPECT_EQ(all(), reference); });
  const int before = num_threads();
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    EXPECT_EQ(all(), reference);
  }
  set_num_threads(before);
  for (const size_t i : {size_t{0}, size_t{22}, size_t{4999}}) {
    std::vector<T> one(2);
    csr_scores(m.view().row_range(i, i + 1), w.data(), 2, bias.data(), one.data());
    EXPECT_EQ(one[0], reference[2 * i]);
    EXPECT_EQ(one[1], reference[2 * i + 1]);
  }
}

TYPED_TEST(Csr, AddIsTheTransposeOfDot) {
  using T = TypeParam;
  const std::vector<T> values = weights<T>(11);
  const std::vector<int32_t> columns{3, 0, 9, 4, 7, 1, 2, 10, 6, 5, 8};
  std::vector<double> w(11, 1.0);
  csr_add(0.5, values.data(), columns.data(), 11, w.data());
  for (size_t k = 0; k < 11; ++k)
    EXPECT_EQ(w[static_cast<size_t>(columns[k])], 1.0 + 0.5 * static_cast<double>(values[k]));
}

}  // namespace
}  // namespace maas
