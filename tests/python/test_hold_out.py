"""The digest of a hold-out: the same for the same rows, whatever holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from maas_engine.registry._hold_out import digest_of

COLUMNS: dict[str, Any] = {
    "age": np.array([31.0, np.nan, 7.0]),
    "n": np.array([1, 2, 3]),
    "city": ["Oslo", "Rome", "Ærø"],
}
Y = np.array([0, 1, 1])


def test_frames_and_dicts_count_alike() -> None:
    wanted = digest_of(COLUMNS, Y)
    assert digest_of(pd.DataFrame(COLUMNS), Y) == wanted
    assert digest_of(pl.DataFrame(COLUMNS), Y) == wanted
    assert digest_of(pa.table(COLUMNS), Y) == wanted
    assert digest_of(COLUMNS, pd.Series(Y)) == wanted
    assert digest_of(COLUMNS, Y.tolist()) == wanted


def test_layout_does_not_count() -> None:
    X = np.arange(12.0).reshape(4, 3)
    wanted = digest_of(X, Y)
    assert digest_of(np.asfortranarray(X), Y) == wanted
    assert digest_of(X.astype(">f8"), Y) == wanted
    assert digest_of(np.repeat(X, 2, axis=0)[::2], Y) == wanted
    assert digest_of(X.tolist(), Y) == wanted


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ({**COLUMNS, "n": np.array([1, 2, 4])}, Y),
        ({**COLUMNS, "n": np.array([1.0, 2.0, 3.0])}, Y),
        ({**COLUMNS, "city": ["Oslo", "Rome", None]}, Y),
        ({**COLUMNS, "city": ["OsloRome", "", "Ærø"]}, Y),
        ({name: COLUMNS[name] for name in ("n", "age", "city")}, Y),
        ({"a": COLUMNS["age"], "n": COLUMNS["n"], "city": COLUMNS["city"]}, Y),
        (COLUMNS, Y[::-1]),
        (COLUMNS, Y.astype(np.int32)),
        ({"age": COLUMNS["age"]}, Y),
    ],
)
def test_all_else_does(X: Any, y: Any) -> None:
    assert digest_of(X, y) != digest_of(COLUMNS, Y)


def test_it_stays() -> None:
    """A history names it: it may never change."""
    assert digest_of(np.arange(4.0).reshape(2, 2), ["a", "b"]) == (
        "85133a4fccf0e452e1f14db24b20cd1f9af7ba0afc8df7700c557a872397fd84"
    )
