"""Sparse rows: each estimator against its dense self and scikit-learn, every format scipy has, and memory."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine import _core
from maas_engine.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier, SGDRegressor


def random_rows(rows, columns, density=0.05, seed=0):
    """A CSR matrix with empty rows and columns, and weights."""
    random = np.random.default_rng(seed)
    X = sparse.random(rows, columns, density, format="lil", random_state=seed)
    X[::17] = 0
    X[:, ::13] = 0
    return X.tocsr(), random


def two_classes(rows=400, columns=150, density=0.1, seed=0):
    X, random = random_rows(rows, columns, density, seed)
    X.data -= 0.3
    y = np.where(X @ random.standard_normal(columns) + random.logistic(size=rows) / 4 > 0, "yes", "no")
    return X, y, random.uniform(0, 2, rows)


def logistic_objective(model, X, codes, weight, C=1.0):
    margin = np.asarray(X.astype(np.float64) @ model.coef_.T.astype(np.float64)) + model.intercept_
    if margin.shape[1] == 1:
        margin = np.hstack([np.zeros_like(margin), margin])
    losses = np.logaddexp.reduce(margin, axis=1) - margin[np.arange(len(codes)), codes]
    return C * weight @ losses + (model.coef_**2).sum() / 2


@parametrize_with_checks([LogisticRegression(solver="newton-cholesky"), LinearRegression(), Ridge()])
def test_estimator_contract(estimator, check):
    if "sparse" in check.func.__name__:
        check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", [30, 150, 900])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_logistic_is_the_dense_optimum(columns, fit_intercept, dtype):
    X, y, weight = two_classes(columns=columns)
    X = X.astype(dtype)
    model = LogisticRegression(fit_intercept=fit_intercept).fit(X, y, weight)
    theirs = sk.LogisticRegression(fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-10)
    theirs.fit(X.toarray().astype(np.float64), y, weight)
    codes = (y == "yes").astype(int)
    best = logistic_objective(theirs, X, codes, weight)
    assert logistic_objective(model, X, codes, weight) <= best * (1 + (1e-7 if dtype == np.float32 else 1e-8))
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-5 if dtype == np.float32 else 1e-6)
    assert model.coef_.dtype == dtype


@pytest.mark.parametrize("C", [1.0, 100.0])
def test_multinomial_is_the_dense_optimum(C):
    X, y = load_digits(return_X_y=True)
    X, y = X[::3] / 16, y[::3]
    weight = np.linspace(0, 2, len(y))
    model = LogisticRegression(C=C).fit(sparse.csr_array(X), y, weight)
    theirs = sk.LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10, warm_start=True)
    theirs.coef_, theirs.intercept_ = model.coef_, model.intercept_  # the optimum is one: it is there sooner
    theirs.fit(X, y, weight)
    best = logistic_objective(theirs, X, y, weight, C)
    assert logistic_objective(model, X, y, weight, C) <= best * (1 + 1e-8)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_array(X)), theirs.predict_proba(X), atol=1e-5)
    assert abs(model.intercept_.sum()) < 1e-12


@pytest.mark.parametrize("solver", ["gd", "adam"])
def test_descent_is_that_of_dense_rows(solver):
    X, y, _ = two_classes()
    settings = {"solver": solver, "max_iter": 20, "learning_rate": 0.3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(**settings).fit(X, y)
        dense = LogisticRegression(**settings).fit(X.toarray(), y)
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("parameters", [{"solver": "sgd"}, {"solver": "adam", "batch_size": 8}])
def test_steps_by_batches_refuse_sparse_rows(parameters):
    X, y, _ = two_classes()
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        LogisticRegression(**parameters).fit(X, y)


@pytest.mark.parametrize("shape", [(500, 30), (300, 800), (900, 700), (25, 12)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_is_the_dense_optimum(shape, fit_intercept):
    random = np.random.default_rng(0)
    X = sparse.random(*shape, 0.1, format="csr", random_state=1)
    y = X @ random.standard_normal((shape[1], 2)) + random.standard_normal((shape[0], 2)) + 3
    weight = random.uniform(0.1, 2, shape[0])
    model = LinearRegression(fit_intercept=fit_intercept).fit(X, y, weight)
    theirs = sk.LinearRegression(fit_intercept=fit_intercept).fit(X.toarray(), y, weight)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-6 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(model.predict(X), theirs.predict(X.toarray()), atol=1e-6)
    for alpha in (2.0, [0.1, 5.0]):
        ridge = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(X, y, weight)
        theirs = sk.Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="cholesky")
        theirs.fit(X.toarray(), y, weight)
        np.testing.assert_allclose(ridge.coef_, theirs.coef_, atol=1e-6 * np.abs(theirs.coef_).max())
        np.testing.assert_allclose(ridge.intercept_, theirs.intercept_, atol=1e-6)


def test_rank_deficient_columns_give_the_least_norm():
    X = sparse.csr_array(np.array([[1.0, 1, 0], [2, 2, 0], [0, 0, 1], [3, 3, 1]]))
    y = np.array([1.0, 2, 5, 8])
    model = LinearRegression(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, [0.5, 0.5, 5], atol=1e-9)
    assert model.solver_ == "cg"


def test_solvers_that_need_dense_rows_say_so():
    X, random = random_rows(50, 10)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        Ridge(solver="svd").fit(X, random.standard_normal(50))


SGD = {"max_iter": 5, "tol": None, "random_state": 0, "alpha": 1e-3}


@pytest.mark.parametrize("loss", ["hinge", "log_loss", "modified_huber", "squared_error"])
@pytest.mark.parametrize("penalty", ["l2", "l1", None])
@pytest.mark.parametrize("average", [False, 5])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sgd_is_that_of_dense_rows(loss, penalty, average):
    X, y, weight = two_classes()
    settings = {**SGD, "loss": loss, "penalty": penalty, "average": average, "fit_intercept": False}
    settings |= {"learning_rate": "invscaling", "eta0": 0.1}
    model = SGDClassifier(**settings).fit(X, y, sample_weight=weight)
    dense = SGDClassifier(**settings).fit(X.toarray(), y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("average", [False, 5])
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sgd_is_scikit_learns(penalty, average):
    X, y, weight = two_classes()
    settings = {**SGD, "penalty": penalty, "average": average, "shuffle": False}
    model = SGDClassifier(**settings).fit(X, y, sample_weight=weight)
    theirs = sk.SGDClassifier(**settings).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, rtol=1e-8)
    target = X @ np.arange(X.shape[1]) / 50
    model = SGDRegressor(**settings).fit(X, target)
    theirs = sk.SGDRegressor(**settings).fit(X, target)
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sgd_stops_early_and_goes_on_with_sparse_rows():
    X, y, _ = two_classes(rows=600)
    model = SGDClassifier(early_stopping=True, random_state=0, penalty="elasticnet").fit(X, y)
    assert model.score(X, y) > 0.75
    model = SGDClassifier(random_state=0)
    for part in (slice(0, 300), slice(300, 600)):
        model.partial_fit(X[part], y[part], classes=["no", "yes"])
    assert model.t_ == 601


# All formats below hold the same matrix.


def read_only(X):
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def unsorted(X):
    X = X.copy()
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        X.indices[part] = X.indices[part][::-1].copy()
        X.data[part] = X.data[part][::-1].copy()
    X.has_sorted_indices = False
    return X


def with_duplicates(X):
    halves = np.repeat(X.data / 2, 2)
    return sparse.csr_matrix((halves, np.repeat(X.indices, 2), X.indptr * 2), shape=X.shape)


def with_zeros(X):
    coo = X.tocoo()
    rows, columns = np.append(coo.row, [0, 1, 2]), np.append(coo.col, [0, 0, 13])
    return sparse.csr_matrix((np.append(coo.data, [0.0, 0, 0]), (rows, columns)), shape=X.shape)


def long_indices(X):
    X = X.copy()
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


FORMATS = [
    lambda X: X.tocsc(),
    lambda X: X.tocoo(),
    lambda X: X.tolil(),
    sparse.csr_array,
    read_only,
    unsorted,
    with_duplicates,
    with_zeros,
    long_indices,
]
ESTIMATORS = [
    LogisticRegression(),
    Ridge(),
    LinearRegression(),
    SGDClassifier(**{**SGD, "average": True}),
    SGDRegressor(**SGD),
]


@pytest.mark.parametrize("convert", FORMATS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_format_is_the_same_matrix(estimator, convert):
    X, y, _ = two_classes(rows=200, columns=60)
    y = (y == "yes").astype(float)
    expected = estimator.fit(X, y).coef_
    converted = convert(X.copy())
    before = converted.copy()
    model = estimator.fit(converted, y)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.predict(converted), model.predict(X.toarray()), atol=1e-10)
    assert abs(converted - before).max() == 0  # as it was
    assert converted.nnz == before.nnz


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_nan_and_infinity_are_refused(estimator, bad):
    X, y, _ = two_classes(rows=200, columns=60)
    y = (y == "yes").astype(float)
    spoilt = X.copy()
    spoilt.data[7] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        estimator.fit(spoilt, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        estimator.predict(spoilt)


def test_shapes_are_checked():
    X, y, _ = two_classes()
    with pytest.raises(ValueError, match="sample"):
        LogisticRegression().fit(X[:0], y[:0])
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, y[:-1])


def test_structure_is_checked_before_it_is_followed():
    values, starts, w = np.ones(3), np.array([0, 1, 3], np.int64), np.ones((1, 4))
    for columns in ([0, 1, 4], [0, -1, 2]):
        with pytest.raises(ValueError, match="columns"):
            _core.sparse_predict(values, np.array(columns, np.int32), starts, 4, w, np.zeros(1))
    good = np.array([0, 1, 2], np.int32)
    for bad in ([0, 4, 3], [1, 1, 3], [0, 1, 2]):
        with pytest.raises(ValueError, match="starts"):
            _core.sparse_predict(values, good, np.array(bad, np.int64), 4, w, np.zeros(1))


@pytest.fixture
def _same_settings_after():
    threads = maas_engine.get_num_threads()
    yield
    maas_engine.set_num_threads(threads)
    _core.set_target("")


@pytest.mark.usefixtures("_same_settings_after")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_same_bits_on_any_threads_and_target(dtype):
    X, random = random_rows(12_000, 700, 0.03)
    X = X.astype(dtype)
    score = X @ random.standard_normal(700)
    classes = np.digitize(score, [-0.5, 0.5])

    def everything():
        models = [
            LogisticRegression().fit(X, classes > 0),
            LogisticRegression(max_iter=3).fit(X, classes),
            Ridge().fit(X, score.astype(dtype)),
            SGDClassifier(max_iter=2, random_state=0, penalty="elasticnet").fit(X, classes),
        ]
        parts = [part for model in models for part in (model.coef_, model.intercept_, model.predict(X))]
        return b"".join(np.asarray(part).tobytes() for part in parts)

    expected = everything()
    for target in _core.supported_targets():
        _core.set_target(target)
        if not _core.target_has_fma():
            continue
        for threads in (1, 2, 4):
            maas_engine.set_num_threads(threads)
            assert everything() == expected, (target, threads)


def test_a_row_has_the_same_scores_alone_and_in_a_batch():
    X, y, _ = two_classes()
    model = LogisticRegression().fit(X, y)
    scores = model.decision_function(X)
    for rows in (slice(0, 1), slice(3, 7), slice(100, 400)):
        np.testing.assert_array_equal(model.decision_function(X[rows]), scores[rows])


WIDE = """
import resource, numpy as np
from scipy import sparse
from maas_engine.linear_model import *
rows, columns, of_row = 20_000, 2_000_000, 20
random = np.random.default_rng(0)
indices = np.sort(random.integers(0, columns, (rows, of_row)), axis=1).astype(np.int32)
X = sparse.csr_matrix(
    (random.standard_normal(rows * of_row), indices.ravel(), np.arange(0, rows * of_row + 1, of_row)),
    shape=(rows, columns))
y = np.where(X.sum(axis=1).A1 > 0, 1.0, -1.0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = {estimator}.fit(X, y)
model.predict(X)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize(
    "estimator",
    ["LogisticRegression()", "Ridge(alpha=100)", "SGDClassifier(max_iter=2, tol=None)"],
)
def test_memory_grows_with_the_nonzeros_and_the_columns(estimator):
    code = "import warnings; warnings.simplefilter('ignore')" + WIDE.format(estimator=estimator)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Dense, it would be 320 GB. A vector of the columns is 16 MB; a dozen of them are in use.
    assert float(done.stdout) < 300
