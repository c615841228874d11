// Every gradient of a dense layer is the chain its header promises, bit for bit, whatever the shape, thread
// or target.
#include "maas/kernels/dense_gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/kernels/activation_gradient.h"
#include "matrix_cases.h"
#include "targets.h"

namespace maas {
namespace {

using test::bits;
using test::value_at;

template <class T>
size_t whole_lines(size_t values) {
  return (values + 64 / sizeof(T) - 1) / (64 / sizeof(T)) * (64 / sizeof(T));
}

// Rows on 64 bytes; NaN between the columns and the end of the last line.
template <class T>
struct Rows {
  Rows(size_t row_count, size_t col_count, uint64_t seed)
      : rows(row_count),
        cols(col_count),
        ld(whole_lines<T>(cols)),
        data(rows * ld, std::numeric_limits<T>::quiet_NaN()) {
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) data[i * ld + j] = value_at<T>(i * cols + j, seed);
    }
  }
  T operator()(size_t i, size_t j) const { return data[i * ld + j]; }

  size_t rows, cols, ld;
  AlignedBuffer<T> data;
};

// Where (k, j) of a packed K × N matrix lies.
template <class T>
size_t packed_index(size_t inputs, size_t units, size_t k, size_t j) {
  if (units < kNarrowCols) return j * narrow_stride<T>(inputs) + k;
  return (j / kSliver<T> * inputs + k) * kSliver<T> + j % kSliver<T>;
}
template <class T>
size_t packed_size(size_t inputs, size_t units) {
  if (units < kNarrowCols) return units * narrow_stride<T>(inputs);
  return (units + kSliver<T> - 1) / kSliver<T> * kSliver<T> * inputs;
}

struct Shape {
  size_t rows, inputs, units;
};

template <class T>
struct Case {
  explicit Case(Shape s)
      : shape(s),
        x(s.rows, s.inputs, 1),
        w(s.inputs * s.units),
        out(s.rows, s.units, 3),
        dy(s.rows, s.units, 4),
        weights(packed_size<T>(s.inputs, s.units), T{0}) {
    for (size_t i = 0; i < w.size(); ++i) w[i] = value_at<T>(i, 2);
    for (size_t k = 0; k < s.inputs; ++k) {
      for (size_t j = 0; j < s.units; ++j) {
        weights[packed_index<T>(s.inputs, s.units, k, j)] = w[k * s.units + j];
      }
    }
  }
  Shape shape;
  Rows<T> x;
  std::vector<T> w;
  Rows<T> out, dy;
  AlignedBuffer<T> weights;
};

// Plain copies, one after another: weights' gradient (inputs × units), bias', input's (rows × inputs).
template <class T>
using Gradients = std::vector<T>;

// Old values that accumulation continues.
template <class T>
T old_value(size_t index) {
  return value_at<T>(index, 9);
}

template <class T>
Gradients<T> reference(const Case<T>& c, bool relu, bool accumulate) {
  const auto [rows, inputs, units] = c.shape;
  const bool fused = target_has_fma();
  const auto chain = [fused](T a, T b, T sum) { return fused ? std::fma(a, b, sum) : a * b + sum; };
  const auto delta = [&](size_t r, size_t j) { return relu && c.out(r, j) <= 0 ? T{0} : c.dy(r, j); };
  Gradients<T> all;
  for (size_t k = 0; k < inputs; ++k) {
    for (size_t j = 0; j < units; ++j) {
      T sum = accumulate ? old_value<T>(k * units + j) : T{0};
      for (size_t r = 0; r < rows; ++r) sum = chain(c.x(r, k), delta(r, j), sum);
      all.push_back(sum);
    }
  }
  for (size_t j = 0; j < units; ++j) {
    T sum = accumulate ? old_value<T>(j) : T{0};
    for (size_t r = 0; r < rows; ++r) sum += delta(r, j);
    all.push_back(sum);
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t k = 0; k < inputs; ++k) {
      T sum = 0;
      for (size_t j = 0; j < units; ++j) sum = chain(delta(r, j), c.w[k * units + j], sum);
      all.push_back(sum);
    }
  }
  return all;
}

struct Wanted {
  bool weights = true, bias = true, input = true;
};

