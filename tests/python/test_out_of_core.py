"""Data larger than the memory allowed: mapped files are fitted in place, chunks leave only their moments."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas_engine
from maas_engine.linear_model import LinearRegression, Ridge

ROWS, COLUMNS = 240_000, 20
GROWTH = 12 << 20  # bytes of anonymous memory a fit may add; the smallest file has 18 MB

# How each dense estimator is made, and whether it takes labels.
ESTIMATORS = {
    "LinearRegression()": False,
    "Ridge(0.5)": False,
    "RidgeCV([0.1, 1.0], cv=3)": False,
    "LogisticRegression(max_iter=20, tol=1e-2)": True,
    "SGDRegressor(max_iter=1, tol=None, random_state=0)": False,
    "SGDClassifier(max_iter=1, tol=None, random_state=0)": True,
    "Lasso(0.1)": False,
    "LogisticRegression(l1_ratio=1, solver='saga', max_iter=20, tol=1e-2)": True,
    "PoissonRegressor(max_iter=20, tol=1e-2)": True,  # labels serve as counts
    "HuberRegressor(max_iter=20, tol=1e-2)": False,
    "LinearSVC(max_iter=20, tol=1e-2)": True,
}
# Not QuantileRegressor: its interior point keeps 9 doubles a row, which is nearly half of a row here.

# Fits to a mapped file while a thread samples anonymous memory; prints for each estimator the growth and the
# coefficients.
CHILD = """
import sys, threading, warnings
import numpy as np
warnings.simplefilter("ignore")
import maas_engine
from maas_engine import linear_model
maas_engine.set_num_threads(2)

def anonymous():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))

def fit(expression, X, y):
    return eval("linear_model." + expression).fit(X, y)

def watch():
    global peak
    while not done.wait(0.0005):
        peak = max(peak, anonymous())

rows, rows_file, dtype, order = int(sys.argv[1]), *sys.argv[2:5]
X = np.memmap(rows_file, dtype=dtype, mode="r", order=order).reshape(rows, -1, order=order)
for expression, target_file in zip(sys.argv[5::2], sys.argv[6::2], strict=True):
    y = np.load(target_file)
    fit(expression, np.array(X[:2000]), y[:2000])  # what a first use allocates for good
    before = peak = anonymous()
    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    model = fit(expression, X, y)
    done.set()
    watcher.join()
    print(max(peak, anonymous()) - before, model.coef_.tobytes().hex())
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, COLUMNS))
    truth = X @ rng.standard_normal(COLUMNS) + rng.standard_normal(ROWS)
    folder = tmp_path_factory.mktemp("mapped")
    for dtype in ("float32", "float64"):
        for order in ("C", "F"):
            X.astype(dtype).ravel(order=order).tofile(folder / f"{dtype}{order}")
        np.save(folder / f"{dtype}-target.npy", truth.astype(dtype))
    np.save(folder / "labels.npy", (truth > 0).astype(np.int64))
    return {"folder": folder, "X": X, "target": truth, "labels": (truth > 0).astype(np.int64)}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's accounting")
@pytest.mark.parametrize(("dtype", "order"), [("float32", "C"), ("float64", "C"), ("float64", "F")])
def test_fit_on_a_mapped_file_in_less_memory(files: dict[str, Any], dtype: str, order: str) -> None:
    assert ROWS * COLUMNS * np.dtype(dtype).itemsize > GROWTH
    folder = files["folder"]
    arguments = [str(ROWS), str(folder / f"{dtype}{order}"), dtype, order]
    for expression, labelled in ESTIMATORS.items():
        arguments += [expression, str(folder / ("labels.npy" if labelled else f"{dtype}-target.npy"))]
    command = [sys.executable, "-c", CHILD, *arguments]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    X = np.asarray(files["X"].astype(dtype), order=order)  # type: ignore[call-overload]
    for line, (expression, labelled) in zip(printed.stdout.splitlines(), ESTIMATORS.items(), strict=True):
        growth, coefficients = line.split()
        assert int(growth) < GROWTH, expression
        model = eval(expression, vars(maas_engine.linear_model))
        model.fit(X, files["labels"] if labelled else files["target"].astype(dtype))
        assert coefficients == model.coef_.tobytes().hex(), expression


def chunks(n: int, size: int) -> list[slice]:
    return [slice(begin, min(n, begin + size)) for begin in range(0, n, size)]


