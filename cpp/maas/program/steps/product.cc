#include "maas/program/steps/product.h"

#include <string>

#include "maas/base/aligned.h"
#include "maas/kernels/elementwise.h"
#include "maas/program/steps/matrix_product.h"

namespace maas {

namespace {

// A stack of matrices with leading dimensions, the batch among them or not.
struct Stack {
  size_t slot = 0;
  bool batched = false;
  size_t row_values = 0;      // of a row of the batch
  std::vector<size_t> lead;   // leading dimensions without the batch
  size_t rows = 1, cols = 1;  // of a matrix; one row where the rows are the batch
  bool rows_are_batch = false;

  size_t matrix_values() const { return rows * cols; }
};

Stack make_stack(const Operand& operand, bool is_left) {
  Shape shape = operand.type.shape;
  if (shape.size() == 1) shape.insert(is_left ? shape.begin() : shape.end(), 1);
  Stack stack;
  stack.slot = operand.slot;
  stack.batched = operand.batched();
  stack.row_values = operand.elements();
  stack.rows_are_batch = stack.batched && shape.size() == 2;
  stack.rows = stack.rows_are_batch ? 1 : static_cast<size_t>(shape[shape.size() - 2]);
  stack.cols = static_cast<size_t>(shape.back());
  for (size_t axis = stack.batched ? 1 : 0; axis + 2 < shape.size(); ++axis) {
    stack.lead.push_back(static_cast<size_t>(shape[axis]));
  }
  return stack;
}

// Which matrix of the stack meets the i-th of the result, whose leading dimensions are `lead`.
size_t matrix_index(const Stack& stack, const std::vector<size_t>& lead, size_t i) {
  size_t index = 0, stride = 1;
  for (size_t axis = 0; axis < lead.size(); ++axis) {  // from the last
    const size_t position = i % lead[lead.size() - 1 - axis];
    i /= lead[lead.size() - 1 - axis];
    if (axis >= stack.lead.size()) continue;
    const size_t size = stack.lead[stack.lead.size() - 1 - axis];
    if (size > 1) index += position * stride;
    stride *= size;
  }
  return index;
}

std::vector<size_t> result_lead(const Stack& a, const Stack& b) {
  std::vector<size_t> lead;
  const size_t matrices = std::max(a.lead.size(), b.lead.size());
  for (size_t axis = 0; axis < matrices; ++axis) {  // from the last
    const auto size = [&](const Stack& s) {
      return axis < s.lead.size() ? s.lead[s.lead.size() - 1 - axis] : 1;
    };
    lead.insert(lead.begin(), size(a) == 1 ? size(b) : size(a));
  }
  return lead;
}

// What Gemm does with the product: alpha times it, plus beta C.
template <class T>
struct GemmTail {
  T alpha = 1, beta = 1;
  bool has_c = false;
  size_t c_slot = 0;
  bool c_batched = false;
  size_t c_rows = 1, c_cols = 1;  // 1 where it repeats; rows are the batch where c_batched
};

template <class T>
class ProductStep final : public Step {
 public:
  ProductStep(StepSpec& spec, GemmTail<T> tail)
      : a_(make_stack(spec.inputs[0], true)),
        b_(make_stack(spec.inputs[1], false)),
        transpose_a_(spec.view.get_int("transA", 0) != 0),
        transpose_b_(spec.view.get_int("transB", 0) != 0),
        lead_(result_lead(a_, b_)),
        to_(spec.outputs[0].slot),
        batched_(spec.outputs[0].batched()),
        rows_(transpose_a_ ? a_.cols : a_.rows),
        depth_(transpose_a_ ? a_.rows : a_.cols),
        cols_(transpose_b_ ? b_.rows : b_.cols),
        product_(depth_, cols_),
        tail_(tail),
        name_(spec.view.node().op) {
    for (const size_t size : lead_) matrices_ *= size;
    // Packed B, then A turned, then a row of C.
    a_at_ = round_up(product_.packed_values());
    c_at_ = a_at_ + (transpose_a_ ? round_up(rows_ * depth_) : 0);
    spec.work_bytes = sizeof(T) * (c_at_ + cols_);
  }

  RunStatus run(const Block& block) const noexcept override {
    T* packed = reinterpret_cast<T*>(block.work);
    if (a_.rows_are_batch) {  // one product for all
      product_.pack(matrix(b_, block, 0, 0, transpose_b_), packed);
      product_.multiply(block.in<T>(a_.slot), block.rows, packed, block.out<T>(to_));
      finish(block, block.rows);
      return RunStatus::kOk;
    }
    const size_t count = batched_ ? block.rows : 1;
    size_t last = static_cast<size_t>(-1);
    T* out = block.out<T>(to_);
    for (size_t row = 0; row < count; ++row) {
      for (size_t i = 0; i < matrices_; ++i, out += rows_ * cols_) {
        const size_t a = matrix_index(a_, lead_, i), b = matrix_index(b_, lead_, i);
        const size_t packed_now = (b_.batched ? row * matrices_ : 0) + b;
        if (packed_now != last) product_.pack(matrix(b_, block, row, b, transpose_b_), packed);
        last = packed_now;
        product_.multiply(left(block, row, a, packed), rows_, packed, out);
      }
    }
    finish(block, rows_ * matrices_ * count);
    return RunStatus::kOk;
  }

