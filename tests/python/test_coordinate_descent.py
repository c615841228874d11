"""Lasso, ElasticNet, their paths and cross-validated forms against scikit-learn and against themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.linear_model as peer
from numpy.typing import NDArray
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.model_selection import cross_validate as peer_cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

import maas_engine
from maas_engine import linear_model as ours
from maas_engine.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV, enet_path, lasso_path
from maas_engine.model_selection import cross_validate

Array = NDArray[Any]
EXACT = {"tol": 1e-13, "max_iter": 1_000_000}


@parametrize_with_checks([Lasso(), ElasticNet(), LassoCV(alphas=5, cv=3), ElasticNetCV(alphas=5, cv=3)])
def test_scikit_learn_contract(estimator: Any, check: Any) -> None:
    check(estimator)


def table(name: str) -> tuple[Any, Array]:
    """Return a problem by name: both ways to solve it, dense and sparse."""
    rng = np.random.default_rng(5)
    if name == "diabetes":
        return load_diabetes(return_X_y=True)
    if name == "breast_cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return (X - X.mean(axis=0)) / X.std(axis=0) + 3.0, y.astype(float)
    if name == "wide":
        X = rng.standard_normal((60, 200)) + 0.5 * rng.standard_normal((60, 1)) + 2
        return X, X[:, :8] @ rng.standard_normal(8) + rng.standard_normal(60)
    X = sparse.random_array((150, 120), density=0.1, format="csr", rng=rng)
    return X, np.asarray(X @ (rng.standard_normal(120) * (rng.random(120) < 0.2))) + rng.standard_normal(150)


def largest_alpha(X: Any, y: Array) -> float:
    return float(abs(X.T @ (y - y.mean())).max() / len(y))


def objective(model: Any, X: Any, y: Array, weights: Array | None = None) -> float:
    weights = np.ones(len(y)) if weights is None else weights
    ratio = getattr(model, "l1_ratio", 1.0)
    square = np.average((y - model.predict(X)) ** 2, weights=weights) / 2
    w = model.coef_
    return float(square + model.alpha * (ratio * abs(w).sum() + (1 - ratio) * (w @ w) / 2))


MODELS: list[tuple[str, dict[str, Any]]] = [
    ("Lasso", {}),
    ("Lasso", {"fit_intercept": False}),
    ("Lasso", {"positive": True}),
    ("ElasticNet", {"l1_ratio": 0.6}),
    ("ElasticNet", {"l1_ratio": 0.0}),
]


@pytest.mark.parametrize("name", ["diabetes", "breast_cancer", "wide", "sparse"])
@pytest.mark.parametrize(("model", "options"), MODELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_scikit_learn(name: str, model: str, options: dict[str, Any], weighted: bool) -> None:
    X, y = table(name)
    weights = np.random.default_rng(0).integers(0, 3, len(y)) + 0.5 if weighted else None
    for share in (0.5, 0.05):
        alpha = share * largest_alpha(X, y)
        mine = getattr(ours, model)(alpha=alpha, **options).fit(X, y, weights)
        if options.get("l1_ratio") == 0 and not sparse.issparse(X):
            total = len(y) if weights is None else weights.sum()
            theirs = peer.Ridge(alpha=alpha * total, solver="cholesky").fit(X, y, weights)
        else:
            theirs = getattr(peer, model)(alpha=alpha, **options, **EXACT).fit(X, y, weights)
        scale = abs(theirs.coef_).max() + 1e-12
        np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-6 * scale, rtol=1e-6)
        assert mine.intercept_ == pytest.approx(theirs.intercept_, rel=1e-6, abs=1e-6)
        theirs.alpha, theirs.l1_ratio = alpha, options.get("l1_ratio", 1.0)
        reached, wanted = objective(mine, X, y, weights), objective(theirs, X, y, weights)
        assert reached <= wanted * (1 + 1e-10)
        assert 0 <= mine.dual_gap_ <= 1e-9 * (y @ y)
        assert mine.n_iter_ >= 1


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
def test_weights_count_like_repeated_rows(name: str) -> None:
    X, y = table(name)
    counts = np.random.default_rng(1).integers(0, 4, len(y))
    alpha = 0.05 * largest_alpha(X, y)
    weighted = ElasticNet(alpha, l1_ratio=0.7).fit(X, y, counts)
    repeated = ElasticNet(alpha, l1_ratio=0.7).fit(
        X[np.repeat(np.arange(len(y)), counts)], np.repeat(y, counts)
    )
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-8, atol=1e-9)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, rel=1e-9)


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
def test_sparse_and_float32_input(name: str) -> None:
    X, y = table(name)
    dense = X.toarray() if sparse.issparse(X) else X
    alpha = 0.1 * largest_alpha(X, y)
    expected = Lasso(alpha).fit(dense, y)
    for form in (sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array):
        model = Lasso(alpha).fit(form(dense), y)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(model.predict(form(dense)), expected.predict(dense), rtol=1e-8)
    for X32 in (dense.astype(np.float32), sparse.csr_array(dense.astype(np.float32))):
        single = Lasso(alpha).fit(X32, y)
        assert single.coef_.dtype == np.float32
        np.testing.assert_allclose(single.coef_, expected.coef_, rtol=2e-3, atol=2e-4 * abs(y).max())


def test_several_targets() -> None:
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, y**2 / 100, -y])
    both = ElasticNet(0.1).fit(X, Y)
    assert both.coef_.shape == (3, X.shape[1])
    assert both.intercept_.shape == both.dual_gap_.shape == (3,)
    assert both.sparse_coef_.shape == (3, X.shape[1])
    assert len(both.n_iter_) == 3
    for k in range(3):
        single = ElasticNet(0.1).fit(X, Y[:, k])
        np.testing.assert_allclose(both.coef_[k], single.coef_, rtol=1e-9)
        np.testing.assert_allclose(both.predict(X)[:, k], single.predict(X), rtol=1e-9)
    column = Lasso(0.1).fit(X, Y[:, :1])
    reference = peer.Lasso(0.1).fit(X, Y[:, :1])
    assert column.coef_.shape == reference.coef_.shape
    assert np.shape(column.intercept_) == np.shape(reference.intercept_)


def test_warm_start() -> None:
    X, y = table("wide")
    alpha = 0.02 * largest_alpha(X, y)
    cold = Lasso(alpha).fit(X, y)
    model = Lasso(alpha, warm_start=True).fit(X, y)
    model.fit(X, y)
    assert model.n_iter_ < cold.n_iter_
    np.testing.assert_allclose(model.coef_, cold.coef_, atol=1e-9)


@pytest.mark.parametrize("name", ["diabetes", "wide"])
def test_random_selection_reaches_the_same(name: str) -> None:
    X, y = table(name)
    alpha = 0.05 * largest_alpha(X, y)
    cyclic = Lasso(alpha).fit(X, y)
    random = [Lasso(alpha, selection="random", random_state=seed).fit(X, y) for seed in (3, 3, 4)]
    for model in random:
        np.testing.assert_allclose(model.coef_, cyclic.coef_, rtol=1e-7, atol=1e-8)
    assert random[0].coef_.tobytes() == random[1].coef_.tobytes()


def test_degenerate_columns() -> None:
    X, y = load_diabetes(return_X_y=True)
    X = np.column_stack([np.zeros(len(y)), X, np.full(len(y), 1e6), X[:, 2], np.full(len(y), 0.1)])
    for data in (X, sparse.csr_array(X)):
        model = Lasso(0.1).fit(data, y)
        assert model.coef_[0] == model.coef_[11] == model.coef_[13] == 0
        reference = Lasso(0.1).fit(X[:, 1:11], y)
        assert model.coef_[3] + model.coef_[12] == pytest.approx(reference.coef_[2], rel=1e-8)
        assert objective(model, X, y) == pytest.approx(objective(reference, X[:, 1:11], y), rel=1e-11)
    constant = Lasso(0.1).fit(X, np.full(len(y), 3.0))
    assert not constant.coef_.any()
    assert constant.intercept_ == pytest.approx(3)


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_paths(name: str, ratio: float) -> None:
    X, y = table(name)
    alphas, coefs, gaps, sweeps = enet_path(X, y, l1_ratio=ratio, alphas=12, eps=1e-2, return_n_iter=True)
    want, reference, _ = peer.enet_path(X, y, l1_ratio=ratio, alphas=12, eps=1e-2, **EXACT)
    np.testing.assert_allclose(alphas, want, rtol=1e-12)
    np.testing.assert_allclose(coefs, reference, rtol=1e-6, atol=1e-6 * abs(reference).max())
    assert len(sweeps) == len(gaps) == 12
    given = enet_path(X, y, l1_ratio=ratio, alphas=want[[5, 2, 9]], coef_init=coefs[:, 3])[1]
    np.testing.assert_allclose(given, coefs[:, [2, 5, 9]], rtol=1e-7, atol=1e-7 * abs(coefs).max())
    if ratio == 1:
        np.testing.assert_array_equal(lasso_path(X, y, alphas=12, eps=1e-2)[1], coefs)


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
def test_cross_validation_agrees_with_scikit_learn(name: str) -> None:
    X, y = table(name)
    weights = np.random.default_rng(2).random(len(y)) + 0.5
    options: dict[str, Any] = {"alphas": 15, "eps": 0.02, "cv": KFold(4, shuffle=True, random_state=0)}
    for model, more in (("LassoCV", {}), ("ElasticNetCV", {"l1_ratio": [0.3, 0.9]})):
        mine = getattr(ours, model)(**options, **more).fit(X, y, weights)
        theirs = getattr(peer, model)(**options, **more, **EXACT).fit(X, y, weights)
        np.testing.assert_allclose(mine.alphas_, theirs.alphas_, rtol=1e-10)
        np.testing.assert_allclose(mine.mse_path_, theirs.mse_path_, rtol=1e-6)
        assert mine.alpha_ == pytest.approx(theirs.alpha_, rel=1e-10)
        assert getattr(mine, "l1_ratio_", None) == getattr(theirs, "l1_ratio_", None)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-6, atol=1e-6 * abs(theirs.coef_).max())
        assert mine.intercept_ == pytest.approx(theirs.intercept_, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
@pytest.mark.parametrize("cv", [KFold(3), ShuffleSplit(3, test_size=0.3, random_state=0)])
def test_fused_folds_equal_separate_fits(name: str, cv: Any) -> None:
    X, y = table(name)
    alphas = largest_alpha(X, y) * np.array([0.5, 0.1, 0.03])
    weights = np.random.default_rng(3).integers(1, 4, len(y)).astype(float)
    folds = list(cv.split(X))
    fused = ElasticNetCV(l1_ratio=0.8, alphas=alphas, cv=folds).fit(X, y, weights)
    for k, (train, test) in enumerate(folds):
        for i, alpha in enumerate(alphas):
            alone = ElasticNet(alpha, l1_ratio=0.8).fit(X[train], y[train], weights[train])
            error = np.average((y[test] - alone.predict(X[test])) ** 2, weights=weights[test])
            assert fused.mse_path_[i, k] == pytest.approx(error, rel=1e-8)
    model = ElasticNet(alphas[1], l1_ratio=0.8)
    fitted = model._fit_folds(X, y, weights, folds)
    for estimator, (train, _) in zip(fitted, folds, strict=True):
        alone = ElasticNet(alphas[1], l1_ratio=0.8).fit(X[train], y[train], weights[train])
        np.testing.assert_allclose(estimator.coef_, alone.coef_, rtol=1e-8, atol=1e-9)
        assert estimator.n_features_in_ == X.shape[1]


def test_cross_validate_fits_the_folds_together() -> None:
    X, y = table("wide")
    model = Lasso(0.05 * largest_alpha(X, y))
    fused = cross_validate(model, X, y, cv=4, return_estimator=True)
    alone = peer_cross_validate(model, X, y, cv=4)
    np.testing.assert_allclose(fused["test_score"], alone["test_score"], rtol=1e-8)
    assert all(isinstance(estimator, Lasso) for estimator in fused["estimator"])


def test_errors_of_a_perfect_fit_keep_their_digits() -> None:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((300, 5)) + 100
    y = X @ np.array([1.0, -2, 3, 0, 0.5]) + 1e-6 * rng.standard_normal(300)
    alphas = [1e-6, 1e-7]
    fused = LassoCV(alphas=alphas, cv=3).fit(X, y)
    for k, (train, test) in enumerate(KFold(3).split(X)):
        for i, alpha in enumerate(alphas):
            alone = Lasso(alpha).fit(X[train], y[train])
            error = np.mean((y[test] - alone.predict(X[test])) ** 2)
            assert fused.mse_path_[i, k] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
def test_bits_do_not_depend_on_threads_targets_or_layout(name: str) -> None:
    X, y = table(name)
    alpha = 0.05 * largest_alpha(X, y)
    layouts = [X]
    if not sparse.issparse(X):
        strided = np.zeros((2 * X.shape[0], 3 * X.shape[1]))[::2, ::3]
        strided[:] = X
        layouts += [np.asfortranarray(X), strided]
    before = maas_engine.get_num_threads()
    seen = set()
    try:
        for threads in (1, 2, 4):
            maas_engine.set_num_threads(threads)
            for data in layouts:
                model = Lasso(alpha).fit(data, y)
                path = lasso_path(data, y, alphas=5)[1]
                mse = LassoCV(alphas=5, cv=3).fit(data, y).mse_path_
                seen.add((model.coef_.tobytes(), model.intercept_, path.tobytes(), mse.tobytes()))
    finally:
        maas_engine.set_num_threads(before)
    assert len(seen) == 1


def test_too_few_sweeps_warn_in_scikit_learns_words() -> None:
    X, y = table("wide")
    alpha = 0.001 * largest_alpha(X, y)
    with pytest.warns(ConvergenceWarning, match="Objective did not converge. You might want to increase"):
        Lasso(alpha, max_iter=2).fit(X, y)
    with pytest.warns(UserWarning, match="With alpha=0, this algorithm does not converge well"):
        model = Lasso(0).fit(*table("diabetes"))
    reference = peer.LinearRegression().fit(*table("diabetes"))
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["diabetes", "wide", "sparse"])
def test_values_that_are_not_finite_are_named(name: str, bad: float) -> None:
    X, y = table(name)
    broken = X.copy()
    if sparse.issparse(broken):
        broken.data[7] = bad
    else:
        broken[3, 2] = bad
    for model in (Lasso(), LassoCV(alphas=3, cv=3)):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            model.fit(broken, y)
        with pytest.raises(ValueError, match=r"Input y contains (NaN|infinity)"):
            model.fit(X, np.where(np.arange(len(y)) == 4, bad, y))


def test_gram_matrices_are_looked_at() -> None:
    X, y = load_diabetes(return_X_y=True)
    plain = Lasso(0.1, fit_intercept=False).fit(X, y)
    given = Lasso(0.1, fit_intercept=False, precompute=X.T @ X).fit(X, y)
    np.testing.assert_array_equal(given.coef_, plain.coef_)
    with pytest.raises(ValueError, match="precompute"):
        Lasso(precompute=np.eye(3)).fit(X, y)
    with pytest.warns(UserWarning, match="Gram matrix was provided but X was centered"):
        Lasso(0.1, precompute=X.T @ X).fit(X + 1, y)


def test_path_arguments_are_checked() -> None:
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match="Unexpected parameters in params"):
        lasso_path(X, y, speed=3)
    with pytest.raises(ValueError, match="selection should be either random or cyclic"):
        lasso_path(X, y, selection="best")
    with pytest.raises(ValueError, match="Automatic alpha grid generation is not supported for l1_ratio=0"):
        enet_path(X, y, l1_ratio=0)
    with pytest.warns(FutureWarning, match="'n_alphas' was deprecated in 1.9"):
        assert len(lasso_path(X, y, n_alphas=3)[0]) == 3
    with pytest.raises(ValueError, match="For multi-task outputs, use MultiTask"):
        LassoCV().fit(X, np.column_stack([y, y]))


def test_more_columns_at_once_than_their_products_are_kept_for() -> None:
    rng = np.random.default_rng(4)
    X = sparse.random_array((900, 1000), density=0.01, format="csr", rng=rng)
    y = rng.standard_normal(900)
    alpha = 0.05 * largest_alpha(X, y)
    for more in ({}, {"selection": "random", "random_state": 0}):
        mine = ElasticNet(alpha, l1_ratio=0.9, **more).fit(X, y)
        assert (mine.coef_ != 0).sum() > 512
        theirs = peer.ElasticNet(alpha, l1_ratio=0.9, tol=1e-10, max_iter=100_000).fit(X, y)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-6 * abs(theirs.coef_).max())
        assert objective(mine, X, y) <= objective(theirs, X, y) * (1 + 1e-9)