def streamed(model: Any, X: Any, y: Any, weights: Any, size: int) -> Any:
    for rows in chunks(len(X), size):
        model.partial_fit(X[rows], y[rows], None if weights is None else weights[rows])
    return model


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", [LinearRegression(), Ridge(0.7), Ridge([0.1, 2.0])], ids=str)
def test_chunks_have_the_bits_of_one_fit(model: Any, weighted: bool, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    X = (rng.standard_normal((21_000, 9)) + 100).astype(dtype)
    y = np.c_[X @ rng.standard_normal(9), rng.standard_normal(len(X))].astype(dtype)
    weights = rng.uniform(0, 2, len(X)) if weighted else None
    whole = copy.copy(model).fit(X, y, weights)
    for size in (333, 4096, 5000, 20_999, 21_000):
        parts = streamed(copy.copy(model), X, y, weights, size)
        np.testing.assert_array_equal(parts.coef_, whole.coef_)
        np.testing.assert_array_equal(parts.intercept_, whole.intercept_)
        assert parts.solver_ == whole.solver_ == "cholesky"


@pytest.mark.parametrize(("columns", "dtype"), [(300, np.float64), (150, np.float32), (300, np.float32)])
def test_chunks_of_many_columns(columns: int, dtype: Any) -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((3000, columns)).astype(dtype)
    y = (X @ rng.standard_normal(columns)).astype(dtype)
    whole = Ridge(2.0).fit(X, y)
    for size in (700, 1024, 2900):
        parts = streamed(Ridge(2.0), X, y, None, size)
        if dtype is np.float64:
            np.testing.assert_array_equal(parts.coef_, whole.coef_)
        else:  # fit multiplies in float32 and refines
            np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6, atol=1e-6)


def test_chunks_give_the_same_bits_on_any_threads_and_layout() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((20_000, 7))
    y = X @ rng.standard_normal(7)
    first = streamed(LinearRegression(), X, y, None, 9000)
    for count in (1, 2, 4):
        with maas_engine.num_threads(count):
            again = streamed(LinearRegression(), np.asfortranarray(X), y, None, 6001)
            np.testing.assert_array_equal(again.coef_, first.coef_)


def test_coefficients_after_each_chunk_are_those_of_the_rows_so_far() -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((600, 5))
    y = X @ rng.standard_normal(5) + 2
    model = LinearRegression()
    for rows in chunks(len(X), 3):  # the first calls have fewer rows than columns
        model.partial_fit(X[rows], y[rows])
        so_far = LinearRegression().fit(X[: rows.stop], y[: rows.stop])
        np.testing.assert_allclose(model.coef_, so_far.coef_, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(model.singular_[: model.rank_], so_far.singular_[: model.rank_], rtol=1e-6)
        assert model.rank_ == so_far.rank_


def test_a_refused_chunk_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30_000, 4))
    y = X @ rng.standard_normal(4)
    model = streamed(Ridge(), X[:10_000], y[:10_000], None, 3000)
    before = model.coef_.copy()
    bad = X[10_000:].copy()
    for row in (0, 9_000, len(bad) - 1):
        bad[row, 1] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            model.partial_fit(bad, y[10_000:])
        bad[row, 1] = 0
    np.testing.assert_array_equal(model.coef_, before)
    for wrong in (X[:5, :3], np.c_[X[:5], X[:5]]):
        with pytest.raises(ValueError, match="features"):
            model.partial_fit(wrong, y[:5])
    with pytest.raises(ValueError, match="targets"):
        model.partial_fit(X[:5], np.c_[y[:5], y[:5]])
    model.partial_fit(X[10_000:], y[10_000:])
    np.testing.assert_array_equal(model.coef_, Ridge().fit(X, y).coef_)


def test_a_stream_survives_pickling_and_fit_forgets_it() -> None:
    rng = np.random.default_rng(6)
    X = rng.standard_normal((12_000, 4))
    y = X @ rng.standard_normal(4)
    model = streamed(Ridge(), X[:7000], y[:7000], None, 1500)
    model = pickle.loads(pickle.dumps(model)).partial_fit(X[7000:], y[7000:])
    np.testing.assert_array_equal(model.coef_, Ridge().fit(X, y).coef_)
    model.fit(X[:100], y[:100]).partial_fit(X, y)
    np.testing.assert_array_equal(model.coef_, Ridge().fit(X, y).coef_)
    assert not hasattr(Ridge(solver="lbfgs"), "partial_fit")
