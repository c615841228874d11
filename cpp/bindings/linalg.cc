// Matrix products: for predictions, tests and benchmarks.
#include <pybind11/numpy.h>

#include <vector>

#include "array.h"
#include "engine_call.h"
#include "maas/kernels/gemm.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

// Below about a microsecond of work, giving the GIL away costs more than holding it.
constexpr size_t kReleaseWork = size_t{1} << 14;

template <class T>
Array<T> empty_matrix(size_t rows, size_t cols) {
  return Array<T>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(cols)});
}

template <class T>
void multiply(MatrixView<T> a, MatrixView<T> b, T* c, const T* bias) {
  const GemmOptions<T> options{.bias = bias};
  const EngineCall call(a.rows * a.cols * b.cols >= kReleaseWork);
  gemm(a, b, c, b.cols, options);
}

template <class T>
Array<T> matmul(const Array<T>& a, const Array<T>& b) {
  const auto left = matrix_view(a), right = matrix_view(b);
  if (left.cols != right.rows) {
    throw_invalid("matmul", "expected as many rows in B as columns in A (" + std::to_string(left.cols) +
                                "), got " + std::to_string(right.rows));
  }
  Array<T> c = empty_matrix<T>(left.rows, right.cols);
  multiply<T>(left, right, c.mutable_data(), nullptr);
  return c;
}

template <class T>
Array<T> linear_predict(const Array<T>& x, const Array<T>& coef, const Array<T>& intercept) {
  const auto rows = matrix_view(x), weights = matrix_view(coef);
  const auto offsets = vector_view(intercept);
  if (weights.cols != rows.cols || offsets.size != weights.rows) {
    throw_invalid("predict", "expected coef of shape (k, " + std::to_string(rows.cols) +
                                 ") and intercept of (k,), got (" + std::to_string(weights.rows) + ", " +
                                 std::to_string(weights.cols) + ") and (" + std::to_string(offsets.size) +
                                 ",)");
  }
  std::vector<T> bias(offsets.size);
  for (size_t j = 0; j < bias.size(); ++j) bias[j] = offsets[j];
  Array<T> y = empty_matrix<T>(rows.rows, weights.rows);
  multiply<T>(rows, weights.transposed(), y.mutable_data(), bias.data());
  return y;
}

// One entry for both types: trying a second overload would cost 0.4 µs a call, as much as a row's answer.
template <class T>
Array<T> typed(const py::array& array) {
  if (!py::isinstance<Array<T>>(array))
    throw py::type_error("expected float32 or float64 arrays of one dtype");
  return py::reinterpret_borrow<Array<T>>(array);
}

py::array matmul_any(const py::array& a, const py::array& b) {
  if (py::isinstance<Array<float>>(a)) return matmul(typed<float>(a), typed<float>(b));
  return matmul(typed<double>(a), typed<double>(b));
}

py::array linear_predict_any(const py::array& x, const py::array& coef, const py::array& intercept) {
  if (py::isinstance<Array<float>>(x)) {
    return linear_predict(typed<float>(x), typed<float>(coef), typed<float>(intercept));
  }
  return linear_predict(typed<double>(x), typed<double>(coef), typed<double>(intercept));
}

}  // namespace

void register_linalg(py::module_& m) {
  const auto arg = [](const char* name) { return py::arg(name).noconvert(); };
  m.def("matmul", &matmul_any, arg("a"), arg("b"), py::pos_only(), "A·B, by the engine's own gemm.");
  m.def("linear_predict", &linear_predict_any, arg("x"), arg("coef"), arg("intercept"), py::pos_only(),
        "X·coefᵀ + intercept, shape (n, k): the bits of a row do not depend on the other rows. NaN and "
        "infinity "
        "pass through.");
}

}  // namespace maas::bindings
