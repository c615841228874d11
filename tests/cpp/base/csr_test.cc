#include "maas/base/csr.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

// 1 0 2
// 0 0 0
// 0 3 4
const double kValues[] = {2, 1, 3, 4};
const int32_t kColumns[] = {2, 0, 1, 2};
const int64_t kStarts[] = {0, 2, 2, 4};

TEST(Csr, TransposeSortsRows) {
  const CsrView<double> view{kValues, kColumns, kStarts, 3, 3};
  const CsrMatrix<double> t = transpose(view);
  EXPECT_EQ(t.starts, (std::vector<int64_t>{0, 1, 2, 4}));
  EXPECT_EQ(t.columns, (std::vector<int32_t>{0, 2, 0, 2}));
  EXPECT_EQ(t.values, (std::vector<double>{1, 3, 2, 4}));
}

TEST(Csr, RowRangeKeepsOffsets) {
  const CsrView<double> view{kValues, kColumns, kStarts, 3, 3};
  const CsrView<double> last = view.row_range(2, 3);
  EXPECT_EQ(last.nonzeros(), 2u);
  const CsrMatrix<double> t = transpose(last);
  EXPECT_EQ(t.rows, 3u);
  EXPECT_EQ(t.values, (std::vector<double>{3, 4}));
  EXPECT_EQ(t.columns, (std::vector<int32_t>{0, 0}));
}

TEST(Csr, EmptyMatrix) {
  const int64_t starts[] = {0};
  const CsrMatrix<float> t = transpose(CsrView<float>{nullptr, nullptr, starts, 0, 4});
  EXPECT_EQ(t.starts, (std::vector<int64_t>(5, 0)));
}

}  // namespace
}  // namespace maas
