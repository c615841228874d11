"""Metrics that training reports, by Keras 3's names. They are sums over rows, computed in compiled code.

For everything else (AUC, F1, confidence intervals, …) predict and use ``maas_engine.metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn import losses
from maas_engine.nn._lookup import absent


class Metric:
    """A metric of rows.

    Attributes
    ----------
    name : str, the key in the logs and in ``History.history``
    core_name : str, as _core knows it
    """

    core_name: ClassVar[str]

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        if dtype is not None:
            raise Unsupported(f"[{type(self).__name__}] dtype={dtype!r}: metrics are summed in float64")
        self.name = self.core_name if name is None else name

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Accuracy(Metric):
    """``"accuracy"``: the binary, categorical or sparse categorical one, as the loss and the columns suggest."""

    core_name = "accuracy"


class BinaryAccuracy(Metric):
    """The share of values on their target's side of 0.5."""

    core_name = "binary_accuracy"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        if threshold != 0.5:
            raise Unsupported(f"[BinaryAccuracy] threshold={threshold!r}; only 0.5")


class CategoricalAccuracy(Metric):
    """The share of rows whose largest column is that of the one-hot target."""

    core_name = "categorical_accuracy"


class SparseCategoricalAccuracy(Metric):
    """The share of rows whose largest column is the target's number."""

    core_name = "sparse_categorical_accuracy"


class TopKCategoricalAccuracy(Metric):
    """The share of rows with the one-hot target's class among the five largest columns."""

    core_name = "top_k_categorical_accuracy"

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        if k != 5:
            raise Unsupported(f"[{type(self).__name__}] k={k!r}; only 5")


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """The share of rows with the target's number among the five largest columns."""

    core_name = "sparse_top_k_categorical_accuracy"


class RootMeanSquaredError(Metric):
    """The root of the mean over rows and columns of (y - p)²."""

    core_name = "root_mean_squared_error"


class MeanSquaredError(Metric):
    """The loss of that name."""

    core_name = "mean_squared_error"


class MeanAbsoluteError(Metric):
    """The loss of that name."""

    core_name = "mean_absolute_error"


class _Crossentropy(Metric):
    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name, dtype)
        if from_logits or label_smoothing:
            raise Unsupported(
                f"[{type(self).__name__}] from_logits and label_smoothing belong to the loss, "
                "the metric is of probabilities and plain targets"
            )


class BinaryCrossentropy(_Crossentropy):
    """The loss of that name, of probabilities."""

    core_name = "binary_crossentropy"


class CategoricalCrossentropy(_Crossentropy):
    """The loss of that name, of probabilities."""

    core_name = "categorical_crossentropy"


class SparseCategoricalCrossentropy(_Crossentropy):
    """The loss of that name, of probabilities."""

    core_name = "sparse_categorical_crossentropy"


class Hinge(Metric):
    """The loss of that name."""

    core_name = "hinge"


class SquaredHinge(Metric):
    """The loss of that name."""

    core_name = "squared_hinge"


class Poisson(Metric):
    """The loss of that name."""

    core_name = "poisson"


class KLDivergence(Metric):
    """The loss of that name."""

    core_name = "kl_divergence"


class _Huber(Metric):
    core_name = "huber"


_CLASSES: tuple[type[Metric], ...] = (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, RootMeanSquaredError, MeanSquaredError, MeanAbsoluteError,
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, Hinge, SquaredHinge, Poisson,
    KLDivergence, _Huber,
)  # fmt: skip
_BY_NAME = {kind.core_name: kind for kind in _CLASSES}
_ALIASES = {"acc": "accuracy", "rmse": "root_mean_squared_error", **losses.ALIASES}


def get(identifier: str | Metric | losses.Loss) -> Metric:
    """Return a metric by name; a name given as text is also the key in the logs, as in Keras.

    Raises
    ------
    InvalidArgument : no such metric; the message lists those there are.
    Unsupported : a function, or a loss with options of its own.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, losses.Loss):
        if identifier.to_core() != losses.get(identifier.core_name).to_core():
            raise Unsupported(f"[metrics] {identifier!r} as a metric: only losses with their defaults")
        return _BY_NAME[identifier.core_name](name=identifier.name)
    if isinstance(identifier, str):
        lower = identifier.lower()
        found = _BY_NAME.get(_ALIASES.get(lower, lower))
        if found is None:
            found = next((kind for kind in _CLASSES if kind.__name__ == identifier), None)
        if found is not None:
            return found(name=identifier)
    elif callable(identifier):
        raise Unsupported(f"[metrics] a function of your own as a metric; expected one of {_listed()}")
    raise InvalidArgument(
        f"[metrics] expected one of {_listed()}, got {identifier!r}; "
        "for others predict and use maas_engine.metrics"
    )


def get_all(identifiers: Any) -> list[Metric]:
    """Return the metrics of ``compile(metrics=...)``: None, one, or a list of them."""
    if identifiers is None:
        return []
    if isinstance(identifiers, (str, Metric, losses.Loss)):
        return [get(identifiers)]
    if isinstance(identifiers, dict) or not isinstance(identifiers, Iterable):
        raise InvalidArgument(f"[metrics] expected a list of metrics, got {identifiers!r}")
    return [get(each) for each in identifiers]


def _listed() -> str:
    return ", ".join(f"'{name}'" for name in (*_BY_NAME, "acc", "rmse", "mse", "mae", "bce", "kld"))


if not TYPE_CHECKING:  # type checkers then still see what is not there

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name, (kind.__name__ for kind in _CLASSES if kind is not _Huber))