  std::string describe() const override {
    return name_ + " of " + std::to_string(depth_) + " -> " + std::to_string(cols_) + ", both computed";
  }

 private:
  static size_t round_up(size_t values) { return (values * sizeof(T) + 63) / 64 * 64 / sizeof(T); }

  static MatrixView<T> matrix(const Stack& stack, const Block& block, size_t row, size_t index,
                              bool transposed) noexcept {
    const T* data = block.in<T>(stack.slot) + (stack.batched ? row * stack.row_values : 0) +
                    index * stack.matrix_values();
    const MatrixView<T> view{data, stack.rows, stack.cols, static_cast<ptrdiff_t>(stack.cols), 1};
    return transposed ? view.transposed() : view;
  }

  // The left matrix with contiguous rows.
  const T* left(const Block& block, size_t row, size_t index, T* work) const noexcept {
    const MatrixView<T> view = matrix(a_, block, row, index, transpose_a_);
    if (!transpose_a_) return view.data;
    T* turned = work + a_at_;
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t k = 0; k < depth_; ++k) turned[i * depth_ + k] = view(i, k);
    }
    return turned;
  }

  void finish(const Block& block, size_t rows) const noexcept {
    if constexpr (std::is_floating_point_v<T>) {
      T* out = block.out<T>(to_);
      if (tail_.alpha != 1) scale(rows * cols_, out, tail_.alpha, out);
      if (!tail_.has_c) return;
      T* line = reinterpret_cast<T*>(block.work) + c_at_;
      for (size_t i = 0; i < rows; ++i, out += cols_) {
        const bool own_row = tail_.c_batched || tail_.c_rows > 1;
        const T* c = block.in<T>(tail_.c_slot) + (own_row ? i * tail_.c_cols : 0);
        for (size_t j = 0; j < cols_; ++j) line[j] = c[tail_.c_cols > 1 ? j : 0];
        if (tail_.beta != 1) scale(cols_, line, tail_.beta, line);
        map_arrays(MapOp::kAdd, cols_, out, line, out);
      }
    } else if (tail_.has_c) {
      using Bits = std::make_unsigned_t<T>;
      T* out = block.out<T>(to_);
      for (size_t i = 0; i < rows; ++i, out += cols_) {
        const bool own_row = tail_.c_batched || tail_.c_rows > 1;
        const T* c = block.in<T>(tail_.c_slot) + (own_row ? i * tail_.c_cols : 0);
        for (size_t j = 0; j < cols_; ++j) {
          out[j] = static_cast<T>(static_cast<Bits>(out[j]) + static_cast<Bits>(c[tail_.c_cols > 1 ? j : 0]));
        }
      }
    }
  }
  // In plain products, so that 0 keeps its sign.
  static void scale(size_t n, const T* x, T by, T* out) noexcept {
    for (size_t i = 0; i < n; ++i) out[i] = x[i] * by;
  }

  Stack a_, b_;
  bool transpose_a_, transpose_b_;
  std::vector<size_t> lead_;  // of the result, without the batch
  size_t matrices_ = 1;
  size_t to_;
  bool batched_;
  size_t rows_, depth_, cols_;
  MatrixProduct<T> product_;
  GemmTail<T> tail_;
  size_t a_at_ = 0, c_at_ = 0;
  std::string name_;
};

template <class T>
std::unique_ptr<Step> make_typed(StepSpec& spec) {
  GemmTail<T> tail;
  if (spec.view.node().op == "Gemm") {
    const float alpha = spec.view.get_float("alpha", 1), beta = spec.view.get_float("beta", 1);
    if (!std::is_floating_point_v<T> && (alpha != 1 || beta != 1)) {
      spec.view.unsupported("expected alpha and beta of 1 for integers");
    }
    tail.alpha = static_cast<T>(alpha);
    tail.beta = static_cast<T>(beta);
    if (spec.inputs.size() > 2 && spec.inputs[2].present) {
      const Operand& c = spec.inputs[2];
      const Shape& shape = c.type.shape;
      tail.has_c = true;
      tail.c_slot = c.slot;
      tail.c_batched = c.batched();
      tail.c_cols =
          shape.empty() || (shape.size() == 1 && tail.c_batched) ? 1 : static_cast<size_t>(shape.back());
      tail.c_rows = shape.size() < 2 || tail.c_batched ? 1 : static_cast<size_t>(shape[0]);
    }
  }
  return std::make_unique<ProductStep<T>>(spec, tail);
}

}  // namespace

std::unique_ptr<Step> make_product(StepSpec& spec) {
  switch (spec.inputs[0].dtype()) {
    case DType::kFloat32: return make_typed<float>(spec);
    case DType::kFloat64: return make_typed<double>(spec);
    case DType::kInt32: return make_typed<int32_t>(spec);
    case DType::kInt64: return make_typed<int64_t>(spec);
    default: spec.view.unsupported(std::string("a product of ") + dtype_name(spec.inputs[0].dtype()));
  }
}

}  // namespace maas
