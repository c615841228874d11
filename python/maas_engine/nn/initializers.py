"""Initial weights, as Keras 3 draws them (its distributions; the numbers themselves come from our generator).

A scaled distribution has the variance ``scale / n``, where n is the inputs of a kernel (``fan_in``), its outputs
(``fan_out``), or the mean of both (``fan_avg``): glorot is 1 over fan_avg, he 2 and lecun 1 over fan_in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maas_engine import _core
from maas_engine._runtime import next_seed
from maas_engine.errors import InvalidArgument
from maas_engine.nn._checks import positive
from maas_engine.nn._config import floatx
from maas_engine.nn._lookup import by_name

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

Array = NDArray[Any]
# The standard deviation of a normal distribution cut at two of its own.
_TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer:
    """Makes arrays: ``initializer(shape, dtype)``. With a seed, the same each time; without, others each time."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        shape = tuple(shape)
        seed = next_seed() if self.seed is None and self._random else self.seed or 0
        values = self._draw(seed, shape)
        return np.array(np.broadcast_to(values, shape), dtype=dtype or floatx(), order="C")

    _random = True

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        """Return values that broadcast to ``shape``."""
        raise NotImplementedError


class Constant(Initializer):
    """Every value the same, or those of an array."""

    _random = False

    def __init__(self, value: ArrayLike = 0.0) -> None:
        super().__init__()
        self.value = value

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        return np.asarray(self.value)


class Zeros(Constant):
    """Every value 0."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """Every value 1."""

    def __init__(self) -> None:
        super().__init__(1.0)


class RandomUniform(Initializer):
    """Evenly between ``minval`` and ``maxval``."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        numbers = _uniform(seed, math.prod(shape))
        return (numbers * (self.maxval - self.minval) + self.minval).reshape(shape)


class RandomNormal(Initializer):
    """Normally distributed."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        return (_normal(seed, math.prod(shape)) * self.stddev + self.mean).reshape(shape)


class TruncatedNormal(RandomNormal):
    """Normally distributed, values beyond two ``stddev`` drawn again."""

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        return (_truncated_normal(seed, math.prod(shape)) * self.stddev + self.mean).reshape(shape)


class VarianceScaling(Initializer):
    """Of variance ``scale / n``, with n from the shape of the weights.

    Parameters
    ----------
    scale : float, above 0
    mode : {"fan_in", "fan_out", "fan_avg"}
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
    seed : int, optional
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        scale = positive(scale, "scale", "initializers")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise InvalidArgument(f"[initializers] expected mode fan_in, fan_out or fan_avg, got {mode!r}")
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise InvalidArgument(
                "[initializers] expected distribution truncated_normal, untruncated_normal or uniform, "
                f"got {distribution!r}"
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def _draw(self, seed: int, shape: tuple[int, ...]) -> Array:
        fan_in, fan_out = _fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance, size = self.scale / max(1.0, n), math.prod(shape)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            values = _uniform(seed, size) * (2 * limit) - limit
        elif self.distribution == "truncated_normal":
            values = _truncated_normal(seed, size) * (math.sqrt(variance) / _TRUNCATED_DEVIATION)
        else:
            values = _normal(seed, size) * math.sqrt(variance)
        return values.reshape(shape)


class GlorotUniform(VarianceScaling):
    """Uniform within ±√(6 / (inputs + outputs)) (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform within ±√(6 / inputs) (He et al., 2015)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / inputs (He et al., 2015)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform within ±√(3 / inputs) (LeCun et al., 1998)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / inputs (LeCun et al., 1998)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


# As Keras also calls them.
constant, ones, zeros = Constant, Ones, Zeros
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform

_BY_NAME: dict[str, type[Initializer]] = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "normal": RandomNormal,
    "ones": Ones,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "uniform": RandomUniform,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}


def get(identifier: Any) -> Callable[[Sequence[int], DTypeLike], ArrayLike]:
    """Return an initializer given as one, by name, as a class, or as a function of shape and dtype.

    Raises
    ------
    InvalidArgument : none of these.
    """
    if isinstance(identifier, str):
        return by_name(_BY_NAME, identifier, "initializers")()
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if callable(identifier):
        return identifier  # type: ignore[no-any-return]
    raise InvalidArgument(f"[initializers] expected a name, an initializer or a function, got {identifier!r}")


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Inputs and outputs of a kernel; leading axes, beyond two, count for both."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    leading = math.prod(shape[:-2])
    return float(leading * shape[-2]), float(leading * shape[-1])


# Numbers addressed by a seed, the same on every machine.


def _uniform(seed: int, n: int) -> NDArray[np.float64]:
    """Return n numbers of [0, 1)."""
    return _core.random_uniform(seed % 2**64, 0, n)


def _normal(seed: int, n: int) -> NDArray[np.float64]:
    """Return n numbers of mean 0 and standard deviation 1."""
    return _core.random_normal(seed % 2**64, 0, n)


def _truncated_normal(seed: int, n: int) -> NDArray[np.float64]:
    """Return n numbers of the normal distribution between -2 and 2: others are drawn again."""
    kept = np.empty(0)
    stream = 0
    while len(kept) < n:
        drawn = _core.random_normal(seed % 2**64, stream, n + n // 8 + 8)
        kept = np.concatenate([kept, drawn[np.abs(drawn) <= 2]])
        stream += 1
    return kept[:n]
