"""Optimizers by Keras 3's names, parameters and defaults. The steps themselves are compiled (cpp/maas/nn)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.nn import schedules
from maas_engine.nn._checks import number
from maas_engine.nn._lookup import absent
from maas_engine.nn.schedules import LearningRateSchedule

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

_O = TypeVar("_O", bound="Optimizer")

# Keras's other arguments, and the value that means "not used".
_UNSUPPORTED = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class Optimizer:
    """What all optimizers share.

    Attributes
    ----------
    learning_rate : float, settable between epochs and batches; of a schedule, the rate of the next step
    iterations : int, steps done; the model being trained keeps it up to date
    """

    rule: ClassVar[str]  # the name _core knows
    # Constructor argument to the field of _core's options, where they differ in name.
    _fields: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None,
        clipnorm: float | None,
        clipvalue: float | None,
        global_clipnorm: float | None,
        name: str | None,
        others: dict[str, Any],
    ) -> None:
        self._refuse(others)
        self.iterations = 0
        self.name = type(self).__name__.lower() if name is None else name
        self._excluded: tuple[str, ...] = ()
        if isinstance(learning_rate, LearningRateSchedule):
            self._rate: float | LearningRateSchedule = learning_rate
        elif callable(learning_rate):
            raise Unsupported(
                f"[{self._where}] a function as learning_rate; subclass nn.schedules.LearningRateSchedule instead"
            )
        else:
            self._rate = self._number("learning_rate", learning_rate)
        self.weight_decay = self._optional("weight_decay", weight_decay)
        self.clipnorm = self._optional("clipnorm", clipnorm)
        self.clipvalue = self._optional("clipvalue", clipvalue)
        self.global_clipnorm = self._optional("global_clipnorm", global_clipnorm)
        if sum(clip is not None for clip in (self.clipnorm, self.clipvalue, self.global_clipnorm)) > 1:
            raise InvalidArgument(
                f"[{self._where}] expected one of clipnorm, clipvalue and global_clipnorm at most, got "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )

    @property
    def learning_rate(self) -> float:
        if isinstance(self._rate, LearningRateSchedule):
            return float(self._rate(self.iterations))
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        if isinstance(value, LearningRateSchedule):
            self._rate = value
            return
        if isinstance(self._rate, LearningRateSchedule):
            raise TypeError(
                f"[{self._where}] this optimizer was made with the schedule {self._rate!r}, so its learning_rate "
                "cannot be set to a number; make it with a float, or set another schedule"
            )
        self._rate = self._number("learning_rate", value)

    @property
    def schedule(self) -> LearningRateSchedule | None:
        """The schedule that the learning rate follows, if any."""
        return self._rate if isinstance(self._rate, LearningRateSchedule) else None

    def learning_rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the rates of ``steps`` steps after ``first_step`` have been done, float64 (steps,)."""
        if isinstance(self._rate, LearningRateSchedule):
            return self._rate.values(first_step, steps)
        return np.full(steps, self._rate)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave out of the weight decay the weights whose names contain one of ``var_names`` ("bias", …)."""
        if var_list is not None:
            raise Unsupported(f"[{self._where}] exclude_from_weight_decay by var_list; give var_names")
        names = (var_names,) if isinstance(var_names, str) else tuple(var_names or ())
        self._excluded += names

    def decays(self, name: str) -> bool:
        """Whether the weight decay acts on the weight of that name."""
        return not any(part in name for part in self._excluded)

    def to_core(self) -> dict[str, Any]:
        """Return the fields of _core's OptimizerOptions, and "rule"."""
        options: dict[str, Any] = {"rule": self.rule}
        for name, field in self._fields.items():
            options[field] = getattr(self, name)
        options["weight_decay"] = self.weight_decay or 0.0
        options["clip_norm"] = self.clipnorm or 0.0
        options["clip_value"] = self.clipvalue or 0.0
        options["global_clip_norm"] = self.global_clipnorm or 0.0
        return options

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config: dict[str, Any] = {"name": self.name, "learning_rate": self._rate}
        for name in ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", *self._fields):
            config[name] = getattr(self, name)
        return config

    @classmethod
    def from_config(cls: type[_O], config: dict[str, Any]) -> _O:
        """Make an optimizer of what ``get_config`` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items() if key != "name")
        return f"{type(self).__name__}({arguments})"

    @property
    def _where(self) -> str:
        return type(self).__name__

    def _refuse(self, others: dict[str, Any]) -> None:
        for key, value in others.items():
            if key not in _UNSUPPORTED:
                raise InvalidArgument(f"[{self._where}] unknown argument {key}={value!r}")
            if value != _UNSUPPORTED[key]:
                raise Unsupported(f"[{self._where}] {key}={value!r}: {key} is not supported")

    def _number(self, name: str, value: Any, low: float = 0.0, below: float = math.inf) -> float:
        found = number(value, name, self._where)
        if not math.isfinite(found):
            raise NotFinite(f"[{self._where}] expected a finite {name}, got {found}")
        if not low <= found < below:
            limits = f">= {low:g}" if math.isinf(below) else f"in [{low:g}, {below:g})"
            raise InvalidArgument(f"[{self._where}] expected {name} {limits}, got {found:g}")
        return found

    def _optional(self, name: str, value: Any) -> float | None:
        return None if value is None else self._number(name, value)


class SGD(Optimizer):
    """Gradient descent: ``v ← momentum·v - rate·g``, ``w ← w + v``; Nesterov's adds ``momentum·v - rate·g``."""

    rule = "sgd"
    _fields: ClassVar[dict[str, str]] = {"momentum": "momentum", "nesterov": "nesterov"}

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, others)
        self.momentum = self._number("momentum", momentum)
        if self.momentum > 1:
            raise InvalidArgument(f"[SGD] expected momentum in [0, 1], got {momentum}")
        self.nesterov = bool(nesterov)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2014), with AMSGrad (Reddi et al., 2018) on request."""

    rule = "adam"
    _fields: ClassVar[dict[str, str]] = {name: name for name in ("beta_1", "beta_2", "epsilon", "amsgrad")}

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, others)
        self.beta_1 = self._number("beta_1", beta_1, 0, 1)
        self.beta_2 = self._number("beta_2", beta_2, 0, 1)
        self.epsilon = self._number("epsilon", epsilon)
        self.amsgrad = bool(amsgrad)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): ``w ← w - rate·decay·w`` before the step."""

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        if weight_decay is None:
            raise InvalidArgument("[AdamW] expected weight_decay to be a number, got None")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm,
            name, **others,
        )  # fmt: skip


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012): the step over the root of a moving mean of g², or of the variance if ``centered``."""

    rule = "rmsprop"
    _fields: ClassVar[dict[str, str]] = {name: name for name in ("rho", "momentum", "epsilon", "centered")}

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, others)
        self.rho = self._number("rho", rho)
        self.momentum = self._number("momentum", momentum)
        self.epsilon = self._number("epsilon", epsilon)
        self.centered = bool(centered)


class Adagrad(Optimizer):
    """Adagrad (Duchi et al., 2011): the step over the root of the sum of all g² so far."""

    rule = "adagrad"
    _fields: ClassVar[dict[str, str]] = {
        "initial_accumulator_value": "initial_accumulator",
        "epsilon": "epsilon",
    }

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, others)
        self.initial_accumulator_value = self._number("initial_accumulator_value", initial_accumulator_value)
        self.epsilon = self._number("epsilon", epsilon)


_BY_NAME: dict[str, type[Optimizer]] = {
    "sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "adagrad": Adagrad
}  # fmt: skip


def get(identifier: str | Optimizer | dict[str, Any]) -> Optimizer:
    """Return an optimizer by name ("adam", …), of a config, or itself.

    Raises
    ------
    InvalidArgument : no such optimizer; the message lists those there are.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict) and "class_name" in identifier:
        kind = _named(identifier["class_name"])
        return kind.from_config(identifier.get("config", {}))
    return _named(identifier)()  # type: ignore[call-arg]  # every subclass has defaults for all


def _named(name: Any) -> type[Optimizer]:
    found = _BY_NAME.get(name.lower()) if isinstance(name, str) else None
    if found is None:
        raise InvalidArgument(
            f"[optimizer] expected one of {', '.join(map(repr, _BY_NAME))} or an Optimizer, got {name!r}"
        )
    return found


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, __all__)
