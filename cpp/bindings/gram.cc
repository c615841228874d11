// The moments of rows and what ridge regression makes of them: folds, paths of penalties, streams.
#include <pybind11/stl.h>

#include <memory>

#include "array.h"
#include "csr.h"
#include "engine_call.h"
#include "maas/linear/fold_gram.h"
#include "maas/linear/gram_stream.h"
#include "maas/linear/least_squares.h"
#include "maas/linear/leave_one_out.h"
#include "maas/linear/ridge_path.h"
#include "module.h"

namespace py = pybind11;

namespace maas::bindings {
namespace {

using Weights = std::optional<Array<double>>;
using States = std::vector<std::shared_ptr<GramState>>;

template <class T>
RegressionRows<T> regression_rows(const Array<T>& x, const Array<T>& y, const Weights& weights) {
  RegressionRows<T> rows{matrix_view(x), matrix_view(y), {}};
  if (weights) rows.weights = vector_view(*weights);
  if (rows.y.rows != rows.x.rows || (weights && rows.weights.size != rows.x.rows)) {
    throw_invalid("rows", "expected as many targets and weights as rows");
  }
  return rows;
}

template <class T>
Array<T> copy_out(const std::vector<T>& values, std::vector<py::ssize_t> shape) {
  return Array<T>(std::move(shape), values.data());
}

py::ssize_t size_of(size_t n) { return static_cast<py::ssize_t>(n); }

States share(std::vector<GramState>&& states) {
  States out;
  for (GramState& state : states) out.push_back(std::make_shared<GramState>(std::move(state)));
  return out;
}

// x (n, d), y (n, t), weights (n,) or None, folds (n,) contiguous int32, number of folds -> folds + 1 states
template <class T>
States fold_states(const Array<T>& x, const Array<T>& y, const Weights& weights, const Array<int32_t>& folds,
                   size_t count) {
  const RegressionRows<T> rows = regression_rows(x, y, weights);
  const auto fold_of_row = vector_view(folds);
  if (fold_of_row.size != rows.x.rows || (fold_of_row.stride != 1 && fold_of_row.size > 1)) {
    throw_invalid("fold_gram_states", "expected a contiguous fold number a row");
  }
  std::vector<GramState> states;
  {
    const EngineCall call;
    states = fold_gram_states(rows, fold_of_row.data, count);
  }
  return share(std::move(states));
}

States other_folds(const States& states) {
  if (states.empty()) throw_invalid("training_states", "expected the state of no fold at least");
  std::vector<GramState> plain, training;
  for (const auto& state : states) plain.push_back(*state);
  {
    const EngineCall call;
    training = training_states(plain);
  }
  return share(std::move(training));
}

// states, penalties, intercept -> one (coef (penalties, t, d), intercept (penalties, t), solved) a state
py::list paths(const States& states, const std::vector<double>& penalties, bool intercept) {
  std::vector<const GramState*> plain;
  for (const auto& state : states) plain.push_back(state.get());
  std::vector<RidgePath> found;
  {
    const EngineCall call;
    found = ridge_paths(plain, penalties, intercept);
  }
  py::list out;
  for (size_t s = 0; s < found.size(); ++s) {
    const py::ssize_t t = size_of(plain[s]->targets), d = size_of(plain[s]->features);
    const py::ssize_t count = size_of(penalties.size());
    out.append(py::make_tuple(copy_out(found[s].coef, {count, t, d}),
                              copy_out(found[s].intercept, {count, t}), found[s].solved));
  }
  return out;
}

// coef (k, t, d) and intercept (k, t), contiguous, of k models -> (Σ w r², mean residual, bound on the
// first's rounding), (k, t)
py::tuple errors(const GramState& state, const Array<double>& coef, const Array<double>& intercept) {
  const py::ssize_t t = size_of(state.targets), d = size_of(state.features);
  const bool shaped = coef.ndim() == 3 && intercept.ndim() == 2 && coef.shape(0) == intercept.shape(0) &&
                      coef.shape(1) == t && coef.shape(2) == d && intercept.shape(1) == t;
  if (!shaped || !(coef.flags() & py::array::c_style) || !(intercept.flags() & py::array::c_style)) {
    throw_invalid("moment_errors", "expected contiguous coefficients of this state's shape");
  }
  const py::ssize_t count = coef.shape(0);
  MomentErrors out;
  {
    const EngineCall call;
    out = moment_errors(state, coef.data(), intercept.data(), static_cast<size_t>(count));
  }
  return py::make_tuple(copy_out(out.squared, {count, t}), copy_out(out.mean, {count, t}),
                        copy_out(out.rounding, {count, t}));
}

// -> (Σ w e² (penalties, t), e (n, t, penalties) or None, coef (penalties, t, d) or None, intercept
// (penalties, t) or None)
template <class T>
py::tuple one_out_of(const RegressionRows<T>& rows, bool intercept, std::vector<double> penalties,
                     bool orthogonal, bool store) {
  const py::ssize_t n = size_of(rows.x.rows), d = size_of(rows.x.cols), t = size_of(rows.y.cols);
  const py::ssize_t count = size_of(penalties.size());
  LeaveOneOut out;
  {
    const EngineCall call;
    out = leave_one_out(rows, {intercept, std::move(penalties), orthogonal, store});
  }
  const auto optional = [](const std::vector<double>& values, std::vector<py::ssize_t> shape) -> py::object {
    return values.empty() ? py::object(py::none()) : copy_out(values, std::move(shape));
  };
  return py::make_tuple(copy_out(out.squared, {count, t}), optional(out.residuals, {n, t, count}),
                        optional(out.coef, {count, t, d}), optional(out.intercept, {count, t}));
}

// x (n, d), y (n, t), weights or None, intercept, penalties, orthogonal, store
template <class T>
py::tuple one_out(const Array<T>& x, const Array<T>& y, const Weights& weights, bool intercept,
                  std::vector<double> penalties, bool orthogonal, bool store) {
  return one_out_of(regression_rows(x, y, weights), intercept, std::move(penalties), orthogonal, store);
}

// values, columns, starts, number of columns for x, else the same
template <class T>
py::tuple sparse_one_out(const Array<T>& values, const Array<int32_t>& columns, const Array<int64_t>& starts,
                         size_t column_count, const Array<T>& y, const Weights& weights, bool intercept,
                         std::vector<double> penalties, bool orthogonal, bool store) {
  const CsrArgument<T> x(values, columns, starts, column_count);
  RegressionRows<T> rows{{nullptr, x.view().rows, column_count, 0, 0}, matrix_view(y), {}, x.view()};
  if (weights) rows.weights = vector_view(*weights);
  if (rows.y.rows != rows.x.rows || (weights && rows.weights.size != rows.x.rows)) {
    throw_invalid("rows", "expected as many targets and weights as rows");
  }
  return one_out_of(rows, intercept, std::move(penalties), orthogonal, store);
}

// A state's own least squares: what fit_least_squares makes of it, or the minimum norm solution of the
// moments where that would have gone back to the rows. penalties (1 or t), intercept, cutoff -> (coef (t, d),
// intercept (t,), rank, singular values, factor, whether by Cholesky)
py::tuple solve_state(const GramState& state, bool intercept, std::vector<double> penalties, double cutoff) {
  LeastSquaresFit fit;
  {
    const EngineCall call;
    fit = fit_moments(state, {intercept, std::move(penalties), cutoff, false});
  }
  const py::ssize_t t = size_of(state.targets), d = size_of(state.features);
  return py::make_tuple(copy_out(fit.coef, {t, d}), copy_out(fit.intercept, {t}), fit.rank,
                        copy_out(fit.singular, {size_of(fit.singular.size())}),
                        copy_out(fit.factor, {size_of(fit.factor.size())}), fit.orthogonal);
}

template <class T>
void register_stream(py::module_& m, const char* name) {
  using Stream = GramStream<T>;
  py::class_<Stream>(m, name)
      .def(py::init<size_t, size_t>())
      .def_property_readonly("features", &Stream::features)
      .def_property_readonly("targets", &Stream::targets)
      .def("add",
           [](Stream& stream, const Array<T>& x, const Array<T>& y, const Weights& weights) {
             const RegressionRows<T> rows = regression_rows(x, y, weights);
             const EngineCall call;
             stream.add(rows);
           })
      .def("state",
           [](const Stream& stream) {
             const EngineCall call;
             return std::make_shared<GramState>(stream.state());
           })
      .def(py::pickle(
          [](const Stream& stream) {
            const auto p = stream.parts();
            return py::make_tuple(stream.features(), stream.targets(), p.leaves, p.sums, p.shift, p.x, p.y,
                                  p.weights, p.weighted);
          },
          [](const py::tuple& t) {
            typename Stream::Parts p{t[2].cast<size_t>(),
                                     t[3].cast<std::vector<std::vector<double>>>(),
                                     t[4].cast<std::vector<double>>(),
                                     t[5].cast<std::vector<T>>(),
                                     t[6].cast<std::vector<T>>(),
                                     t[7].cast<std::vector<double>>(),
                                     t[8].cast<bool>()};
            return Stream(t[0].cast<size_t>(), t[1].cast<size_t>(), p);
          }));
}

}  // namespace

void register_gram(py::module_& m) {
  py::class_<GramState, std::shared_ptr<GramState>>(m, "GramState")
      .def_readonly("features", &GramState::features)
      .def_readonly("targets", &GramState::targets)
      .def_readonly("weight", &GramState::weight)
      .def("mean", [](const GramState& s) { return copy_out(s.mean, {size_of(s.size())}); })
      .def("centred",
           [](const GramState& s) { return copy_out(s.centred, {size_of(s.size()), size_of(s.size())}); })
      .def("merge", &GramState::merge, py::call_guard<EngineCall>())
      .def("errors", &errors)
      .def("solve", &solve_state);
  m.def("fold_gram_states", &fold_states<float>);
  m.def("fold_gram_states", &fold_states<double>);
  m.def("training_states", &other_folds);
  m.def("ridge_paths", &paths);
  m.def("leave_one_out", &one_out<float>);
  m.def("leave_one_out", &one_out<double>);
  m.def("sparse_leave_one_out", &sparse_one_out<float>);
  m.def("sparse_leave_one_out", &sparse_one_out<double>);
  register_stream<float>(m, "GramStreamFloat");
  register_stream<double>(m, "GramStreamDouble");
}

}  // namespace maas::bindings
