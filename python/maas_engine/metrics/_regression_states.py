"""Mergeable states of the regression metrics, of any number of outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from maas_engine import _core
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.metrics._deviance import check_power, check_range
from maas_engine.metrics._regression import check_above_minus_one
from maas_engine.metrics._states import State, plain, require_rows
from maas_engine.metrics._targets import (
    Targets,
    average_outputs,
    check_interval,
    check_multioutput,
    check_targets,
    explained_share,
    warn_too_few,
)

if TYPE_CHECKING:
    from typing_extensions import Self

# The order of StateSums in cpp/maas/metrics/regression_state.h, and of ErrorTerm in kernels/error_terms.h.
_ERROR, _MAXIMUM, _TARGET, _DISTANCE, _DEVIANCE = range(5)
(_SQUARED, _ABSOLUTE, _DIFFERENCE, _PERCENTAGE, _PINBALL, _SQUARED_LOG, _POISSON, _GAMMA, _TWEEDIE) = range(9)


class RegressionState(State):
    """What regression states share."""

    _core_state = _core.RegressionState
    _sums: int = _ERROR
    _term: int = _SQUARED
    _parameter: float = 0.0

    def _new(self, config: str) -> Any:
        return _core.RegressionState(config, self._sums, self._term, self._parameter)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The state that ``to_bytes`` wrote; raises ``FormatError`` for anything else."""
        state = super().from_bytes(data)
        if not state._state.same_kind(state._new("")):
            raise FormatError(f"[metric state] expected the sums of {cls.__name__}")
        return state

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch of targets and predictions of shape (n,) or (n, k); every batch has the same k."""
        targets = check_targets(y_true, y_pred, sample_weight)
        self._check(targets)
        self._state.update(*targets)

    def _check(self, targets: Targets) -> None:
        """Raises for targets that the metric does not take."""

    def _rows(self) -> float:
        weight = float(self._state.weight())
        require_rows(weight)
        return weight


class _MeanState(RegressionState):
    _name: ClassVar[str]
    _root: ClassVar[bool] = False

    def __init__(self, *, multioutput: Any = "uniform_average", **config: Any) -> None:
        self.multioutput = _check_average(multioutput, self._name)
        super().__init__(multioutput=self.multioutput, **config)

    def compute(self) -> Any:
        """The figure of all rows so far: a float, or shape (k,) with ``multioutput="raw_values"``."""
        weight = self._rows()
        errors = self._state.errors() / weight
        check_multioutput(self.multioutput, len(errors), self._name)
        return average_outputs(np.sqrt(errors) if self._root else errors, self.multioutput)


class MeanSquaredError(_MeanState):
    """State of `mean_squared_error`."""

    _name = "mean_squared_error"


class RootMeanSquaredError(_MeanState):
    """State of `root_mean_squared_error`."""

    _name, _root = "root_mean_squared_error", True


class MeanAbsoluteError(_MeanState):
    """State of `mean_absolute_error`."""

    _name, _term = "mean_absolute_error", _ABSOLUTE


class MeanAbsolutePercentageError(_MeanState):
    """State of `mean_absolute_percentage_error`."""

    _name, _term = "mean_absolute_percentage_error", _PERCENTAGE


class MeanSquaredLogError(_MeanState):
    """State of `mean_squared_log_error`."""

    _name, _term = "mean_squared_log_error", _SQUARED_LOG

    def _check(self, targets: Targets) -> None:
        check_above_minus_one(self._name, targets.true, targets.pred)


class RootMeanSquaredLogError(MeanSquaredLogError):
    """State of `root_mean_squared_log_error`."""

    _name, _root = "root_mean_squared_log_error", True


class MeanPinballLoss(_MeanState):
    """State of `mean_pinball_loss`."""

    _name, _term = "mean_pinball_loss", _PINBALL

    def __init__(self, *, alpha: float = 0.5, multioutput: Any = "uniform_average") -> None:
        self.alpha = self._parameter = check_interval(alpha, "alpha", self._name, 0.0, 1.0)
        super().__init__(multioutput=multioutput, alpha=self.alpha)


class MaxError(RegressionState):
    """State of `max_error`."""

    _sums, _term = _MAXIMUM, _ABSOLUTE

    def __init__(self) -> None:
        super().__init__()

    def _check(self, targets: Targets) -> None:
        _require_one_output(targets, "max_error")

    def compute(self) -> float:
        """The greatest absolute error of all rows so far."""
        self._rows()
        return float(self._state.errors()[0])


class R2(RegressionState):
    """State of `r2_score`."""

    _sums = _TARGET

    def __init__(self, *, force_finite: bool = True, multioutput: Any = "uniform_average") -> None:
        self.multioutput = _check_average(multioutput, "r2_score")
        self.force_finite = bool(force_finite)
        super().__init__(force_finite=self.force_finite, multioutput=self.multioutput)

    def compute(self) -> Any:
        """The R^2 of all rows so far; NaN with an ``UndefinedMetricWarning`` below two rows."""
        if self._state.rows() < 2:
            return warn_too_few("R^2", stacklevel=2)
        errors, spreads = self._state.errors(), self._state.target_spreads()
        check_multioutput(self.multioutput, len(errors), "r2_score")
        return explained_share(errors, spreads, self.multioutput, self.force_finite)


class ExplainedVariance(RegressionState):
    """State of `explained_variance_score`."""

    _sums, _term = _DISTANCE, _DIFFERENCE

    def __init__(self, *, force_finite: bool = True, multioutput: Any = "uniform_average") -> None:
        self.multioutput = _check_average(multioutput, "explained_variance_score")
        self.force_finite = bool(force_finite)
        super().__init__(force_finite=self.force_finite, multioutput=self.multioutput)

    def compute(self) -> Any:
        """The explained variance of all rows so far."""
        weight = self._rows()
        rest, spreads = self._state.distance_spreads() / weight, self._state.target_spreads() / weight
        check_multioutput(self.multioutput, len(rest), "explained_variance_score")
        return explained_share(rest, spreads, self.multioutput, self.force_finite)


class _DevianceState(RegressionState):
    def __init__(self, of_power: float, **config: Any) -> None:
        self.power = self._parameter = check_power(of_power, type(self).__name__)
        self._term = {0.0: _SQUARED, 1.0: _POISSON, 2.0: _GAMMA}.get(self.power, _TWEEDIE)
        super().__init__(**config)

    def _check(self, targets: Targets) -> None:
        _require_one_output(targets, "mean_tweedie_deviance")
        check_range(self.power, float(targets.true.min()), float(targets.pred.min()))


class _MeanDeviance(_DevianceState):
    def compute(self) -> float:
        """The mean deviance of all rows so far."""
        weight = self._rows()
        return float(self._state.errors()[0] / weight)


class MeanTweedieDeviance(_MeanDeviance):
    """State of `mean_tweedie_deviance`."""

    def __init__(self, *, power: float = 0) -> None:
        super().__init__(power, power=plain(power))


class MeanPoissonDeviance(_MeanDeviance):
    """State of `mean_poisson_deviance`."""

    def __init__(self) -> None:
        super().__init__(1.0)


class MeanGammaDeviance(_MeanDeviance):
    """State of `mean_gamma_deviance`."""

    def __init__(self) -> None:
        super().__init__(2.0)


class D2Tweedie(_DevianceState):
    """State of `d2_tweedie_score`.

    The deviance of the mean comes from sums of y, log y, y log y or powers of y, so it loses digits where y
    hardly varies: about 2^-52 mean(y)^2 / var(y) relative.
    """

    def __init__(self, *, power: float = 0) -> None:
        self._sums = _TARGET if power == 0 else _DEVIANCE
        super().__init__(power, power=plain(power))

    def compute(self) -> float:
        """The D^2 of all rows so far; NaN with an ``UndefinedMetricWarning`` below two rows."""
        if self._state.rows() < 2:
            return warn_too_few("D^2", stacklevel=2)
        constant = self._constant()
        if constant == 0:
            raise InvalidArgument("the D^2 score of a constant y_true is not defined")
        return float(1 - self._state.errors()[0] / constant)

    def _constant(self) -> float:
        """Sum of the deviances of the mean as prediction."""
        if self.power == 0:
            return float(self._state.target_spreads()[0])
        weight, total = float(self._state.weight()), float(self._state.targets()[0])
        own, mean, power = float(self._state.constants()[0]), total / weight, self.power
        if mean <= 0:
            return math.nan
        if power == 1:
            return 2 * (own - total * math.log(mean))
        if power == 2:
            return 2 * (weight * math.log(mean) - own)
        return 2 * (own - weight * math.pow(mean, 2 - power)) / ((1 - power) * (2 - power))


def _check_average(multioutput: Any, name: str) -> Any:
    """``multioutput`` as JSON has it; weights are held against the outputs when there are some."""
    if isinstance(multioutput, str) or multioutput is None:
        check_multioutput(multioutput, 1, name)
    return plain(multioutput)


def _require_one_output(targets: Targets, name: str) -> None:
    if targets.true.shape[1] != 1:
        raise InvalidArgument(f"Multioutput not supported in {name}")
