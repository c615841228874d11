// Resampling of metrics. Arrays come contiguous and checked from Python, which also turns sums into figures.
#include "maas/metrics/bootstrap.h"

#include <pybind11/stl.h>

#include <numeric>

#include "array.h"
#include "engine_call.h"
#include "maas/kernels/error_terms.h"
#include "module.h"
#include "number_array.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using Sizes = std::vector<uint64_t>;

template <class T>
const T* contiguous(const Array<T>& a, size_t rows) {
  const VectorView<T> view = vector_view(a);
  if (view.size != rows || (view.stride != 1 && rows > 1)) {
    throw_invalid("bootstrap", "expected contiguous arrays of one length");
  }
  return view.data;
}

size_t rows_of(const Sizes& strata) { return std::accumulate(strata.begin(), strata.end(), size_t{0}); }

py::array_t<double> matrix(size_t rows, size_t columns) {
  return py::array_t<double>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)});
}

py::array_t<int64_t> cells(uint64_t seed, size_t resamples, const std::vector<Sizes>& strata) {
  size_t width = 0;
  for (const Sizes& sizes : strata) width += sizes.size();
  py::array_t<int64_t> out({static_cast<py::ssize_t>(resamples), static_cast<py::ssize_t>(width)});
  int64_t* values = out.mutable_data();
  const EngineCall call;
  bootstrap_cells(seed, resamples, strata, values);
  return out;
}

// Columns of shape (c, n), C-contiguous.
py::array_t<double> sums(uint64_t seed, size_t resamples, const Sizes& strata, const Array<double>& columns) {
  const MatrixView<double> view = matrix_view(columns);
  if (view.cols != rows_of(strata) || view.col_stride != 1) throw_invalid("bootstrap", "expected whole rows");
  std::vector<const double*> starts;
  for (size_t c = 0; c < view.rows; ++c) starts.push_back(view.at(c, 0));
  py::array_t<double> out = matrix(resamples, starts.size());
  double* values = out.mutable_data();
  const EngineCall call;
  bootstrap_sums(seed, resamples, strata, starts, values);
  return out;
}

// (flags, places or None, weights or None) of an order.
using Order = std::tuple<Array<uint8_t>, std::optional<Array<uint32_t>>, std::optional<Array<double>>>;

RankedRows ranked_rows(const Order& order, size_t rows) {
  const auto& [flags, place, weight] = order;
  return {contiguous(flags, rows), place ? contiguous(*place, rows) : nullptr,
          weight ? contiguous(*weight, rows) : nullptr};
}

py::array_t<double> ranking(int kind, uint64_t seed, size_t resamples, const Sizes& strata,
                            const std::vector<Order>& orders) {
  std::vector<RankedRows> views;
  for (const Order& order : orders) views.push_back(ranked_rows(order, rows_of(strata)));
  py::array_t<double> out = matrix(resamples, orders.size());
  double* values = out.mutable_data();
  const EngineCall call;
  bootstrap_ranking(static_cast<RankingMetric>(kind), seed, resamples, strata, views, values);
  return out;
}

py::array_t<double> jackknife(int kind, const Order& order) {
  const auto rows = static_cast<size_t>(std::get<0>(order).size());
  const RankedRows view = ranked_rows(order, rows);
  py::array_t<double> out(static_cast<py::ssize_t>(rows));
  double* values = out.mutable_data();
  const EngineCall call;
  jackknife_ranking(static_cast<RankingMetric>(kind), view, rows, values);
  return out;
}

py::array_t<int64_t> drawn_rows(uint64_t seed, uint64_t resample, const Sizes& strata) {
  py::array_t<int64_t> out(static_cast<py::ssize_t>(rows_of(strata)));
  int64_t* rows = out.mutable_data();
  const EngineCall call;
  bootstrap_rows(seed, resample, strata, rows);
  return out;
}

py::array_t<double> terms(int term, double parameter, const py::array& y, const py::array& predicted) {
  const ArrayView t = number_view(y), p = number_view(predicted);
  require_rows(p, t.size);
  py::array_t<double> out(static_cast<py::ssize_t>(t.size));
  double* values = out.mutable_data();
  const EngineCall call;
  double y_block[kBlockRows], p_block[kBlockRows];
  for (size_t begin = 0; begin < t.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, t.size - begin);
    error_terms(static_cast<ErrorTerm>(term), parameter, read_doubles(t, begin, n, y_block),
                read_doubles(p, begin, n, p_block), n, values + begin);
  }
  return out;
}

}  // namespace

void register_bootstrap(py::module_& m) {
  m.def("bootstrap_cells", &cells);
  m.def("bootstrap_sums", &sums);
  m.def("bootstrap_ranking", &ranking);
  m.def("bootstrap_rows", &drawn_rows);
  m.def("jackknife_ranking", &jackknife);
  m.def("error_terms", &terms);
}

}  // namespace maas::bindings
