// Products of matrices.
#include "maas/graph/rules.h"

namespace maas {

namespace {

[[noreturn]] void refuse_contraction(const NodeView& view, const char* name) {
  view.unsupported(std::string("would sum over the rows of the batch: ") + name +
                   " has them where the product sums");
}

// "[20, K]": what a matrix must look like for its neighbour.
std::string wanted(bool transposed, int64_t inner, const char* outer) {
  const std::string k = std::to_string(inner);
  return transposed ? std::string("[") + outer + ", " + k + "]" : "[" + k + ", " + outer + "]";
}

OutputTypes gemm(const NodeView& view) {
  expect_type(view, 0, "A", kNumbers);
  expect_same_types(view);
  const bool trans_a = view.get_int("transA", 0) != 0, trans_b = view.get_int("transB", 0) != 0;
  const Shape &a = view.input(0).shape, &b = view.input(1).shape;
  if (a.size() != 2) view.fail("expected A of two dimensions, got " + shape_text(a));
  if (is_batched(a) && trans_a) refuse_contraction(view, "A");
  const int64_t rows = a[trans_a ? 1 : 0], inner = a[trans_a ? 0 : 1];
  expect_unbatched(view, 1, "B");
  if (b.size() != 2 || b[trans_b ? 1 : 0] != inner) {
    view.fail("expected B of shape " + wanted(trans_b, inner, "M") + " for A of shape " + shape_text(a) +
              (trans_a ? " transposed" : "") + ", got " + shape_text(b));
  }
  const Shape out = {rows, b[trans_b ? 0 : 1]};
  if (view.has_input(2)) expect_broadcasts_to(view, "C", view.input(2).shape, out);
  return {{view.input(0).dtype, out}};
}

// As NumPy's matmul: the last two dimensions are matrices, those before broadcast.
OutputTypes matmul(const NodeView& view) {
  expect_type(view, 0, "A", kNumbers);
  expect_same_types(view);
  Shape a = view.input(0).shape, b = view.input(1).shape;
  if (a.empty() || b.empty()) {
    view.fail("expected A and B of at least one dimension, got " + shape_text(a) + " and " + shape_text(b));
  }
  const bool vector_a = a.size() == 1, vector_b = b.size() == 1;
  if (vector_a && is_batched(a)) refuse_contraction(view, "A");
  if (b.size() <= 2 && is_batched(b)) refuse_contraction(view, "B");
  if (vector_a) a.insert(a.begin(), 1);
  if (vector_b) b.push_back(1);
  const int64_t rows = a[a.size() - 2], inner = a.back(), columns = b.back();
  if (b[b.size() - 2] != inner) {
    const std::string k = std::to_string(inner);
    view.fail("expected B of shape " + (vector_b ? "[" + k + "]" : "[..., " + k + ", M]") +
              " for A of shape " + shape_text(view.input(0).shape) + ", got " +
              shape_text(view.input(1).shape));
  }
  const Shape front_a(a.begin(), a.end() - 2), front_b(b.begin(), b.end() - 2);
  Shape out = broadcast(view, front_a, front_b);
  if (rows == kBatch && !out.empty()) {
    view.unsupported("shapes " + shape_text(a) + " and " + shape_text(b) +
                     " would move the rows of the batch from the front");
  }
  if (!vector_a) out.push_back(rows);
  if (!vector_b) out.push_back(columns);
  return {{view.input(0).dtype, out}};
}

}  // namespace

std::span<const Op> matrix_ops() {
  constexpr auto kInt = AttributeType::kInt;
  constexpr auto kFloat = AttributeType::kFloat;
  static const Op ops[] = {
      {"Gemm", "", 2, 3, 1, {{"alpha", kFloat}, {"beta", kFloat}, {"transA", kInt}, {"transB", kInt}}, gemm},
      {"MatMul", "", 2, 2, 1, {}, matmul},
  };
  return ops;
}

}  // namespace maas