template <class T>
Gradients<T> computed(const Case<T>& c, Activation<T> activation, bool accumulate, Wanted wanted = {}) {
  const auto [rows, inputs, units] = c.shape;
  const DenseGradient<T> gradient(inputs, units, activation);
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN(), kMark = 77;
  AlignedBuffer<T> delta(c.dy.data.size()), dx(rows * c.x.ld, kNan), db(whole_lines<T>(units), T{0});
  std::copy_n(c.dy.data.data(), delta.size(), delta.data());
  AlignedBuffer<T> dw(packed_size<T>(inputs, units), T{0});
  for (size_t k = 0; accumulate && k < inputs; ++k) {
    for (size_t j = 0; j < units; ++j) {
      dw[packed_index<T>(inputs, units, k, j)] = old_value<T>(k * units + j);
    }
  }
  for (size_t j = 0; accumulate && j < units; ++j) db[j] = old_value<T>(j);
  const size_t size = gradient.work_values(rows);
  AlignedBuffer<T> work(size + 64, kNan);
  for (size_t i = size; i < work.size(); ++i) work[i] = kMark;
  gradient.run({.rows = rows,
                .x = c.x.data.data(),
                .ldx = c.x.ld,
                .weights = c.weights.data(),
                .out = c.out.data.data(),
                .delta = delta.data(),
                .ldo = c.out.ld,
                .weight_gradient = wanted.weights ? dw.data() : nullptr,
                .bias_gradient = wanted.bias ? db.data() : nullptr,
                .in_gradient = wanted.input ? dx.data() : nullptr,
                .ldi = c.x.ld,
                .accumulate = accumulate,
                .work = work.data()});
  for (size_t i = size; i < work.size(); ++i) EXPECT_EQ(work[i], kMark);
  Gradients<T> all;
  for (size_t k = 0; wanted.weights && k < inputs; ++k) {
    for (size_t j = 0; j < units; ++j) {
      T& value = dw[packed_index<T>(inputs, units, k, j)];
      all.push_back(value);
      value = 0;
    }
  }
  for (size_t i = 0; i < dw.size(); ++i) EXPECT_TRUE(!wanted.weights || bits(dw[i]) == 0) << "padding " << i;
  if (wanted.bias) all.insert(all.end(), db.data(), db.data() + units);
  for (size_t j = units; j < db.size(); ++j) EXPECT_EQ(bits(db[j]), bits(T{0}));
  for (size_t r = 0; wanted.input && r < rows; ++r) {
    all.insert(all.end(), dx.data() + r * c.x.ld, dx.data() + r * c.x.ld + inputs);
  }
  return all;
}

template <class T>
void expect_same(const Gradients<T>& got, const Gradients<T>& expected, Shape s) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(bits(got[i]), bits(expected[i])) << s.rows << " rows, " << s.inputs << " inputs, " << s.units
                                               << " units, at " << i << ": " << got[i] << " " << expected[i];
  }
}

template <class T>
class DenseGradientTest : public testing::Test {
 protected:
  static constexpr Activation<T> kRelu{Activation<T>::kMap, MapOp::kRelu};
};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseGradientTest, Floats);

TYPED_TEST(DenseGradientTest, IsTheChainItPromisesForAnyShape) {
  using T = TypeParam;
  std::vector<Shape> shapes;
  for (const size_t rows : {1, 2, 5, 6, 7, 16, 33, 65}) {
    for (const size_t inputs : {1, 3, 6, 10, 16, 17, 50, 64, 65}) {
      for (const size_t units : {1, 2, 10, 15, 16, 17, 32, 48, 63, 64, 65, 70}) {
        if ((rows + 3 * inputs + 5 * units) % 4 == 0) shapes.push_back({rows, inputs, units});
      }
    }
  }
  for (const Shape s : {Shape{1, 300, 200},
                        {7, 300, 200},
                        {31, 129, 128},
                        {64, 64, 128},
                        {130, 10, 64},
                        {130, 300, 10},
                        {128, 97, 130},
                        {300, 20, 33},
                        {300, 5, 3},
                        {1025, 7, 20},
                        {2050, 3, 2},
                        {64, 129, 300}}) {
    shapes.push_back(s);
  }
  for (const Shape s : shapes) {
    const Case<T> c(s);
    const bool accumulate = (s.rows + s.units) % 3 == 0;
    test::for_each_target(
        [&] { expect_same(computed(c, this->kRelu, accumulate), reference(c, true, accumulate), s); });
    if (testing::Test::HasFatalFailure()) return;
  }
}

// Large enough for copies of every kind, several blocks of the depth, and the pool.
TYPED_TEST(DenseGradientTest, SameBitsOnAnyNumberOfThreadsAndTarget) {
  using T = TypeParam;
  for (const Shape s : {Shape{130, 300, 200}, {1100, 40, 90}, {70, 400, 330}, {300, 600, 12}}) {
    const Case<T> c(s);
    const Gradients<T> expected = reference(c, true, false);
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      test::for_each_target([&] {
        if (target_has_fma()) expect_same(computed(c, this->kRelu, false), expected, s);
      });
    }
    set_num_threads(1);
  }
}

