#include "maas/kernels/count.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "maas/kernels/error_sums.h"
#include "maas/kernels/target.h"

namespace maas {
namespace {

class CountKernels : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_target(GetParam()); }
  void TearDown() override { set_target(""); }
};
INSTANTIATE_TEST_SUITE_P(Targets, CountKernels, testing::ValuesIn(supported_targets()),
                         [](const auto& target) { return target.param; });

// Values at an odd address, so that a load that assumed alignment would fault or a sanitizer would tell.
template <class T>
struct Misaligned {
  explicit Misaligned(const std::vector<T>& values) : bytes(values.size() * sizeof(T) + 1) {
    if (!values.empty()) std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
  }
  const T* data() const { return reinterpret_cast<const T*>(bytes.data() + 1); }
  std::vector<char> bytes;
};

template <class T>
void check_count_equal(std::mt19937& random) {
  for (size_t n = 0; n <= 2 * 64 * 4 + 1; ++n) {
    std::vector<T> a(n), b(n);
    size_t expected = 0;
    for (size_t i = 0; i < n; ++i) {
      a[i] = static_cast<T>(random() % 3);
      b[i] = static_cast<T>(random() % 3);
      expected += a[i] == b[i];
    }
    ASSERT_EQ(count_equal(Misaligned<T>(a).data(), b.data(), n, sizeof(T)), expected) << n;
  }
}

TEST_P(CountKernels, CountEqual) {
  std::mt19937 random(1);
  check_count_equal<uint8_t>(random);
  check_count_equal<uint16_t>(random);
  check_count_equal<uint32_t>(random);
  check_count_equal<uint64_t>(random);
}

TEST_P(CountKernels, LabelRange) {
  std::mt19937_64 random(2);
  EXPECT_LT(label_range(nullptr, 0).max, label_range(nullptr, 0).min);
  for (size_t n = 1; n <= 40; ++n) {
    std::vector<int64_t> labels(n);
    for (auto& label : labels) label = static_cast<int64_t>(random());
    const LabelRange range = label_range(Misaligned<int64_t>(labels).data(), n);
    EXPECT_EQ(range.min, *std::min_element(labels.begin(), labels.end()));
    EXPECT_EQ(range.max, *std::max_element(labels.begin(), labels.end()));
  }
}

TEST_P(CountKernels, PairCellsAndCounts) {
  std::mt19937 random(3);
  constexpr int64_t kOrigin = -5;
  constexpr uint32_t kWidth = 1024;
  for (size_t n = 0; n <= 40; ++n) {
    std::vector<int64_t> rows(n), cols(n);
    std::vector<uint32_t> cells(n), counts(kCellLanes * kWidth * kWidth), expected(kWidth * kWidth);
    for (size_t i = 0; i < n; ++i) {
      rows[i] = kOrigin + static_cast<int64_t>(random() % kWidth);
      cols[i] = kOrigin + static_cast<int64_t>(random() % kWidth);
      ++expected[static_cast<size_t>((rows[i] - kOrigin) * kWidth + cols[i] - kOrigin)];
    }
    pair_cells(Misaligned<int64_t>(rows).data(), cols.data(), kOrigin, kWidth, n, cells.data());
    count_cells(cells.data(), n, counts.data(), expected.size());
    for (size_t i = 0; i < counts.size() / kCellLanes; ++i) {
      for (size_t lane = 1; lane < kCellLanes; ++lane) counts[i] += counts[lane * expected.size() + i];
    }
    counts.resize(expected.size());
    ASSERT_EQ(counts, expected);
    std::vector<uint32_t> shared(expected.size());
    count_cells(cells.data(), n, shared.data(), 0);
    ASSERT_EQ(shared, expected);
  }
}

struct Sums {
  double squared, absolute, distance, spread;
  bool operator==(const Sums&) const = default;
};
Sums all_sums(const double* y, const double* p, const double* w, size_t n) {
  return {sum_squared_error(y, p, w, n), sum_absolute_error(y, p, w, n), sum_distance(y, 0.5, w, n),
          sum_spread(y, 0.5, w, n)};
}

TEST_P(CountKernels, ErrorSumsAreCloseAndTheSameOnEveryTarget) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  for (const size_t n : {0, 1, 7, 31, 32, 33, 64, 100, 1024}) {
    std::vector<double> y(n), p(n), w(n);
    for (size_t i = 0; i < n; ++i) {
      y[i] = normal(random);
      p[i] = normal(random);
      w[i] = std::abs(normal(random));
    }
    const Misaligned<double> odd(y);
    for (const double* weight : {static_cast<const double*>(nullptr), static_cast<const double*>(w.data())}) {
      long double squared = 0, absolute = 0, distance = 0, spread = 0;
      for (size_t i = 0; i < n; ++i) {
        const long double c = weight ? w[i] : 1.0, e = static_cast<long double>(y[i]) - p[i], d = y[i] - 0.5L;
        squared += c * e * e;
        absolute += c * std::abs(e);
        distance += c * d;
        spread += c * d * d;
      }
      const Sums sums = all_sums(odd.data(), p.data(), weight, n);
      EXPECT_NEAR(sums.squared, static_cast<double>(squared), 1e-13 * (1 + n));
      EXPECT_NEAR(sums.absolute, static_cast<double>(absolute), 1e-13 * (1 + n));
      EXPECT_NEAR(sums.distance, static_cast<double>(distance), 1e-13 * (1 + n));
      EXPECT_NEAR(sums.spread, static_cast<double>(spread), 1e-13 * (1 + n));
      set_target("");
      EXPECT_EQ(sums, all_sums(y.data(), p.data(), weight, n));
      set_target(GetParam());
    }
  }
}

}  // namespace
}  // namespace maas
