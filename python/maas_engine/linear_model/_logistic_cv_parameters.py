"""What the parameters of LogisticRegressionCV mean, through scikit-learn 1.9's deprecations."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Settings(NamedTuple):
    Cs: NDArray[np.float64]
    l1_ratios: list[Any]  # as reported; [None] where none were given
    shares: list[float]  # part of the penalty that is L1, one for each of l1_ratios
    given_ratios: bool  # whether the attributes have a dimension for l1_ratios
    scoring: Any
    legacy: bool


def settle_parameters(estimator: Any) -> Settings:
    """Return the settings of a fit.

    Raises
    ------
    ValueError : ``Cs`` not above zero, ``l1_ratios`` outside [0, 1], ``dual=True``.

    Warns
    -----
    FutureWarning : ``l1_ratios``, ``scoring`` or ``use_legacy_attributes`` left out, ``penalty`` given.
    """
    l1_ratios = _l1_ratios(estimator)
    shares = _shares(estimator, l1_ratios)
    scoring = estimator.scoring
    if isinstance(scoring, str) and scoring == "warn":
        _warn(
            "the default of scoring will change from None (accuracy) to 'neg_log_loss' in scikit-learn 1.11; "
            "give one of them to silence this warning"
        )
        scoring = None
    legacy = estimator.use_legacy_attributes
    if isinstance(legacy, str):
        _warn(
            "the default of use_legacy_attributes will change from True to False in scikit-learn 1.10; give "
            "one of them to silence this warning"
        )
        legacy = True
    if estimator.dual:
        raise ValueError("LogisticRegressionCV solves the primal problem only, got dual=True")
    return Settings(
        Cs=_penalties(estimator.Cs),
        l1_ratios=[None] if l1_ratios is None else l1_ratios,
        shares=shares,
        given_ratios=l1_ratios is not None,
        scoring=scoring,
        legacy=bool(legacy),
    )


def _penalties(Cs: Any) -> NDArray[np.float64]:
    values = np.logspace(-4, 4, Cs) if isinstance(Cs, int | np.integer) else np.asarray(Cs, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.all(values > 0):
        raise ValueError(f"expected Cs to be an int or a list of numbers above 0, got {Cs!r}")
    return values


def _l1_ratios(estimator: Any) -> list[Any] | None:
    ratios = estimator.l1_ratios
    if isinstance(ratios, str):
        _warn(
            "the default of l1_ratios will change from None to (0.0,) in scikit-learn 1.10, which will refuse "
            "None; give l1_ratios=(0,) to silence this warning"
        )
        return None
    if ratios is None:
        if estimator.penalty == "deprecated":
            _warn("l1_ratios=None is deprecated and scikit-learn 1.10 will refuse it; use l1_ratios=(0,)")
        return None
    values = list(ratios)
    if not values or not all(isinstance(r, Real) and 0 <= float(r) <= 1 for r in values):
        raise ValueError(
            f"l1_ratios must be an array-like of numbers between 0 and 1; got (l1_ratios={ratios!r})"
        )
    return values


def _shares(estimator: Any, l1_ratios: list[Any] | None) -> list[float]:
    penalty = estimator.penalty
    if penalty != "deprecated":
        _warn(
            "penalty is deprecated since scikit-learn 1.8 and will be removed in 1.10; use l1_ratios: (0,) for "
            "'l2', (1,) for 'l1', and Cs=(np.inf,) for None"
        )
    if penalty == "elasticnet" and l1_ratios is None:
        raise ValueError("l1_ratios must be an array-like of numbers between 0 and 1; got (l1_ratios=None)")
    if penalty in ("l1", "l2"):
        if l1_ratios is not None:
            warnings.warn(
                f"l1_ratios parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})",
                stacklevel=4,
            )
        return [1.0 if penalty == "l1" else 0.0] * (1 if l1_ratios is None else len(l1_ratios))
    return [0.0] if l1_ratios is None else [float(ratio) for ratio in l1_ratios]


def _warn(what: str) -> None:
    warnings.warn(f"LogisticRegressionCV: {what}", FutureWarning, stacklevel=5)
