"""What a version must prove before an alias may point to it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from maas_engine import metrics
from maas_engine.errors import InvalidArgument
from maas_engine.model import Model
from maas_engine.package import Package
from maas_engine.registry._checks import check_key
from maas_engine.registry._hold_out import digest_of
from maas_engine.registry._version import Version

FEWEST_ROWS = 30  # below which a bootstrap promises more than it holds
RESAMPLES = 2000
SEED = 0  # whoever asks again gets the same answer

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_OF_SCORES = ("roc_auc_score", "average_precision_score", "binned_roc_auc_score", "hinge_loss")
_OF_PROBABILITIES = (
    "log_loss",
    "brier_score_loss",
    "d2_log_loss_score",
    "d2_brier_score",
    "top_k_accuracy_score",
)
_LOWER_IS_BETTER = ("_loss", "_error", "_deviance")


@dataclass(frozen=True)
class GateResult:
    """What a gate found. ``detail`` holds its figures as JSON has them."""

    gate: str
    passed: bool
    found: str
    detail: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {**self.detail, "gate": self.gate, "passed": self.passed, "found": self.found}


@dataclass(frozen=True)
class Case:
    """What gates judge: a version, and the one that the alias points to, or None. ``open`` verifies a package."""

    candidate: Version
    champion: Version | None
    open: Callable[[Version], Package]

    @cached_property
    def package(self) -> Package:
        """The candidate's."""
        return self.open(self.candidate)


class Gate(Protocol):
    """A condition. Its text says what it asks for. An error of the engine's that `check` raises fails it."""

    def check(self, case: Case) -> GateResult: ...


@dataclass(frozen=True)
class MetricThreshold:
    """A metric of the version lies on the right side of a bound: from its package, or added in the registry since.

    Parameters
    ----------
    metric : str
    sign : {">=", ">", "<=", "<"}
    bound : float

    Examples
    --------
    >>> str(MetricThreshold("auc", ">=", 0.8))
    'auc >= 0.8'
    """

    metric: str
    sign: str
    bound: float

    def __post_init__(self) -> None:
        check_key("a metric's name", self.metric)
        if self.sign not in _SIGNS:
            raise InvalidArgument(f"[gate] expected {', '.join(_SIGNS)}, got {self.sign!r}")
        object.__setattr__(self, "bound", _finite("a bound", self.bound))

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.bound:g}"

    def check(self, case: Case) -> GateResult:
        value = case.candidate.metrics.get(self.metric)
        if value is None:
            return GateResult(str(self), False, f"no metric {self.metric!r}")
        return GateResult(str(self), _SIGNS[self.sign](value, self.bound), f"{value:g}", {"value": value})


@dataclass(frozen=True)
class Signed:
    """The package bears a signature that the registry's policy verifies."""

    def __str__(self) -> str:
        return "signed"

    def check(self, case: Case) -> GateResult:
        if case.package.signed:
            return GateResult(str(self), True, "a signature that verifies")
        return GateResult(str(self), False, "no signature that the registry's policy has a key for")


