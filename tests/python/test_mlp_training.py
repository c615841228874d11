"""Networks trained: bits on threads and layouts, sparse and mapped rows, dropout, class weights, solvers, trouble."""

from __future__ import annotations

import _thread
import copy
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from fit_everywhere import bits_everywhere
from mlp_data import data
from sklearn import neural_network as sk
from sklearn.base import clone
from sklearn.utils import compute_class_weight, compute_sample_weight

import maas_engine
from maas_engine.neural_network import MLPClassifier, MLPRegressor
from maas_engine.neural_network._graphs import ACTIVATIONS
from maas_engine.neural_network._rows import Rows
from maas_engine.nn import optimizers, schedules

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (12, 6), "max_iter": 8, "random_state": 0}


def weights_of(estimator: Any) -> bytes:
    return b"".join(values.tobytes() for values in estimator.coefs_ + estimator.intercepts_)


# --- the same bits everywhere ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(**SMALL),
        MLPClassifier(solver="lbfgs", **SMALL),
        MLPClassifier(dropout=0.2, early_stopping=True, activation="tanh", **SMALL),
        MLPClassifier((100,), solver="sgd", batch_size=700, max_iter=2, random_state=0),
    ],
)
def test_same_bits_everywhere(estimator: Any, dtype: Any) -> None:
    X, y = data("digits")

    def fit(X: Any) -> Any:
        model = clone(estimator).fit(X, y)
        model.packed_ = np.frombuffer(weights_of(model), np.uint8)
        return model

    assert len(bits_everywhere(X.astype(dtype), fit, "packed_", "loss_")) == 1


@pytest.mark.parametrize("state", [5, np.random.RandomState(5)])
def test_random_states_are_numpys(state: Any) -> None:
    X, y = data("iris")
    theirs = sk.MLPClassifier(**{**SMALL, "random_state": copy.deepcopy(state)}).fit(X, y)
    ours = MLPClassifier(**{**SMALL, "random_state": copy.deepcopy(state)}).fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)


