"""Holds a metric of ours against scikit-learn's of the same name."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn.metrics as theirs

from maas_engine import metrics


def call(function: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[tuple[type, str]]]:
    """What a call returns or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            result = error
    # numpy's own remarks on empty means and divisions are not part of scikit-learn's contract
    return result, [(w.category, str(w.message)) for w in caught if w.category is not RuntimeWarning]


def agree(name: str, *args: Any, rtol: float = 1e-12, **kwargs: Any) -> Any:
    """Both libraries return the same, or raise the same, and warn the same."""
    ours, our_warnings = call(getattr(metrics, name), *args, **kwargs)
    expected, their_warnings = call(getattr(theirs, name), *args, **kwargs)
    if isinstance(expected, Exception):
        known = type(expected) in (ValueError, TypeError, NotImplementedError)
        assert isinstance(ours, type(expected) if known else ValueError), ours
        return ours
    assert not isinstance(ours, Exception), ours
    assert our_warnings == their_warnings
    if isinstance(expected, (str, dict)):
        assert ours == expected
        return ours
    if not isinstance(expected, tuple):
        ours_each, expected_each = np.atleast_1d(ours), np.atleast_1d(expected)
    else:
        ours_each, expected_each = ours, expected
    for one, other in zip(ours_each, expected_each, strict=True):
        if other is None:
            assert one is None
        else:
            np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-12)
            assert np.asarray(one).dtype.kind == np.asarray(other).dtype.kind
    return ours
