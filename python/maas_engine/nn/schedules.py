"""Learning rates as functions of the step, by Keras 3's names and formulas, in float64.

A schedule is called with the number of steps done and gives the learning rate of the next one. Each step is
computed alone, so an epoch gives the same rates whole, in pieces or resumed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import InvalidArgument, NotFinite
from maas_engine.nn._checks import number, whole_number

_S = TypeVar("_S", bound="LearningRateSchedule")


class LearningRateSchedule:
    """Base of the schedules; one of your own defines ``__call__(step) -> float``."""

    def __call__(self, step: int) -> float:
        raise NotImplementedError("a learning rate schedule defines __call__(step)")

    def values(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the rates of ``steps`` steps after ``first_step`` have been done, float64 (steps,).

        Raises
        ------
        NotFinite : a rate is NaN or infinite.
        """
        rates = np.fromiter(
            (float(self(step)) for step in range(first_step, first_step + steps)), np.float64, steps
        )
        if not np.isfinite(rates).all():
            bad = int(np.flatnonzero(~np.isfinite(rates))[0])
            raise NotFinite(
                f"[{type(self).__name__}] expected finite learning rates, "
                f"got {rates[bad]} at step {first_step + bad}"
            )
        return rates

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    @classmethod
    def from_config(cls: type[_S], config: dict[str, Any]) -> _S:
        """Make a schedule of what ``get_config`` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items() if key != "name")
        return f"{type(self).__name__}({arguments})"


class PiecewiseConstantDecay(LearningRateSchedule):
    """Constant between steps: ``values[i]`` up to and including step ``boundaries[i]``, at last ``values[-1]``."""

    def __init__(
        self, boundaries: Sequence[int], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(values) != len(boundaries) + 1:
            raise InvalidArgument(
                f"[PiecewiseConstantDecay] expected one more value than boundaries, got {len(boundaries)} "
                f"boundaries and {len(values)} values"
            )
        if any(after < before for before, after in itertools.pairwise(boundaries)):
            raise InvalidArgument(
                f"[PiecewiseConstantDecay] expected ascending boundaries, got {list(boundaries)}"
            )
        self.boundaries = list(boundaries)
        self._rates = [float(value) for value in values]
        self.name = name

    def __call__(self, step: int) -> float:
        for boundary, rate in zip(self.boundaries, self._rates, strict=False):
            if step <= boundary:
                return rate
        return self._rates[-1]

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self._rates, "name": self.name}


class ExponentialDecay(LearningRateSchedule):
    """``initial · decay_rate^(step / decay_steps)``; ``staircase`` takes whole powers only."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.decay_steps = _positive("ExponentialDecay", "decay_steps", decay_steps)
        self.decay_rate = number(decay_rate, "decay_rate", type(self).__name__)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: int) -> float:
        part = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**part)


class InverseTimeDecay(LearningRateSchedule):
    """``initial / (1 + decay_rate · step / decay_steps)``; ``staircase`` takes whole quotients only."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.decay_steps = _positive("InverseTimeDecay", "decay_steps", decay_steps)
        self.decay_rate = number(decay_rate, "decay_rate", type(self).__name__)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: int) -> float:
        part = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate / (1 + self.decay_rate * part))


class PolynomialDecay(LearningRateSchedule):
    """From ``initial`` to ``end`` by ``(1 - step / decay_steps)^power``, then ``end``.

    ``cycle`` starts again at every multiple of ``decay_steps``, from lower each time.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.decay_steps = _positive("PolynomialDecay", "decay_steps", decay_steps)
        self.end_learning_rate = number(end_learning_rate, "end_learning_rate", type(self).__name__)
        self.power = number(power, "power", type(self).__name__)
        self.cycle = bool(cycle)
        self.name = name

    def __call__(self, step: int) -> float:
        length = self.decay_steps
        if self.cycle:
            length *= max(1, math.ceil(step / self.decay_steps))
        left = 1 - min(step, length) / length
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * left**self.power + self.end_learning_rate)


class CosineDecay(LearningRateSchedule):
    """Half a cosine from ``initial`` to ``alpha · initial`` (Loshchilov and Hutter, 2017), after a warm-up.

    With ``warmup_target``, the rate first rises in a line from ``initial`` to the target in ``warmup_steps``
    steps, and the cosine runs from the target to ``alpha · target`` in ``decay_steps`` steps more. A linear
    warm-up alone is a very large ``decay_steps``, or ``alpha=1``.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.decay_steps = _positive("CosineDecay", "decay_steps", decay_steps)
        self.alpha = number(alpha, "alpha", type(self).__name__)
        self.name = name
        self.warmup_target = (
            None if warmup_target is None else number(warmup_target, "warmup_target", "CosineDecay")
        )
        self.warmup_steps = whole_number(warmup_steps, "warmup_steps", "CosineDecay", 0)

    def __call__(self, step: int) -> float:
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * (step / self.warmup_steps)
            start = self.warmup_target
            step -= self.warmup_steps
        part = min(step, self.decay_steps) / self.decay_steps
        return start * _cosine(part, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each ``t_mul`` times as long and ``m_mul`` times as high as the last."""

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.first_decay_steps = _positive("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
        self.t_mul = number(t_mul, "t_mul", type(self).__name__)
        if not self.t_mul >= 1:
            raise InvalidArgument(f"[CosineDecayRestarts] expected t_mul >= 1, got {t_mul}")
        self.m_mul = number(m_mul, "m_mul", type(self).__name__)
        self.alpha = number(alpha, "alpha", type(self).__name__)
        self.name = name

    def __call__(self, step: int) -> float:
        left, length, height = float(step), float(self.first_decay_steps), 1.0
        if self.t_mul == 1:
            runs = left // length
            left, height = left - runs * length, self.m_mul**runs
        else:
            while left >= length:  # lengths grow: few turns
                left, length, height = left - length, length * self.t_mul, height * self.m_mul
        return float(self.initial_learning_rate * _cosine(left / length, self.alpha, height))


class LinearWarmup(LearningRateSchedule):
    """From ``initial_learning_rate`` to the rate of ``after`` in a line of ``warmup_steps`` steps, then ``after``.

    ``after`` is a float or a schedule, which starts from its own step 0 when the warm-up is over. Not in Keras,
    whose only warm-up is CosineDecay's.
    """

    def __init__(
        self,
        after: float | LearningRateSchedule,
        warmup_steps: int,
        initial_learning_rate: float = 0.0,
        name: str = "LinearWarmup",
    ) -> None:
        self.after = after if isinstance(after, LearningRateSchedule) else float(after)
        self.warmup_steps = int(_positive("LinearWarmup", "warmup_steps", warmup_steps))
        self.initial_learning_rate = number(
            initial_learning_rate, "initial_learning_rate", type(self).__name__
        )
        self.name = name

    def __call__(self, step: int) -> float:
        done = max(step - self.warmup_steps, 0)
        target = float(self.after(done)) if isinstance(self.after, LearningRateSchedule) else self.after
        if step >= self.warmup_steps:
            return target
        start = self.initial_learning_rate
        return start + (target - start) * (step / self.warmup_steps)


def _cosine(part: float, alpha: float, height: float = 1.0) -> float:
    return (1 - alpha) * (0.5 * height * (1 + math.cos(math.pi * part))) + alpha


def _positive(where: str, name: str, value: Any) -> Any:
    if not 0 < number(value, name, where) < math.inf:
        raise InvalidArgument(f"[{where}] expected {name} > 0, got {value}")
    return value
