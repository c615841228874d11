#include "maas/program/load.h"

#include <gtest/gtest.h>

#include "program/graphs.h"
#include "targets.h"

namespace maas::testing {
namespace {

// Every layout, every type to itself and wider, every shape that tiles may treat differently.
template <class From, class To>
void expect_loaded() {
  for (const size_t rows : {0, 1, 2, 3, 4, 5, 15, 16, 17, 33, 70}) {
    for (const size_t items : {1, 2, 3, 4, 5, 8, 20, 37}) {
      std::vector<From> values(rows * items);
      for (size_t k = 0; k < values.size(); ++k) values[k] = static_cast<From>(k % 120);
      for (const ArrayLayout layout : kLayouts) {
        const LaidOut<From> laid(values, rows, items, layout);
        test::GuardedBuffer<To> out(rows * items);
        const size_t skip = rows / 3;
        load_rows(laid.array, skip, rows - skip, items, dtype_of<To>, out.data());
        for (size_t k = 0; k < (rows - skip) * items; ++k) {
          ASSERT_EQ(out[k], static_cast<To>(values[skip * items + k]))
              << rows << " x " << items << " at " << k;
        }
      }
    }
  }
}

TEST(Load, CopiesAndWidensEveryLayout) {
  expect_loaded<float, float>();
  expect_loaded<float, double>();
  expect_loaded<double, double>();
  expect_loaded<int64_t, int64_t>();
  expect_loaded<int32_t, int32_t>();
  expect_loaded<int32_t, int64_t>();
  expect_loaded<int32_t, double>();
}

TEST(Load, ReadsBackwardsAndRepeatedRows) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  float out[6];
  load_rows({x.data() + 4, DType::kFloat32, -8, 4}, 0, 3, 2, DType::kFloat32, out);
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{5, 6, 3, 4, 1, 2}));
  load_rows({x.data(), DType::kFloat32, 0, 4}, 0, 2, 3, DType::kFloat32, out);
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{1, 2, 3, 1, 2, 3}));
}

TEST(Load, TakesBooleansAsNumbersAndViewsOfStrings) {
  const uint8_t flags[] = {1, 0, 1};
  const InputArray array{flags, DType::kBool, 1, 1};
  double wide[3];
  load_rows(array, 0, 3, 1, DType::kFloat64, wide);
  EXPECT_EQ(wide[0] + wide[1] + wide[2], 2);
  int32_t whole[3];
  load_rows(array, 0, 3, 1, DType::kInt32, whole);
  EXPECT_EQ(whole[2], 1);
  const std::string_view texts[] = {"a", "b", "c", "d"};
  std::string_view out[2];
  load_rows({texts, DType::kString, 32, 16}, 0, 2, 1, DType::kString, out);
  EXPECT_EQ(out[1], "c");
}

}  // namespace
}  // namespace maas::testing
