"""Fits of one estimator on every layout, number of threads and SIMD target, for comparing bits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from maas_engine import _core


def layouts(X: Any) -> list[Any]:
    """The numbers of ``X`` in C, F and strided order, backwards, read-only and unaligned."""
    strided = np.zeros((2 * X.shape[0], 2 * X.shape[1]), dtype=X.dtype)[::2, ::2]
    strided[:] = X
    frozen = X.copy()
    frozen.setflags(write=False)
    unaligned = np.frombuffer(np.empty(X.nbytes + 1, np.uint8)[1:], X.dtype).reshape(X.shape)
    unaligned[:] = X
    backwards = np.ascontiguousarray(X[::-1])[::-1]
    return [np.ascontiguousarray(X), np.asfortranarray(X), strided, backwards, frozen, unaligned]


def bits_everywhere(X: Any, fit: Callable[[Any], Any], *attributes: str) -> set[bytes]:
    """Return the distinct bytes of ``attributes`` of ``fit(X)``: one element where all fits agree."""
    found = set()

    def add(data: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = fit(data)
        found.add(b"".join(np.asarray(getattr(model, name)).tobytes() for name in attributes))

    threads = _core.num_threads()
    try:
        for data in layouts(X):
            add(data)
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            add(X)
        for target in _core.supported_targets():
            _core.set_target(target)
            if _core.target_has_fma():
                add(X)
    finally:
        _core.set_num_threads(threads)
        _core.set_target("")
    return found
