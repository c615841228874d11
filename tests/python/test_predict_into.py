"""Model.predict_into: results written into the caller's array or buffer."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest
from small_models import classifier, linear, rows

from maas_engine.errors import InvalidArgument, Unsupported


def unaligned(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    raw = np.zeros(X.nbytes + 1, np.uint8)
    out = raw[1:].view(X.dtype).reshape(X.shape)
    out[...] = X
    return out


def test_predict_into_writes_and_returns_out() -> None:
    model, X = linear(), rows(9)
    out = np.empty(9, np.float32)
    assert model.predict_into(X, out) is out
    np.testing.assert_array_equal(out, model.predict(X))
    buffer = array.array("f", [0.0] * 9)
    assert model.predict_into(X, buffer) is buffer
    np.testing.assert_array_equal(buffer, out)
    view = np.zeros(20, np.float32)[3:12]
    np.testing.assert_array_equal(model.predict_into(X.tolist(), view), out)
    one = np.empty((), np.float32)
    assert model.predict_into(X[0], one) is one
    assert one == out[0]
    assert model.predict_into(X[:0], np.empty(0, np.float32)).shape == (0,)


def read_only(n: int) -> np.ndarray[Any, Any]:
    out = np.empty(n, np.float32)
    out.setflags(write=False)
    return out


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (np.empty(8, np.float32), r"float32 \[9\], got float32 \[8\]"),
        (np.empty((9, 1), np.float32), r"got float32 \[9, 1\]"),
        (np.empty(9), r"got float64 \[9\]"),
        (np.empty(9, np.dtype(">f4")), "got another type"),
        (np.empty(18, np.float32)[::2], "got one with gaps"),
        (read_only(9), "got a read-only one"),
        (unaligned(np.empty(9, np.float32)), "off its alignment"),
        ([0.0] * 9, "without a buffer"),
        (None, "without a buffer"),
        (bytes(36), "got"),
    ],
)
def test_predict_into_refuses(out: Any, words: str) -> None:
    for X in (rows(9), rows(9).tolist()):
        with pytest.raises(InvalidArgument, match=words):
            linear().predict_into(X, out)


def test_predict_into_refuses_shared_memory_and_text() -> None:
    X = rows(20)
    with pytest.raises(InvalidArgument, match="share no memory"):
        linear().predict_into(X, X[3])
    with pytest.raises(Unsupported, match="text"):
        classifier(["a", "b", "c"]).predict_into(X, np.empty(20, np.float32))
