"""gradient_descent against the loop that users write, in NumPy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import maas_engine
from maas_engine import _core, errors, gradient_descent


def by_hand(X, y, theta, alpha, iterations):
    X, y, theta = (np.asarray(a, np.float64) for a in (X, y, theta))
    for _ in range(iterations):
        theta = theta - alpha / len(y) * (X.T @ (X @ theta - y))
    return theta


@pytest.fixture
def rng():
    return np.random.default_rng(3)


# The last two are cheaper by passes than by XᵀX.
@pytest.mark.parametrize(
    ("shape", "iterations"),
    [((100, 1), 1000), ((1000, 5), 50), ((50, 3), 0), ((50, 200), 10), ((900, 300), 3)],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_equals_the_loop_by_hand(rng, shape, iterations, dtype, tolerance):
    X = rng.normal(size=shape).astype(dtype)
    y = (X.sum(axis=1) + rng.normal(size=shape[0])).astype(dtype)
    theta = rng.normal(size=shape[1]).astype(dtype)
    expected = by_hand(X, y, theta, 0.003, iterations)
    before = theta.copy()
    got = gradient_descent(X, y, theta, 0.003, iterations)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    np.testing.assert_array_equal(theta, before)
    # Shapes: theta's own, and (m,) never meets (m, 1).
    columns = gradient_descent(np.asfortranarray(X), y[:, None], theta[:, None], 0.003, iterations)
    assert columns.shape == (shape[1], 1)
    np.testing.assert_array_equal(columns[:, 0], got)
    np.testing.assert_array_equal(gradient_descent(X, y[:, None], theta, 0.003, iterations), got)
    np.testing.assert_array_equal(gradient_descent(X, y, theta[:, None], 0.003, iterations)[:, 0], got)


def test_offset_of_1e6(rng):
    X = rng.normal(size=(200, 2)) + 1e6
    y = X @ [1.0, 2.0]
    np.testing.assert_allclose(
        gradient_descent(X, y, np.zeros(2), 1e-13, 50), by_hand(X, y, np.zeros(2), 1e-13, 50), rtol=1e-9
    )


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_keeps_the_last_finite_weights(rng, columns, dtype):
    X, y = rng.normal(size=(100, columns)).astype(dtype), rng.normal(size=100)
    with pytest.warns(errors.ConvergenceWarning, match="learning rate 1000"):
        theta = gradient_descent(X, y, np.zeros(columns), 1000.0, 100_000)
    assert np.isfinite(theta).all()


def test_divergence_by_passes():
    with pytest.warns(errors.ConvergenceWarning, match="learning rate 1e\\+200"):
        theta = gradient_descent(np.ones((2, 500)), np.ones(2), np.ones(500), 1e200, 3)
    assert np.isfinite(theta).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_is_refused(rng, value):
    X, y, theta = rng.normal(size=(50, 3)), rng.normal(size=50), np.zeros(3)
    for position in range(3):
        args = [X.copy(), y.copy(), theta.copy()]
        args[position].flat[-1] = value
        with pytest.raises(errors.NotFinite):
            gradient_descent(*args, 0.1, 10)
    with pytest.raises(errors.NotFinite):
        gradient_descent(X, y, theta, value, 10)


def test_wrong_shapes_are_named():
    X, y, theta = np.ones((4, 2)), np.ones(4), np.ones(2)
    for bad in (np.ones(4), np.ones((0, 2)), np.ones((4, 0)), np.ones((2, 2, 2))):
        with pytest.raises(ValueError, match="expected X of shape"):
            gradient_descent(bad, y, theta, 0.1, 1)
    for bad in (np.ones(3), np.ones((1, 4)), np.ones((4, 2)), 1.0):
        with pytest.raises(ValueError, match=r"expected y of shape \(4,\) or \(4, 1\)"):
            gradient_descent(X, bad, theta, 0.1, 1)
    for bad in (np.ones(3), np.ones((1, 2)), 1.0):
        with pytest.raises(ValueError, match=r"expected theta of shape \(2,\) or \(2, 1\)"):
            gradient_descent(X, y, bad, 0.1, 1)
    with pytest.raises(ValueError, match="iterations >= 0"):
        gradient_descent(X, y, theta, 0.1, -1)
    with pytest.raises(TypeError):
        gradient_descent(X, y, theta, 0.1, 1.5)


def test_lists_and_integers_are_accepted():
    np.testing.assert_allclose(gradient_descent([[1], [2]], [2, 4], [0], 0.1, 200), [2.0])


@pytest.mark.parametrize("shape", [(3000, 8), (200, 300)])
def test_same_bits_for_threads_and_targets(rng, shape):
    X, y = rng.normal(size=shape), rng.normal(size=shape[0])
    expected = gradient_descent(X, y, np.zeros(shape[1]), 0.01, 20)
    best = _core.active_target()
    try:
        for target in _core.supported_targets():
            if target.startswith("sse"):
                continue
            _core.set_target(target)
            for threads in (1, 2, 4):
                with maas_engine.num_threads(threads):
                    got = gradient_descent(X, y, np.zeros(shape[1]), 0.01, 20)
                np.testing.assert_array_equal(got, expected)
    finally:
        _core.set_target(best)


def test_needs_no_scikit_learn():
    code = (
        "import sys, numpy as np, maas_engine\n"
        "maas_engine.gradient_descent(np.ones((3, 1)), np.ones(3), np.zeros(1), 0.1, 5)\n"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
