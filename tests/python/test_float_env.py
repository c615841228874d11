"""A caller whose thread rounds upwards or flushes subnormals gets the same bits, and keeps its setting."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from maas_engine import _core

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="knows the control word of one platform"
)

FE_TONEAREST, FE_UPWARD = 0, 0x800


@pytest.fixture
def libm() -> Iterator[ctypes.CDLL]:
    library = ctypes.CDLL("libm.so.6")
    yield library
    library.fesetround(FE_TONEAREST)


@pytest.mark.parametrize("size", [3, 300])  # without and with releasing the GIL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matmul_under_upward_rounding(libm: ctypes.CDLL, size: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size)).astype(dtype)
    expected = _core.matmul(a, b)
    libm.fesetround(FE_UPWARD)
    got = _core.matmul(a, b)
    after = libm.fegetround()
    libm.fesetround(FE_TONEAREST)
    assert after == FE_UPWARD
    np.testing.assert_array_equal(got, expected)


def test_fit_under_upward_rounding(libm: ctypes.CDLL) -> None:
    linear_model = pytest.importorskip("maas_engine.linear_model")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 7))
    y = X @ np.arange(7.0) + rng.standard_normal(500)
    expected = linear_model.LinearRegression().fit(X, y)
    model = linear_model.LinearRegression()
    libm.fesetround(FE_UPWARD)
    model.fit(X, y)
    libm.fesetround(FE_TONEAREST)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.intercept_ == expected.intercept_
