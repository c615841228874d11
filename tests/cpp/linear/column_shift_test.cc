#include "maas/linear/column_shift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace maas {
namespace {

TEST(ColumnShift, TheMiddleOfAConstantColumnIsThatConstant) {
  for (const size_t rows : {1, 2, 255, 256, 300, 1000, 4099}) {
    for (const double constant : {1.0, 0.1, 1.0 / 3, -7e4, 100.3, 1e-300, 1e300}) {
      const std::vector<double> doubles(rows, constant);
      EXPECT_EQ(middle_of_columns(MatrixView<double>{doubles.data(), rows, 1, 1, 1})[0], constant);
      const std::vector<float> floats(rows, static_cast<float>(constant));
      const double expected = std::isfinite(floats[0]) ? static_cast<double>(floats[0]) : 0.0;
      EXPECT_EQ(middle_of_columns(MatrixView<float>{floats.data(), rows, 1, 1, 1})[0], expected);
    }
  }
}

TEST(ColumnShift, WhatIsNotFiniteIsNotShifted) {
  const std::vector<double> x = {1.0, std::numeric_limits<double>::infinity(), 3.0, 5.0};
  EXPECT_EQ(middle_of_columns(MatrixView<double>{x.data(), 2, 2, 2, 1}), (std::vector<double>{2.0, 0.0}));
  EXPECT_EQ(middle_of_columns(MatrixView<double>{x.data(), 0, 2, 2, 1}), (std::vector<double>{0.0, 0.0}));
}

}  // namespace
}  // namespace maas