def test_targets_of_any_type_and_layout() -> None:
    X, y = data("linnerud")
    reference = weights_of(MLPRegressor(**SMALL).fit(X, y))
    for same in (np.asfortranarray(y), np.stack([y, y])[:, ::1][0], y.tolist()):
        assert weights_of(MLPRegressor(**SMALL).fit(X, same)) == reference
    X, y = data("iris")
    reference = weights_of(MLPClassifier(**SMALL).fit(X, y))
    for same in (y.astype(np.int8), y.astype(float), y.astype(str), y.tolist(), y.astype(str).astype(object)):
        assert weights_of(MLPClassifier(**SMALL).fit(X, same)) == reference


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_sparse_rows(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data("digits")
    X = np.where(np.abs(X) < 0.5, 0, X)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, len(y))
    estimator = MLPClassifier((10,), solver=solver, max_iter=4, batch_size=32, random_state=0)
    dense = clone(estimator).fit(X, y, sample_weight=weight)
    monkeypatch.setattr("maas_engine.neural_network._rows._BLOCK", 5000)  # several blocks
    for kind in (scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array):
        sparse = clone(estimator).fit(kind(X), y, sample_weight=weight)
        if solver == "lbfgs":
            np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], rtol=1e-6, atol=1e-9)
        else:
            assert weights_of(sparse) == weights_of(dense)
            assert sparse.loss_ == pytest.approx(dense.loss_, rel=1e-12)
    monkeypatch.setattr("maas_engine.neural_network._predictor._SPARSE_BLOCK", 640)
    assert dense.predict_proba(scipy.sparse.csr_array(X)).tobytes() == dense.predict_proba(X).tobytes()
    stopped = clone(estimator).set_params(early_stopping=solver != "lbfgs")
    again = clone(stopped).fit(scipy.sparse.csr_array(X), y)
    np.testing.assert_allclose(again.coefs_[0], stopped.fit(X, y).coefs_[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_rows_are_not_copied(solver: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data("diabetes")
    X = np.asfortranarray(X.astype(dtype))[::2]
    met = []
    for name in ("run", "gradient"):
        method = getattr(Rows, name)

        def note(self: Rows, *arguments: Any, method: Any = method) -> Any:
            met.append(self.X)
            return method(self, *arguments)

        monkeypatch.setattr(Rows, name, note)
    MLPRegressor(solver=solver, **SMALL).fit(X, y[::2])
    assert met
    assert all(rows.ctypes.data == X.ctypes.data for rows in met)


def test_mapped_rows(tmp_path: Path) -> None:
    X, y = data("digits")
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = MLPClassifier(**SMALL).fit(mapped, y)
    assert weights_of(model) == weights_of(MLPClassifier(**SMALL).fit(X.astype(np.float32), y))
    assert model.coefs_[0].dtype == np.float32


# --- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("solver", "dropout"), [("adam", 0.0), ("sgd", 0.3), ("rmsprop", 0.5)])
def test_partial_fit_goes_on_after_a_pickle(solver: str, dropout: float) -> None:
    X, y = data("iris")
    model = MLPClassifier((8,), solver=solver, dropout=dropout, random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    other = pickle.loads(pickle.dumps(model))
    for _ in range(3):
        model.partial_fit(X, y)
        other.partial_fit(X, y)
    assert weights_of(model) == weights_of(other)
    assert model.loss_curve_ == other.loss_curve_


def test_partial_fit_takes_new_parameters_and_weights() -> None:
    X, y = data("diabetes")
    model = MLPRegressor(hidden_layer_sizes=(8,), random_state=0).partial_fit(X, y)
    model.set_params(alpha=10.0).partial_fit(X, y)
    model.coefs_ = [0 * values for values in model.coefs_]
    model.intercepts_ = [0 * values for values in model.intercepts_]
    model.partial_fit(X, y)
    assert model.loss_curve_[-1] == pytest.approx(0.5 * np.mean(y**2), rel=1e-2)


def test_other_layers_need_a_new_start() -> None:
    X, y = data("iris")
    model = MLPClassifier(warm_start=True, **SMALL).fit(X, y)
    with pytest.raises(ValueError, match="expected layers of the sizes"):
        model.set_params(hidden_layer_sizes=(5,)).fit(X, y)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        model.set_params(hidden_layer_sizes=(12, 6)).fit(X, np.minimum(y, 1))
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`"):
        model.set_params(warm_start=False).partial_fit(X, y + 1)


def test_seeds() -> None:
    X, y = data("iris")
    maas_engine.set_seed(3)
    first = weights_of(MLPClassifier((4,), max_iter=2).fit(X, y))
    assert weights_of(MLPClassifier((4,), max_iter=2).fit(X, y)) != first
    maas_engine.set_seed(3)
    assert weights_of(MLPClassifier((4,), max_iter=2).fit(X, y)) == first
    maas_engine.set_seed(None)


# --- ours beyond scikit-learn's -------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.3, [0.0, 0.5], (0.2, 0.2)])
def test_dropout(dropout: Any) -> None:
    X, y = data("digits")
    plain = MLPClassifier((32, 32), max_iter=15, random_state=0).fit(X, y)
    model = clone(plain).set_params(dropout=dropout).fit(X, y)
    assert model.loss_ > plain.loss_
    assert model.score(X, y) > 0.9
    assert weights_of(clone(model).fit(X, y)) == weights_of(model)
    assert all(node.op != "Dropout" for node in model.to_model().graph.nodes)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": [0.1]}, "one a hidden layer"),
        ({"dropout": [0.1, -0.1]}, r"dropout must be in \[0, 1\)"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "dropout needs a stochastic solver"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"solver": "newton"}, "solver"),
        ({"activation": "sin"}, "activation"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "validation"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**{**SMALL, **parameters}).fit(*data("diabetes"))


@pytest.mark.parametrize("name", ["iris", "cancer"])
def test_class_weights_are_row_weights(name: str) -> None:
    X, y = data(name)
    balanced = compute_class_weight("balanced", classes=np.unique(y), y=y)
    rows = np.random.default_rng(0).uniform(0.5, 1.5, len(y))
    reference = MLPClassifier(**SMALL).fit(X, y, sample_weight=balanced[y] * rows)
    for given in ("balanced", dict(enumerate(balanced))):
        model = MLPClassifier(class_weight=given, **SMALL).fit(X, y, sample_weight=rows)
        np.testing.assert_allclose(model.coefs_[0], reference.coefs_[0], rtol=1e-9)
    X, y = data("labels")
    weight = compute_sample_weight("balanced", y)
    reference = MLPClassifier(**SMALL).fit(X, y, sample_weight=weight)
    model = MLPClassifier(class_weight="balanced", **SMALL).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0], reference.coefs_[0], rtol=1e-9)
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=np.unique(y))


def test_batches_without_weight_change_nothing() -> None:
    X, y = data("iris")
    options = {"hidden_layer_sizes": (4,), "solver": "sgd", "momentum": 0.0, "alpha": 50.0, "random_state": 0}
    model = MLPClassifier(batch_size=10, shuffle=False, max_iter=3, **options)
    weight = np.ones(len(y))
    weight[30:40] = 0  # a whole batch
    model.fit(X, y, sample_weight=weight)
    kept = np.r_[0:30, 40 : len(y)]
    assert weights_of(clone(model).fit(X[kept], y[kept])) == weights_of(model)


@pytest.mark.parametrize(
    "solver",
    [
        "adamw",
        "rmsprop",
        "adagrad",
        optimizers.Adam(schedules.ExponentialDecay(0.02, 100, 0.9)),
        optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0),
        optimizers.AdamW(0.05, weight_decay=0.01),
    ],
)
def test_other_optimizers(solver: Any) -> None:
    X, y = data("iris")
    rate = 0.3 if solver == "adagrad" else 0.05
    model = MLPClassifier((16,), solver=solver, learning_rate_init=rate, max_iter=60, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.93
    assert weights_of(clone(model).fit(X, y)) == weights_of(model)


def test_optimizers_of_one_formula_are_the_same() -> None:
    X, y = data("diabetes")
    adam = MLPRegressor(**SMALL).fit(X, y)
    same = MLPRegressor(solver=optimizers.Adam(0.001, epsilon=1e-8), **SMALL).fit(X, y)
    assert weights_of(same) == weights_of(adam)
    sgd = MLPRegressor(solver="sgd", learning_rate_init=0.01, **SMALL).fit(X, y)
    same = MLPRegressor(solver=optimizers.SGD(0.01, momentum=0.9, nesterov=True), **SMALL).fit(X, y)
    assert weights_of(same) == weights_of(sgd)


@pytest.mark.parametrize("activation", ACTIVATIONS[4:])
def test_other_activations(activation: str) -> None:
    X, y = data("diabetes")
    model = MLPRegressor(hidden_layer_sizes=(16,), activation=activation, solver="lbfgs", random_state=0)
    model.set_params(max_iter=60).fit(X, y)
    assert model.score(X, y) > 0.5
    penalty = 0.5 * model.alpha / len(X) * sum(np.vdot(coef, coef) for coef in model.coefs_)
    assert model.loss_ == pytest.approx(0.5 * np.mean((model.predict(X) - y) ** 2) + penalty, rel=1e-8)


# --- trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_diverging_steps_are_named(dtype: Any) -> None:
    X, y = data("diabetes")
    model = MLPRegressor(hidden_layer_sizes=(8,), solver="sgd", momentum=0.0, random_state=0)
    model.set_params(learning_rate_init=1e20)
    with pytest.raises(ValueError, match=r"non-finite.*epoch \d+, step \d+ of 3, at learning rate 1e\+20"):
        model.fit(X.astype(dtype), y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_input(value: float) -> None:
    X, y = data("diabetes")
    bad = X.copy()
    bad[-1, -1] = value
    model = MLPRegressor(**SMALL)
    with pytest.raises(ValueError, match="Input X contains"):
        model.fit(bad, y)
    model.fit(X, y)
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(bad)
    with pytest.raises(ValueError, match="Input y contains"):
        model.fit(X, np.where(np.arange(len(y)) == 3, value, y))
    with pytest.raises(ValueError, match="sample_weight contains"):
        model.fit(X, y, sample_weight=np.where(np.arange(len(y)) == 3, value, 1.0))


def test_targets_that_do_not_fit() -> None:
    X, y = data("iris")
    with pytest.raises(ValueError, match="greater than one; got 1 class"):
        MLPClassifier().fit(X, np.ones(len(y)))
    with pytest.raises(ValueError, match="Multioutput target data is not supported"):
        MLPClassifier().fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="Unknown label type"):
        MLPClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="expected y >= 0 for loss='poisson'"):
        MLPRegressor(loss="poisson").fit(X, X[:, 0])
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPClassifier(solver="lbfgs").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPClassifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"weight.*zero"):
        MLPClassifier().fit(X, y, sample_weight=np.zeros(len(y)))


def test_labels_in_sparse_rows() -> None:
    X, y = data("labels")
    reference = MLPClassifier(**SMALL).fit(X, y)
    model = MLPClassifier(**SMALL).fit(X, scipy.sparse.csr_array(y))
    assert weights_of(model) == weights_of(reference)
    assert model.predict(X).shape == y.shape
    assert np.array_equal(model.predict_proba(X) > 0.5, model.predict(X))
    assert np.all(model.predict_log_proba(X) <= 0)


@pytest.mark.parametrize(("solver", "method"), [("adam", "run"), ("lbfgs", "gradient")])
def test_interrupts_keep_the_last_weights(solver: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data("digits")
    model = MLPClassifier((16,), solver=solver, max_iter=10**5, tol=0, n_iter_no_change=10**6, random_state=0)
    calls, plain = [], getattr(Rows, method)

    def interrupted(self: Rows, *arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 10:
            _thread.interrupt_main()
        return plain(self, *arguments)

    monkeypatch.setattr(Rows, method, interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert 0 < model.n_iter_ < 10
    last = clone(model).set_params(max_iter=model.n_iter_).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), last.predict_proba(X), rtol=1e-9)


def test_interrupts_end_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200_000, 20)), rng.integers(0, 2, 200_000)
    model = MLPClassifier((64,), batch_size=1, max_iter=10**5, random_state=0)  # an epoch of many seconds
    timer, plain = threading.Timer(0.2, _thread.interrupt_main), Rows.run

    def run(self: Rows, *arguments: Any) -> Any:
        timer.start()
        return plain(self, *arguments)

    monkeypatch.setattr(Rows, "run", run)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    timer.join()
    assert model.n_iter_ == 0
    assert np.isfinite(model.predict_proba(X[:9])).all()


def test_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = data("iris")
    model = MLPClassifier((4,), max_iter=2, verbose=True, early_stopping=True, random_state=0).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Iteration 1, loss = {model.loss_curve_[0]:.8f}"
    assert lines[1] == f"Validation score: {model.validation_scores_[0]:f}"
    MLPClassifier((4,), max_iter=50, tol=1.0, n_iter_no_change=1, verbose=True).fit(X, y)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Training loss did not improve more than tol=1.000000 for 1 consecutive epochs. Stopping."
