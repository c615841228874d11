"""Columns of text that lie in Arrow's memory, handed to a run without an object a text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine._conversion import missing_text


def text_or_none(values: Any) -> Any:
    """Return a chunked array as large_string, or None if it holds no text."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    return values.cast(pa.large_string()) if is_text else None


def pandas_text(series: Any) -> Any:
    """Return a column that pandas keeps in Arrow as `text_or_none` does; None for all others."""
    storage = getattr(getattr(series, "dtype", None), "storage", None)
    if storage != "pyarrow" or not hasattr(series, "__arrow_c_stream__"):
        return None
    import pyarrow as pa

    return text_or_none(pa.chunked_array(series))


def offsets_and_bytes(values: Any, what: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a chunked array of large_string as int64 offsets, one more than texts, and the bytes they cut.

    Raises
    ------
    InvalidArgument : some text is missing; ``what`` names the column.
    """
    if values.null_count > 0:
        raise missing_text(what)
    if len(values) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    array = values.combine_chunks()
    _, offsets, data = array.buffers()
    cuts = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return cuts, np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
