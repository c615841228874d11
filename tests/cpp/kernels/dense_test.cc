// A fused layer has the bits of its parts called one after the other, for any number of rows.
#include "maas/kernels/dense.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/kernels/gemm.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;

template <class T>
std::vector<T> values(size_t n, uint64_t seed) {
  std::vector<T> out(n);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (auto& v : out) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<T>(static_cast<double>(state >> 11) * 0x1p-52 - 1);
  }
  return out;
}

// Everything a layer may be made of, for K features and N outputs.
template <class T>
struct Parts {
  size_t k, n;
  std::vector<T> w, offset, scale, bias, mean, deviation, gain, shift;
  PackedMatrix<T> packed;

  Parts(size_t depth, size_t cols)
      : k(depth),
        n(cols),
        w(values<T>(k * n, 1)),
        offset(values<T>(k, 2)),
        scale(values<T>(k, 3)),
        bias(values<T>(n, 4)),
        mean(values<T>(n, 5)),
        deviation(values<T>(n, 6)),
        gain(values<T>(n, 7)),
        shift(values<T>(n, 8)),
        packed(MatrixView<T>{w.data(), k, n, static_cast<ptrdiff_t>(n), 1}) {
    for (auto& v : deviation) v = std::fabs(v) + T(0.1);
    for (auto& v : scale) v = std::fabs(v) + T(0.1);
  }

  // Bits of `form`: 1 bias, 2 batch norm, 4 scaler, 8 dividing.
  DenseSpec<T> spec(unsigned form, Activation<T> activation) const {
    DenseSpec<T> spec;
    spec.weights = &packed;
    if (form & 1) spec.bias = bias.data();
    if (form & 2) spec.norm = {mean.data(), deviation.data(), gain.data(), shift.data()};
    if (form & 4)
      spec.scale = {offset.data(), scale.data(), form & 8 ? ScaleBy::kDivide : ScaleBy::kMultiply};
    spec.activation = activation;
    return spec;
  }
};

template <class T>
std::vector<T> unfused(const DenseSpec<T>& spec, const std::vector<T>& x, size_t rows) {
  const size_t k = spec.weights->rows(), n = spec.weights->cols();
  const NormFns<T> norms = find_norms<T>();
  std::vector<T> in = x, out(rows * n);
  if (spec.scale) norms.scale(spec.scale, x.data(), rows, k, k, in.data(), k);
  gemm(MatrixView<T>{in.data(), rows, k, static_cast<ptrdiff_t>(k), 1}, *spec.weights, out.data(), n,
       {.bias = spec.bias});
  if (spec.norm) norms.batch(spec.norm, out.data(), rows, n, n, out.data(), n);
  const Activation<T>& last = spec.activation;
  if (last.kind == Activation<T>::kMap)
    map_arrays(last.op, rows * n, out.data(), nullptr, out.data(), last.p, last.q);
  if (last.kind == Activation<T>::kSoftmax) map_rows(RowOp::kSoftmax, out.data(), rows, n, n, out.data(), n);
  if (last.kind == Activation<T>::kLogSoftmax)
    map_rows(RowOp::kLogSoftmax, out.data(), rows, n, n, out.data(), n);
  return out;
}

// The layer on rows that lie apart in buffers that end at an unreadable page, misaligned by one element.
template <class T>
std::vector<T> fused(const DenseSpec<T>& spec, const std::vector<T>& x, size_t rows) {
  const size_t k = spec.weights->rows(), n = spec.weights->cols();
  const Dense<T> layer(spec);
  const size_t ldx = k + rows % 3, ldo = n + rows % 2;
  test::GuardedBuffer<T> in(rows == 0 ? 0 : (rows - 1) * ldx + k), out(rows == 0 ? 0 : (rows - 1) * ldo + n);
  for (size_t i = 0; i < rows; ++i) std::copy_n(x.data() + i * k, k, in.data() + i * ldx);
  for (size_t i = 0; i + 1 < rows; ++i) std::fill_n(out.data() + i * ldo + n, ldo - n, T(77));
  AlignedBuffer<T> work(layer.work_values(rows) + 1, std::numeric_limits<T>::quiet_NaN());
  layer.run(in.data(), rows, ldx, out.data(), ldo, work.data());
  std::vector<T> dense;
  for (size_t i = 0; i < rows; ++i) {
    dense.insert(dense.end(), out.data() + i * ldo, out.data() + i * ldo + n);
    for (size_t j = n; i + 1 < rows && j < ldo; ++j) EXPECT_EQ(out.data()[i * ldo + j], T(77));
  }
  return dense;
}

template <class T>
void expect_same(const DenseSpec<T>& spec, const std::vector<T>& x, size_t rows) {
  const auto expected = unfused(spec, x, rows);
  const auto got = fused(spec, x, rows);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(bits(got[i]), bits(expected[i]))
        << "K " << spec.weights->rows() << " N " << spec.weights->cols() << " rows " << rows << " at " << i
        << ": " << got[i] << " " << expected[i];
  }
}