@dataclass(frozen=True, eq=False)
class BetterThanChampion:
    """On rows that neither was trained on, the version does better than the one that the alias points to.

    Both answer the same rows. Rows are drawn again with replacement, and the gate passes when the difference of the
    two figures lies above ``margin`` in at least a share ``confidence`` of the resamples: a paired bootstrap test of
    one side (Efron and Tibshirani, "An introduction to the bootstrap", 1993, 16.4). It passes where there is no
    champion yet, or where the version is the champion.

    Parameters
    ----------
    metric : str
        A function of `maas_engine.metrics` that gives one number. Losses, errors and deviances are better when
        lower. Areas and precision are taken of scores, log loss and the like of probabilities, others of
        predictions.
    X, y : rows as ``predict`` takes them, and an array of their targets
        At least `FEWEST_ROWS` of them.
    confidence : float in (0.5, 1)
    margin : float
        In the metric's unit; below 0, how much worse is still good enough.
    dataset : str
        The rows' name. It goes into the history, with a digest of the rows.
    options : dict, optional
        Of the metric, such as ``{"average": "macro"}``.
    """

    metric: str
    X: Any = field(repr=False)
    y: Any = field(repr=False)
    confidence: float = 0.95
    margin: float = 0.0
    dataset: str = "hold-out"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.metric not in metrics.__all__ or isinstance(getattr(metrics, self.metric), type):
            raise InvalidArgument(f"[gate] expected a function of maas_engine.metrics, got {self.metric!r}")
        if not 0.5 < _finite("a confidence", self.confidence) < 1:
            raise InvalidArgument(f"[gate] expected a confidence in (0.5, 1), got {self.confidence!r}")
        _finite("a margin", self.margin)
        check_key("a dataset's name", self.dataset)
        rows = len(np.asarray(self.y))
        if rows < FEWEST_ROWS:
            raise InvalidArgument(f"[gate] expected at least {FEWEST_ROWS} rows, got {rows}")

    def __str__(self) -> str:
        margin = f" by {self.margin:g}" if self.margin else ""
        return f"{self.metric} on {self.dataset!r} better than the champion's{margin}"

    def check(self, case: Case) -> GateResult:
        detail: dict[str, Any] = {
            "metric": self.metric,
            "dataset": self.dataset,
            "digest": digest_of(self.X, self.y),
        }
        if case.champion is None:
            return GateResult(str(self), True, "no champion yet", detail)
        if case.champion.uri == case.candidate.uri:
            return GateResult(str(self), True, "the champion itself", detail)
        models = case.package.model(), case.open(case.champion).model()
        y = self._targets(*models)
        ours, theirs = (self._answers(model) for model in models)
        lower_is_better = self.metric.endswith(_LOWER_IS_BETTER)
        gain = metrics.bootstrap(
            self.metric,
            y,
            *((theirs, ours) if lower_is_better else (ours, theirs)),
            n_resamples=RESAMPLES,
            confidence_level=2 * self.confidence - 1,  # whose lower end is that of one side
            random_state=SEED,
            **self.options,
        )
        passed = gain.low > self.margin  # a NaN does not pass
        figures = {"gain": gain.value, "low": gain.low, "confidence": self.confidence, "margin": self.margin}
        found = f"{gain.value:+.4g}, at least {gain.low:+.4g} with {self.confidence:.3g} confidence"
        detail.update({key: value if math.isfinite(value) else None for key, value in figures.items()})
        return GateResult(
            str(self), passed, found, {**detail, "rows": len(ours), "champion": case.champion.version}
        )

    def _targets(self, candidate: Model, champion: Model) -> Any:
        """The targets; of two labels, where scores and probabilities are of the second, whether they are that."""
        y, labels = np.asarray(self.y), candidate.labels
        if labels is None or self.metric not in (*_OF_SCORES, *_OF_PROBABILITIES):
            return y
        others = champion.labels
        if others is None or not np.array_equal(labels, others):
            raise InvalidArgument(f"[gate] expected the champion's labels {_few(others)}, got {_few(labels)}")
        if len(labels) != 2 or "pos_label" in self.options or not np.isin(y, labels).all():
            return y
        return (y == labels[1]).astype(np.int64)

    def _answers(self, model: Model) -> Any:
        if self.metric in _OF_PROBABILITIES:
            return model.predict_proba(self.X)
        if self.metric not in _OF_SCORES:
            return model.predict(self.X)
        if hasattr(model, "decision_function"):
            return model.decision_function(self.X)
        scores = model.predict_proba(self.X)
        return scores[:, 1] if scores.shape[1] == 2 else scores


def _few(labels: Any) -> str:
    return "None" if labels is None else f"{labels.tolist()}"[:80]


def _finite(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidArgument(f"[gate] expected {what} as a finite number, got {value!r}")
    return float(value)
