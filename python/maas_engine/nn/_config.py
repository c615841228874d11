"""The number type of new models, and the seed of everything random."""

from __future__ import annotations

import operator
import random

import numpy as np
from numpy.typing import DTypeLike

from maas_engine._runtime import set_seed
from maas_engine.errors import InvalidArgument

_floatx = "float32"


def floatx() -> str:
    """Return the type of models made from now on: ``"float32"`` or ``"float64"``."""
    return _floatx


def set_floatx(dtype: DTypeLike) -> None:
    """Choose the type of models made from now on.

    Parameters
    ----------
    dtype : float32 or float64
        At start: float32. A model of its own type: ``Sequential(..., dtype="float64")``.

    Raises
    ------
    InvalidArgument : another type.
    """
    global _floatx
    _floatx = float_type(dtype, "set_floatx")


def float_type(dtype: DTypeLike, where: str) -> str:
    """Return the name of a dtype that models may have, or raise InvalidArgument."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in ("float32", "float64"):
        raise InvalidArgument(f"[{where}] expected float32 or float64, got {dtype!r}")
    return name


def set_random_seed(seed: int) -> None:
    """Seed Python's and NumPy's global generators and the engine's: everything random is then repeatable.

    Parameters
    ----------
    seed : int in 0 ... 2**32 - 1
        As NumPy's; `maas_engine.set_seed` takes wider ones, and seeds the engine only.

    Raises
    ------
    InvalidArgument : ``seed`` is out of range.
    """
    seed = operator.index(seed)
    if not 0 <= seed < 2**32:
        raise InvalidArgument(f"[set_random_seed] expected 0 to 2**32 - 1, got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    set_seed(seed)
