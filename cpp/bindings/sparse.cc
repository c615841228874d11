// Fits and predictions on compressed sparse rows: each takes values, columns, starts and the column count.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/kernels/csr.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

template <class T>
std::vector<T> contiguous(const Array<T>& a) {
  const VectorView<T> view = vector_view(a);
  std::vector<T> out(view.size);
  for (size_t i = 0; i < view.size; ++i) out[i] = view[i];
  return out;
}

template <class T>
Array<T> sparse_predict(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                        size_t column_count, const Array<T>& coef, const Array<T>& intercept) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  const MatrixView<T> weights = matrix_view(coef);
  const std::vector<T> bias = contiguous(intercept);
  const bool flat = weights.col_stride == 1 &&
                    (weights.rows == 1 || weights.row_stride == static_cast<ptrdiff_t>(weights.cols));
  if (weights.cols != column_count || bias.size() != weights.rows || !flat) {
    throw_invalid("predict", "expected a contiguous coef of shape (k, " + std::to_string(column_count) +
                                 ") and an intercept of (k,)");
  }
  Array<T> scores({static_cast<py::ssize_t>(x.view().rows), static_cast<py::ssize_t>(weights.rows)});
  T* const out = scores.mutable_data();
  {
    const EngineCall call;
    csr_scores(x.view(), weights.data, weights.rows, bias.data(), out);
  }
  return scores;
}

template <class T>
void register_for(py::module_& m) {
  const auto exact = [] { return py::arg().noconvert(); };
  m.def("sparse_predict", &sparse_predict<T>, exact(), exact(), exact(), py::arg(), exact(), exact());
}

}  // namespace

void register_sparse(py::module_& m) {
  register_for<double>(m);
  register_for<float>(m);
}

}  // namespace maas::bindings
