"""Losses by Keras 3's names and parameters. They are computed in compiled code (cpp/maas/nn/loss.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn._checks import number, positive
from maas_engine.nn._lookup import absent

_L = TypeVar("_L", bound="Loss")


class Loss:
    """What all losses share: the mean over the rows of a batch of sample weight × row's loss."""

    core_name: ClassVar[str]  # as _core knows it
    _options: ClassVar[tuple[str, ...]] = ()  # attributes that _core takes

    def __init__(self, name: str, reduction: str, dtype: Any) -> None:
        where = type(self).__name__
        if reduction != "sum_over_batch_size":
            raise Unsupported(
                f"[{where}] reduction={reduction!r}; only 'sum_over_batch_size', the mean over a batch, is supported"
            )
        if dtype is not None:
            raise Unsupported(f"[{where}] dtype={dtype!r}: a loss is computed in the model's type")
        self.name = name

    def to_core(self) -> dict[str, Any]:
        """Return the fields of _core's LossOptions, and "name"."""
        return {"name": self.core_name, **{option: getattr(self, option) for option in self._options}}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, **{option: getattr(self, option) for option in self._options}}

    @classmethod
    def from_config(cls: type[_L], config: dict[str, Any]) -> _L:
        """Make a loss of what ``get_config`` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{option}={getattr(self, option)!r}" for option in self._options)
        return f"{type(self).__name__}({arguments})"


class _Plain(Loss):
    """A loss without parameters, of the name that _core and Keras both know it by."""

    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(self.core_name if name is None else name, reduction, dtype)


class MeanSquaredError(_Plain):
    """The mean over columns of (y - p)²."""

    core_name = "mean_squared_error"


class MeanAbsoluteError(_Plain):
    """The mean over columns of |y - p|."""

    core_name = "mean_absolute_error"


class Hinge(_Plain):
    """The mean over columns of max(1 - y·p, 0), targets -1 and 1, or 0 and 1."""

    core_name = "hinge"


class SquaredHinge(_Plain):
    """The mean over columns of max(1 - y·p, 0)², targets -1 and 1, or 0 and 1."""

    core_name = "squared_hinge"


class Poisson(_Plain):
    """The mean over columns of p - y·log(p + 1e-7)."""

    core_name = "poisson"


class KLDivergence(_Plain):
    """The sum over columns of y·log(y / p), both clipped to [1e-7, 1]."""

    core_name = "kl_divergence"


class Huber(Loss):
    """The mean over columns of e²/2 where |e| = |y - p| <= delta, else delta·|e| - delta²/2 (Huber, 1964)."""

    core_name = "huber"
    _options = ("delta",)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = positive(delta, "delta", type(self).__name__)


class _Crossentropy(Loss):
    """Cross-entropies. A network that ends in the sigmoid or softmax is trained from its logits."""

    _options = ("from_logits", "label_smoothing")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(self.core_name if name is None else name, reduction, dtype)
        _check_axis(self, axis)
        self.from_logits = bool(from_logits)
        self.label_smoothing = number(label_smoothing, "label_smoothing", type(self).__name__)
        if not 0 <= self.label_smoothing <= 1:
            where = type(self).__name__
            raise InvalidArgument(f"[{where}] expected label_smoothing in [0, 1], got {label_smoothing}")


class BinaryCrossentropy(_Crossentropy):
    """The mean over columns of -y·log(p) - (1 - y)·log(1 - p); smoothing s makes y·(1 - s) + s/2 of y."""

    core_name = "binary_crossentropy"


class CategoricalCrossentropy(_Crossentropy):
    """-Σ y·log(p) over the columns of one-hot targets; smoothing s makes y·(1 - s) + s/columns of y."""

    core_name = "categorical_crossentropy"


class SparseCategoricalCrossentropy(Loss):
    """-log(p[y]) for targets that are class numbers, one a row."""

    core_name = "sparse_categorical_crossentropy"
    _options = ("from_logits",)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        _check_axis(self, axis)
        if ignore_class is not None:
            raise Unsupported(
                f"[SparseCategoricalCrossentropy] ignore_class={ignore_class!r}; give those rows sample_weight 0"
            )
        self.from_logits = bool(from_logits)


def _check_axis(loss: Loss, axis: int) -> None:
    if axis != -1:
        raise Unsupported(f"[{type(loss).__name__}] axis={axis!r}: classes lie along the last axis")


_CLASSES: tuple[type[Loss], ...] = (
    MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossentropy, CategoricalCrossentropy,
    SparseCategoricalCrossentropy, Hinge, SquaredHinge, Poisson, KLDivergence,
)  # fmt: skip
_BY_NAME = {kind.core_name: kind for kind in _CLASSES}
# Short names, as Keras and scikit-learn's users write them.
ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "huber_loss": "huber",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}


def core_name(name: str) -> str | None:
    """Return the name by which _core knows a loss, of any of its names; None where there is no such loss."""
    lower = name.lower()
    lower = ALIASES.get(lower, lower)
    if lower in _BY_NAME:
        return lower
    return next((kind.core_name for kind in _CLASSES if kind.__name__ == name), None)


def get(identifier: str | Loss | dict[str, Any]) -> Loss:
    """Return a loss by name ("mse", "MeanSquaredError", …), of a config, or itself.

    Raises
    ------
    InvalidArgument : no such loss; the message lists those there are.
    Unsupported : a function. Losses are compiled.
    """
    if isinstance(identifier, Loss):
        return identifier
    config: dict[str, Any] = {}
    name: Any = identifier
    if isinstance(identifier, dict) and "class_name" in identifier:
        name, config = identifier["class_name"], identifier.get("config", {})
    found = core_name(name) if isinstance(name, str) else None
    if found is not None:
        return _BY_NAME[found].from_config(config)
    if callable(identifier):
        raise Unsupported(f"[loss] a function of your own as a loss; expected one of {_listed()}")
    raise InvalidArgument(f"[loss] expected one of {_listed()} or a Loss, got {identifier!r}")


def _listed() -> str:
    short = {full: alias for alias, full in ALIASES.items() if len(alias) == 3}
    return ", ".join(f"'{name}' ('{short[name]}')" if name in short else f"'{name}'" for name in _BY_NAME)


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, (kind.__name__ for kind in _CLASSES))
