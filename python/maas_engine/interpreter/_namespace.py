"""The array API names the interpreter uses, also in namespaces that are older than the standard."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = Any  # an array of the namespace in use
Namespace = Any

# numpy before 2.0 and CuPy before 14 have these under other names.
_OLDER_NAMES = {
    "bool": "bool_",
    "concat": "concatenate",
    "permute_dims": "transpose",
    "pow": "power",
}


class _Aliased(SimpleNamespace):
    """A namespace with the standard's names added to its own."""

    def __init__(self, xp: Namespace) -> None:
        super().__init__(_xp=xp)
        for new, old in _OLDER_NAMES.items():
            if not hasattr(xp, new):
                setattr(self, new, getattr(xp, old))
        if not hasattr(xp, "astype"):
            self.astype = lambda x, dtype: x.astype(dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xp, name)


def standard(xp: Namespace) -> Namespace:
    """``xp`` itself where it has the standard's names, else with them added."""
    if all(hasattr(xp, name) for name in (*_OLDER_NAMES, "astype")):
        return xp
    return _Aliased(xp)


def dtype_name(x: Array) -> str:
    """``"float32"`` … ``"bool"``; ``"string"`` of strings, which are numpy arrays on the host always."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "OUT":
        return "string"
    return str(x.dtype).rpartition(".")[2]


def is_string(x: Array | None) -> bool:
    return x is not None and dtype_name(x) == "string"


def is_float(x: Array) -> bool:
    return dtype_name(x) in ("float32", "float64")


def dtype_of(xp: Namespace, name: str) -> Any:
    return getattr(xp, name)


def to_host(x: Array) -> np.ndarray:
    """The values as a numpy array; a copy where they lie on a device."""
    if isinstance(x, np.ndarray):
        return x
    return np.asarray(x.get() if hasattr(x, "get") else x)  # CuPy refuses asarray


def to_device(xp: Namespace, x: Array) -> Array:
    """The values in the namespace; strings stay on the host."""
    return x if is_string(x) else xp.asarray(x)


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes have together, by numpy's rules."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    together = []
    for sizes in zip(*padded, strict=True):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not broadcast")
        together.append(wide.pop() if wide else 1)
    return tuple(together)
