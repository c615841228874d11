# What the extension offers: positional arguments, already checked. Documented where Python wraps it.

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)

__version__: str

# runtime.cc
def num_threads() -> int: ...
def set_num_threads(n: int, /) -> None: ...
def active_target() -> str: ...
def supported_targets() -> list[str]: ...
def set_target(name: str, /) -> None: ...
def target_has_fma() -> bool: ...
def cpu_facts() -> dict[str, Any]: ...
def derived_seed(seed: int, index: int, /) -> int: ...

# linalg.cc
def matmul(a: NDArray[_Float], b: NDArray[_Float], /) -> NDArray[_Float]: ...
def linear_predict(
    x: NDArray[_Float], coef: NDArray[_Float], intercept: NDArray[_Float], /
) -> NDArray[_Float]: ...

# sgd.cc
def sgd_fit(
    x: NDArray[_Float],
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    train: NDArray[np.uint32] | None,
    validation: NDArray[np.uint32] | None,
    coef: NDArray[np.float64],
    averages: NDArray[np.float64],
    positives: list[float],
    class_weights: list[tuple[float, float]],
    step: float,
    options: dict[str, Any],
    /,
) -> list[tuple[int, bool, list[float]]]: ...
