"""The engine's matrix products, seen from Python: every layout, the same bits for a row whatever its batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import maas_engine
from maas_engine import _core

DTYPES = [np.float32, np.float64]
BATCHES = [1, 2, 3, 4, 7, 8, 31, 64, 1000]


def layouts(x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield x as C, Fortran, strided, reversed, unaligned and read-only arrays of equal values."""
    yield np.ascontiguousarray(x)
    yield np.asfortranarray(x)
    wide = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, x.dtype)
    wide[::2, ::3] = x
    yield wide[::2, ::3]
    yield np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    raw = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    yield unaligned
    frozen = x.copy()
    frozen.flags.writeable = False
    yield frozen


def data(seed: int, *shape: int, dtype: type = np.float64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 300, 2), (65, 64, 15), (70, 33, 16), (200, 257, 100), (0, 3, 4), (3, 0, 4)]
)
def test_matmul_matches_numpy(dtype: type, shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    a, b = data(1, m, k, dtype=dtype), data(2, k, n, dtype=dtype)
    c = _core.matmul(a, b)
    assert c.dtype == dtype
    assert c.shape == (m, n)
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    scale = np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble)
    assert np.all(np.abs(c - exact) <= np.finfo(dtype).eps * (k + 2) * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("d", [1, 20, 130])
def test_a_row_predicts_the_same_in_any_batch_and_layout(dtype: type, k: int, d: int) -> None:
    x, coef, intercept = data(1, 1000, d, dtype=dtype), data(2, k, d, dtype=dtype), data(3, k, dtype=dtype)
    want = _core.linear_predict(x, coef, intercept)
    np.testing.assert_allclose(
        want, x @ coef.T + intercept, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-4
    )
    for batch in BATCHES:
        assert _core.linear_predict(x[-batch:], coef, intercept).tobytes() == want[-batch:].tobytes()
    for some_x, some_coef in itertools.product(layouts(x), layouts(coef)):
        assert _core.linear_predict(some_x, some_coef, intercept).tobytes() == want.tobytes()
    for threads in (1, 2, 4):
        with maas_engine.num_threads(threads):
            assert _core.linear_predict(x, coef, intercept).tobytes() == want.tobytes()


def test_intercept_may_be_strided() -> None:
    x, coef, wide = data(1, 5, 4), data(2, 3, 4), data(3, 9)
    assert np.array_equal(
        _core.linear_predict(x, coef, wide[::-3]), _core.linear_predict(x, coef, wide[::-3].copy())
    )


def test_nan_stays_in_its_row() -> None:
    x, coef, intercept = data(1, 50, 20), data(2, 2, 20), data(3, 2)
    x[7, 3], x[9, 0] = np.nan, np.inf
    y = _core.linear_predict(x, coef, intercept)
    assert np.isnan(y[7]).all()
    assert np.isinf(y[9]).all()
    assert np.isfinite(np.delete(y, [7, 9], axis=0)).all()


def test_mixed_types_are_refused() -> None:
    x, coef = data(1, 5, 4), data(2, 3, 4)
    with pytest.raises(TypeError):
        _core.linear_predict(x, coef.astype(np.float32), np.zeros(3))
    with pytest.raises(TypeError):
        _core.matmul(x.astype(np.int64), x.T.astype(np.int64))


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="expected"):
        _core.matmul(np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="predict"):
        _core.linear_predict(np.zeros((2, 3)), np.zeros((1, 4)), np.zeros(1))
