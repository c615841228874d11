"""What an operator's function gets beside its inputs: the node, and the namespace to compute in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from maas_engine.errors import InvalidArgument
from maas_engine.interpreter._namespace import Array, Namespace, dtype_name, dtype_of


@dataclass(frozen=True, slots=True)
class Call:
    """One run of one node."""

    node: Any
    xp: Namespace
    batched: frozenset[int]  # places of the inputs that have one entry a row

    def attribute(self, name: str, otherwise: Any = None) -> Any:
        """Floats as ONNX stores them, rounded to float32; so are the defaults."""
        value = self.node.attributes.get(name, otherwise)
        return float(np.float32(value)) if isinstance(value, float) else value

    def fail(self, what: str) -> NoReturn:
        name = self.node.name or next(filter(None, self.node.outputs), "")
        op = ".".join(filter(None, (self.node.domain, self.node.op)))
        raise InvalidArgument(f"[{op} '{name}'] {what}")

    def check(self, wrong: Array, what: str) -> None:
        """Raise InvalidArgument if any element of ``wrong`` is true."""
        if bool(self.xp.any(wrong)):
            self.fail(what)

    def cast(self, x: Array, dtype: str) -> Array:
        """``x`` as ``dtype``, by name; the same array where it has that type."""
        return x if dtype_name(x) == dtype else self.xp.astype(x, dtype_of(self.xp, dtype))

    def float32s(self, values: Any, like: Array) -> Array:
        """Float attributes, which ONNX stores as float32, as an array of ``like``'s type."""
        return self.cast(self.xp.asarray(np.asarray(values, dtype=np.float32)), dtype_name(like))


def ints(x: Array | None) -> list[int] | None:
    """The values of an input that is read on the host: shapes, axes and the like."""
    return None if x is None else [int(value) for value in np.asarray(x).reshape(-1)]


def axis_of(call: Call, axis: int, rank: int) -> int:
    if not -rank <= axis < max(rank, 1):
        call.fail(f"expected an axis in {-rank} ... {rank - 1}, got {axis}")
    return axis + rank if axis < 0 else axis
