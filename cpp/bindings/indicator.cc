// Label sets, dense and sparse: counts by label and by row.
#include "maas/metrics/indicator.h"

#include <pybind11/stl.h>

#include <optional>

#include "csr.h"
#include "engine_call.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using OptionalArray = std::optional<py::array>;

void require_shape(const ArrayMatrix& a, const ArrayMatrix& b) {
  if (a.rows() != b.rows() || a.columns != b.columns)
    throw_invalid("array", "expected matrices of one shape");
}

template <class Sum>
py::array_t<Sum> array_of(const std::vector<Sum>& values) {
  return py::array_t<Sum>(static_cast<py::ssize_t>(values.size()), values.data());
}

// (right, predicted, true) of each label: int64, or float64 with weights.
template <class Matrix>
py::tuple label_sums(const Matrix& truth, const Matrix& predicted, const OptionalArray& weight) {
  const ArrayView w = number_view(weight);
  const auto as_tuple = [](const auto& sums) {
    return py::make_tuple(array_of(sums.right), array_of(sums.predicted), array_of(sums.truth));
  };
  if (!w) {
    const auto sums = [&] {
      const EngineCall call;
      return count_indicators(truth, predicted);
    }();
    return as_tuple(sums);
  }
  const auto sums = [&] {
    const EngineCall call;
    return weigh_indicators(truth, predicted, w);
  }();
  return as_tuple(sums);
}

// (right, predicted, true) of each row, int64.
template <class Matrix>
py::tuple row_sums(const Matrix& truth, const Matrix& predicted, size_t rows) {
  py::array_t<int64_t> right(static_cast<py::ssize_t>(rows)), predictions(static_cast<py::ssize_t>(rows)),
      truths(static_cast<py::ssize_t>(rows));
  const RowCounts out{right.mutable_data(), predictions.mutable_data(), truths.mutable_data()};
  {
    const EngineCall call;
    count_row_labels(truth, predicted, out);
  }
  return py::make_tuple(right, predictions, truths);
}

py::tuple dense_label_sums(const py::array& truth, const py::array& predicted, const OptionalArray& weight) {
  const ArrayMatrix t = number_matrix(truth), p = number_matrix(predicted);
  require_shape(t, p);
  require_rows(number_view(weight), t.rows());
  return label_sums(t, p, weight);
}

py::tuple dense_row_sums(const py::array& truth, const py::array& predicted) {
  const ArrayMatrix t = number_matrix(truth), p = number_matrix(predicted);
  require_shape(t, p);
  return row_sums(t, p, t.rows());
}

using SparseParts = std::tuple<Array<uint8_t>, Array<int32_t>, Array<int64_t>, size_t>;

// Checks the structure; the columns of a row must ascend (Python sorts them).
class SparseArgument {
 public:
  explicit SparseArgument(const SparseParts& parts)
      : csr_(std::get<0>(parts), std::get<1>(parts), std::get<2>(parts), std::get<3>(parts)) {}
  SparseIndicator view() const {
    const CsrView<uint8_t>& v = csr_.view();
    return {v.columns, v.starts, v.rows, v.cols};
  }

 private:
  CsrArgument<uint8_t> csr_;
};

void require_shape(const SparseIndicator& a, const SparseIndicator& b) {
  if (a.rows != b.rows || a.labels != b.labels) throw_invalid("array", "expected matrices of one shape");
}

py::tuple sparse_label_sums(const SparseParts& truth, const SparseParts& predicted,
                            const OptionalArray& weight) {
  const SparseArgument t(truth), p(predicted);
  require_shape(t.view(), p.view());
  require_rows(number_view(weight), t.view().rows);
  return label_sums(t.view(), p.view(), weight);
}

py::tuple sparse_row_sums(const SparseParts& truth, const SparseParts& predicted) {
  const SparseArgument t(truth), p(predicted);
  require_shape(t.view(), p.view());
  return row_sums(t.view(), p.view(), t.view().rows);
}

// (least, greatest) value of a matrix that has at most two, else None.
py::object two(const py::array& matrix) {
  const ArrayMatrix m = number_matrix(matrix);
  std::optional<std::pair<double, double>> values;
  {
    const EngineCall call;
    values = two_values(m);
  }
  if (!values) return py::none();
  return py::make_tuple(values->first, values->second);
}

}  // namespace

void register_indicator(py::module_& m) {
  m.def("two_values", &two);
  m.def("indicator_label_sums", &dense_label_sums);
  m.def("indicator_row_sums", &dense_row_sums);
  m.def("sparse_label_sums", &sparse_label_sums);
  m.def("sparse_row_sums", &sparse_row_sums);
}

}  // namespace maas::bindings