template <class T>
class DenseTest : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseTest, Floats);

TYPED_TEST(DenseTest, HasTheBitsOfItsPartsForAnyShape) {
  using T = TypeParam;
  const Activation<T> relu{Activation<T>::kMap, MapOp::kRelu};
  test::for_each_target([&] {
    for (const size_t k : {1, 2, 3, 7, 10, 16, 20, 31, 32, 33, 47, 63, 64, 65, 70, 128, 256, 300, 784}) {
      for (const size_t n : {1, 2, 5, 10, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 70, 128, 130, 256}) {
        const Parts<T> parts(k, n);
        const auto x = values<T>(40 * k, 9);
        for (const size_t rows : {1, 2, 3, 5, 6, 7, 13, 25, 40}) {
          if (k * n * rows > 60000 && rows != 1 && rows != 4 && rows != 13) continue;
          expect_same(parts.spec(1, relu), x, rows);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TYPED_TEST(DenseTest, HasTheBitsOfItsPartsForAnyRows) {
  using T = TypeParam;
  const Activation<T> leaky{Activation<T>::kMap, MapOp::kLeakyRelu, T(0.1)};
  test::for_each_target([&] {
    for (const auto& [k, n] :
         {std::pair{20, 1}, {10, 64}, {64, 32}, {32, 1}, {33, 10}, {9, 100}, {300, 17}}) {
      const Parts<T> parts(k, n);
      const auto x = values<T>(200 * k, 9);
      for (size_t rows = 0; rows <= 40; ++rows) expect_same(parts.spec(1, leaky), x, rows);
      expect_same(parts.spec(5, leaky), x, 200);
    }
  });
}

TYPED_TEST(DenseTest, HasTheBitsOfItsPartsInEveryForm) {
  using T = TypeParam;
  std::vector<Activation<T>> ends = {{}, {Activation<T>::kSoftmax}, {Activation<T>::kLogSoftmax}};
  for (int op = 0; op < static_cast<int>(MapOp::kMax); ++op) {
    ends.push_back({Activation<T>::kMap, static_cast<MapOp>(op), T(0.3), T(0.7)});
  }
  test::for_each_target([&] {
    for (const auto& [k, n] : {std::pair{5, 1}, {13, 7}, {13, 16}, {13, 37}, {5, 130}}) {
      const Parts<T> parts(k, n);
      const auto x = values<T>(14 * k, 9);
      for (const Activation<T>& end : ends) {
        for (unsigned form = 0; form < 16; ++form) {
          if ((form & 12) == 8) continue;
          for (const size_t rows : {1, 4, 14}) expect_same(parts.spec(form, end), x, rows);
        }
      }
    }
  });
}

TYPED_TEST(DenseTest, NaNInfinityAndZeros) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  const T odd_nan = -std::numeric_limits<T>::signaling_NaN();
  test::for_each_target([&] {
    for (const auto& [k, n] : {std::pair{3, 1}, {3, 7}, {3, 16}, {3, 70}}) {
      const Parts<T> parts(k, n);
      auto x = values<T>(20 * k, 9);
      for (size_t i = 0; i < x.size(); ++i) {
        const T special[] = {odd_nan, infinity, -infinity, T(0), -T(0), x[i], x[i], x[i]};
        x[i] = special[i % 8];
      }
      for (const MapOp op : {MapOp::kRelu, MapOp::kLeakyRelu, MapOp::kSigmoid, MapOp::kAbs}) {
        for (const unsigned form : {0u, 1u, 7u}) {
          for (const size_t rows : {1, 4, 20})
            expect_same(parts.spec(form, {Activation<T>::kMap, op, T(0.3)}), x, rows);
        }
      }
    }
  });
}

TYPED_TEST(DenseTest, SameBitsOnTargetsWithFma) {
  using T = TypeParam;
  for (const auto& [k, n] : {std::pair{20, 1}, {10, 64}, {70, 33}, {128, 10}}) {
    const Parts<T> parts(k, n);
    const auto x = values<T>(13 * k, 9);
    test::expect_same_bits_on_fma_targets(
        [&] { return fused(parts.spec(7, {Activation<T>::kMap, MapOp::kTanh}), x, 13); });
  }
}

// A layer stays with the target it was made for.
TYPED_TEST(DenseTest, StaysWithItsTarget) {
  using T = TypeParam;
  const Parts<T> parts(19, 20);
  const auto x = values<T>(19, 9);
  const Dense<T> layer(parts.spec(1, {}));
  std::vector<T> first(20), second(20);
  layer.run(x.data(), 1, 19, first.data(), 20, nullptr);
  set_target(supported_targets().back());
  layer.run(x.data(), 1, 19, second.data(), 20, nullptr);
  set_target("");
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace maas