TYPED_TEST(DenseGradientTest, ComputesOnlyWhatIsWanted) {
  using T = TypeParam;
  for (const Shape s : {Shape{5, 7, 3}, {40, 30, 100}, {130, 300, 200}}) {
    const Case<T> c(s);
    const Gradients<T> all = computed(c, this->kRelu, false);
    const auto weights = all.begin() + static_cast<ptrdiff_t>(s.inputs * s.units);
    const auto bias = weights + static_cast<ptrdiff_t>(s.units);
    expect_same(computed(c, this->kRelu, false, {true, false, false}), Gradients<T>(all.begin(), weights), s);
    expect_same(computed(c, this->kRelu, false, {false, true, false}), Gradients<T>(weights, bias), s);
    expect_same(computed(c, this->kRelu, false, {false, false, true}), Gradients<T>(bias, all.end()), s);
    expect_same(computed(c, this->kRelu, false, {false, false, false}), Gradients<T>(), s);
  }
}

TYPED_TEST(DenseGradientTest, TakesAnyActivationThatFollowsFromItsOutput) {
  using T = TypeParam;
  test::for_each_target([&] {
    for (const Shape s : {Shape{5, 7, 3}, {33, 30, 100}, {70, 300, 200}}) {
      for (const MapOp op : {MapOp::kTanh, MapOp::kSigmoid, MapOp::kLeakyRelu, MapOp::kRelu}) {
        const Case<T> c(s);
        Case<T> derived(s);
        activation_gradient(op, c.dy.data.size(), c.out.data.data(), c.dy.data.data(), derived.dy.data.data(),
                            T(0.3), T(0));
        expect_same(computed(c, {Activation<T>::kMap, op, T(0.3), T(0)}, false), computed(derived, {}, false),
                    s);
      }
    }
  });
}

// A NaN or an infinity reaches the outputs it belongs to and no padding; NaNs are the canonical one.
TYPED_TEST(DenseGradientTest, SpecialValuesStayInTheirPlaces) {
  using T = TypeParam;
  for (const Shape s : {Shape{9, 7, 3}, {9, 20, 17}, {130, 300, 100}}) {
    Case<T> c(s);
    c.x.data[3 * c.x.ld + 2] = std::numeric_limits<T>::infinity();
    c.x.data[5 * c.x.ld + 4] = -std::numeric_limits<T>::quiet_NaN();
    c.dy.data[4 * c.dy.ld + 1] = -std::numeric_limits<T>::signaling_NaN();
    c.dy.data[6 * c.dy.ld + 2] = std::numeric_limits<T>::infinity();
    test::expect_same_bits_on_fma_targets([&] {
      const Gradients<T> all = computed(c, {}, false);
      const Gradients<T> expected = reference(c, false, false);
      for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(std::isnan(all[i]), std::isnan(expected[i])) << i;
        if (!std::isnan(all[i])) continue;
        EXPECT_EQ(bits(all[i]), bits(std::numeric_limits<T>::quiet_NaN()));
      }
      return all;
    });
  }
}

// Two halves of a batch, the second accumulated, are the whole batch.
TYPED_TEST(DenseGradientTest, AccumulationContinuesTheChains) {
  using T = TypeParam;
  const Shape s{40, 23, 70};
  const Case<T> c(s);
  const DenseGradient<T> gradient(s.inputs, s.units, {});
  AlignedBuffer<T> work(gradient.work_values(s.rows)), delta(c.dy.data.size());
  std::copy_n(c.dy.data.data(), delta.size(), delta.data());
  AlignedBuffer<T> whole(c.weights.size(), T{0}), parts(c.weights.size(), T{0});
  DenseBatch<T> batch{.rows = s.rows, .x = c.x.data.data(), .ldx = c.x.ld, .weights = c.weights.data()};
  batch.out = c.out.data.data(), batch.delta = delta.data(), batch.ldo = c.dy.ld, batch.work = work.data();
  batch.weight_gradient = whole.data();
  gradient.run(batch);
  batch.weight_gradient = parts.data();
  batch.rows = 17;
  gradient.run(batch);
  batch.x += 17 * batch.ldx, batch.delta += 17 * batch.ldo;
  batch.rows = s.rows - 17, batch.accumulate = true;
  gradient.run(batch);
  for (size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(bits(whole[i]), bits(parts[i])) << i;
}

TYPED_TEST(DenseGradientTest, NoRowsGiveZeros) {
  using T = TypeParam;
  for (const Shape s : {Shape{0, 7, 3}, {0, 20, 70}}) {
    const Case<T> c(s);
    const auto all = computed(c, this->kRelu, false);
    for (const T value : all) EXPECT_EQ(bits(value), bits(T{0}));
  }
}

}  // namespace
}  // namespace maas
