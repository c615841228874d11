"""Linear support vector classification, one class against the rest."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.linear_model._base import (
    Array,
    LinearClassifierMixin,
    check_features,
    check_weights,
    csr_parts,
    scikit_learn_errors,
    warn_not_converged,
)
from maas_engine.linear_model._labels import check_labels, encode_labels
from maas_engine.linear_model._sparse import fit_sparse_rows


class LinearSVC(LinearClassifierMixin, ClassifierMixin, BaseEstimator):
    """Linear support vector machine with scikit-learn's parameters and attributes.

    For each class (one of two classes, else each against the rest) minimises
    ``C Σ_i s_i loss(m_i) + penalty(w, b / intercept_scaling)`` with the margins ``m_i = ±(x_i w + b)``: the
    loss is ``max(0, 1 - m)`` or its square, the penalty ``|.|² / 2`` or ``|.|₁``. Like scikit-learn's, the
    penalty takes the intercept ``b`` for the weight of one more column, of constants ``intercept_scaling``.

    Parameters
    ----------
    penalty : {'l2', 'l1'}, default='l2'
        'l1' takes ``loss='squared_hinge'``.
    loss : {'squared_hinge', 'hinge'}, default='squared_hinge'
    dual : 'auto' or bool, default='auto'
        Accepted: both problems have the same optimum, and the engine picks the method.
        scikit-learn's refusals of combinations that it has no method for do not apply.
    tol : float, default=1e-4
        Quasi-Newton steps stop where the one left would move the margins by about ``tol**2 / 100`` (root mean
        square); the other methods where the objective is within ``min(1e-9, tol)``, relative, of a lower
        bound, dual coordinate descent also only where its gradients are below ``1e-6 * tol``.
    C : float > 0, default=1.0
        Inverse strength of the penalty.
    multi_class : {'ovr'}, default='ovr'
    fit_intercept : bool, default=True
    intercept_scaling : float > 0, default=1.0
    class_weight : dict, 'balanced' or None, default=None
        Multiplies the sample weights.
    verbose, random_state
        Accepted so that scikit-learn's calls work; the engine prints nothing, and its methods have no choice
        to make.
    max_iter : int, default=1000
        Largest number of steps for a class.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    coef_ : ndarray, shape (1, n_features) for two classes, else (n_classes, n_features); the type of ``X``
    intercept_ : ndarray, shape (1,) or (n_classes,)
    n_iter_ : int
        Most steps that a class took.
    n_features_in_, feature_names_in_

    Notes
    -----
    The squared hinge is minimised by quasi-Newton steps over whole passes, the hinge by an interior point
    with a system in the columns; both, where columns outnumber rows, and the hinge beyond 1000 columns, by
    dual coordinate descent on one thread. The same bits for any number of threads, for C and F order, and
    for every SIMD target with FMA.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "penalty": [StrOptions({"l1", "l2"})],
        "loss": [StrOptions({"hinge", "squared_hinge"})],
        "dual": ["boolean", StrOptions({"auto"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "multi_class": [StrOptions({"ovr", "crammer_singer"})],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [None, dict, StrOptions({"balanced"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        penalty: str = "l2",
        loss: str = "squared_hinge",
        *,
        dual: str | bool = "auto",
        tol: float = 1e-4,
        C: float = 1.0,
        multi_class: str = "ovr",
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        verbose: int = 0,
        random_state: Any = None,
        max_iter: int = 1000,
    ) -> None:
        self.penalty = penalty
        self.loss = loss
        self.dual = dual
        self.tol = tol
        self.C = C
        self.multi_class = multi_class
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.verbose = verbose
        self.random_state = random_state
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearSVC:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse of float32 or float64, shape (n_samples, n_features), any layout
        y : array-like of labels, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), or None
            A weight counts like that many repetitions of the row.

        Raises
        ------
        ValueError : bad shapes, NaN or infinity, fewer than two classes, unsupported parameters.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` was not enough.
        """
        self._validate_params()
        X = check_features(self, X, y=y, reset=True, accept_sparse=True)
        self._check_supported(issparse(X))
        classes, codes = encode_labels(check_labels(y, X))
        if len(classes) < 2:
            raise ValueError(
                "LinearSVC needs samples of at least 2 classes in the data, but the data contains only one "
                f"class: {classes[0]!r}"
            )
        weights = self._row_weights(sample_weight, X, classes, codes)
        columns = [1] if len(classes) == 2 else range(len(classes))
        with scikit_learn_errors(self, X=X, sample_weight=weights):
            fits = [self._fit_class(X, (codes == k).astype(np.float64), weights) for k in columns]
        self.classes_ = classes
        self.coef_ = np.array([fit[0] for fit in fits]).astype(X.dtype)
        self.intercept_ = np.array([fit[1] for fit in fits], dtype=X.dtype)
        self.n_iter_ = max(fit[2] for fit in fits)
        if not all(fit[3] for fit in fits):
            warn_not_converged(
                self,
                f"stopped after {self.n_iter_} steps (max_iter={self.max_iter}) before reaching "
                f"tol={self.tol}. Increase max_iter or scale the data.",
            )
        return self

    def _check_supported(self, sparse: bool) -> None:
        if self.multi_class == "crammer_singer":
            raise ValueError(
                "LinearSVC fits one class against the rest, got multi_class='crammer_singer'; "
                "use multi_class='ovr'"
            )
        if self.penalty == "l1" and self.loss == "hinge":
            raise ValueError(
                "The combination of penalty='l1' and loss='hinge' is not supported; use loss='squared_hinge'"
            )
        if self.penalty == "l1" and sparse:
            raise ValueError("LinearSVC with penalty='l1' takes dense rows only, got sparse X")

    def _row_weights(
        self, sample_weight: Any, X: Any, classes: Array, codes: Array
    ) -> NDArray[np.float64] | None:
        weights = check_weights(sample_weight, X)
        if self.class_weight is None:
            return weights
        at = codes.astype(np.intp)
        by_class = compute_class_weight(
            self.class_weight, classes=classes, y=classes[at], sample_weight=weights
        )
        each: NDArray[np.float64] = by_class[at]
        return each if weights is None else weights * each

    def _fit_class(
        self, X: Any, positive: NDArray[np.float64], weights: NDArray[np.float64] | None
    ) -> tuple[Array, float, int, bool]:
        """Return weights, intercept, steps and whether they were enough, for ``positive`` (1.0) or not (0.0)."""
        scaling = float(self.intercept_scaling)
        squared = self.loss == "squared_hinge"
        if not squared or (self.penalty == "l2" and X.shape[1] > X.shape[0]):
            costs = np.full(len(positive), float(self.C)) if weights is None else self.C * weights
            intercept, tol, steps = bool(self.fit_intercept), float(self.tol), int(self.max_iter)
            if issparse(X):
                parts = csr_parts(X)
                return _core.sparse_hinge_fit(
                    *parts, positive, costs, squared, intercept, scaling, tol, steps
                )
            return _core.hinge_fit(X, positive, costs, squared, intercept, scaling, tol, steps)
        l1, l2 = (1.0 / self.C, 0.0) if self.penalty == "l1" else (0.0, 1.0 / self.C)
        tol = 0.1 * float(self.tol)  # the curvature jumps: a step may foresee too little
        if issparse(X):
            coef, bias, steps, status, _ = fit_sparse_rows(
                X,
                positive,
                weights,
                loss="squared_hinge",
                outputs=1,
                l2=l2,
                fit_intercept=self.fit_intercept,
                solver="lbfgs",
                tol=tol,
                max_iter=int(self.max_iter),
                start=[],
                intercept_penalty=scaling**-2,
            )
        else:
            typed = None if weights is None else weights.astype(X.dtype, copy=False)
            coef, bias, steps, status, _ = _core.linear_fit(
                X, positive.astype(X.dtype, copy=False), typed, "squared_hinge", 1, bool(self.fit_intercept),
                l2, "lbfgs", tol, int(self.max_iter), 0.1, 0.0, False, [], l1, l1 / scaling, scaling**-2,
            )  # fmt: skip
        return coef[0], float(bias[0]), int(steps), status == "converged"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.penalty == "l2"
        return tags
