"""Logistic regression, binary and multinomial, by full passes over the rows."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions

from maas_engine import _core
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._base import (
    Array,
    LinearClassifierMixin,
    check_features,
    check_weights,
    scikit_learn_errors,
    warn_not_converged,
)
from maas_engine.linear_model._export import Roles, write_logistic
from maas_engine.linear_model._folds import Folds
from maas_engine.linear_model._labels import check_labels, encode_labels
from maas_engine.linear_model._logistic_folds import fit_folds
from maas_engine.linear_model._logistic_l1 import check_l1_solver, l1_share, solve_l1
from maas_engine.linear_model._mini_batch import descend_by_batches
from maas_engine.linear_model._sparse import fit_sparse_rows

_SOLVERS = ("lbfgs", "newton-cholesky", "gd", "adam", "sgd")
_ELSEWHERE = {"liblinear": "lbfgs", "newton-cg": "newton-cholesky", "sag": "lbfgs", "saga": "lbfgs"}


class LogisticRegression(LinearClassifierMixin, ClassifierMixin, BaseEstimator):
    """Logistic regression with scikit-learn's parameters and attributes.

    Minimises ``C Σ_i s_i loss_i + (1 - l1_ratio) |w|² / 2 + l1_ratio |w|_1`` over the weights ``w`` and the
    intercept, which is not penalised; the loss is logistic for two classes and the multinomial cross-entropy
    for more.

    Parameters
    ----------
    C : float > 0, default=1.0
        Inverse strength of the penalty; ``np.inf`` for none.
    l1_ratio : float in [0, 1], default=0.0
        Share of the penalty that is L1; above zero, weights are exactly zero where the penalty holds them
        there. With more than two classes, an even number of them and ``l1_ratio=1`` the optimum may be a set.
    penalty : {'l1', 'l2', 'elasticnet', None}
        scikit-learn's older spelling of ``l1_ratio``; None means ``C=np.inf``.
    tol : float, default=1e-4
        'lbfgs' and 'newton-cholesky' stop when the step left would move the margins by about ``tol**2`` (root
        mean square, weighted by curvature): they converge superlinearly, so the default costs one or two
        passes more than a rough answer. Where columns outnumber rows or nearly so, 'lbfgs' does without
        second derivatives and stops at ``tol``. 'gd' and 'adam' stop when no component of the gradient of the mean
        loss is larger than ``tol``.
    fit_intercept : bool, default=True
    class_weight : dict, 'balanced' or None, default=None
        Multiplies the sample weights.
    solver : {'lbfgs', 'newton-cholesky', 'gd', 'adam', 'sgd'}, default='lbfgs'
        'lbfgs' starts from a sample of the rows and its second derivative; 'newton-cholesky' takes the
        second derivative of all rows at each step; 'gd' is gradient descent and 'adam' Adam, both with one
        pass over all rows a step; 'sgd', and 'adam' with a ``batch_size``, take one step a batch of rows in a
        random order, with ``learning_rate`` divided by 5 each time five epochs bring less than ``tol``.
        With an L1 penalty the default is a proximal Newton method, to which 'saga' and 'liblinear' are other
        names; the latter penalises the intercept as scikit-learn's does (``intercept_scaling``), and takes
        two classes only.
    max_iter : int, default=100
        Largest number of steps.
    learning_rate : float, default=0.1
        Step of 'gd', 'adam' and 'sgd' on the gradient of the mean loss.
    momentum : float in [0, 1), default=0.0
        Share of the previous step that 'gd' and 'sgd' keep.
    nesterov : bool, default=False
        Whether 'gd' and 'sgd' look ahead along their momentum.
    batch_size : int or None, default=None
        Rows a step of 'sgd' (None: 32) and 'adam' (None: all).
    warm_start : bool, default=False
        Start from the coefficients of the last fit.
    random_state : int, RandomState or None, default=None
        Order of the rows for steps by batches.
    dual, intercept_scaling, verbose, n_jobs
        Accepted so that scikit-learn's calls work; only their defaults mean anything here. Threads are set
        by :func:`maas_engine.set_num_threads`.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    coef_ : ndarray, shape (1, n_features) for two classes, else (n_classes, n_features); the type of ``X``
    intercept_ : ndarray, shape (1,) or (n_classes,)
    n_iter_ : ndarray of int32, shape (1,)
        Steps taken.
    loss_curve_ : ndarray of float64
        Mean loss plus penalty at the start and after each step.
    n_features_in_, feature_names_in_

    Notes
    -----
    Sparse ``X`` (CSR; others are converted) is never made dense. 'lbfgs' and 'newton-cholesky' are then the
    same method: Newton's, by conjugate gradients on products with the second derivative where there are many
    columns. It stops where a step can lower the mean loss by about ``tol**2 / 1e4``. 'sgd', 'adam' with a
    ``batch_size`` and the L1 penalty take dense rows only.

    The same bits for any number of threads, for C and F order, and for every SIMD target with FMA.
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        "penalty": [StrOptions({"l1", "l2", "elasticnet", "deprecated"}), None],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions({*_SOLVERS, *_ELSEWHERE})],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        batch_size: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._takes_sparse()
        return tags

    def _takes_sparse(self) -> bool:
        return not self._by_batches()

    def _by_batches(self) -> bool:
        return bool(self.solver == "sgd" or (self.solver == "adam" and self.batch_size is not None))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Fit the model.

        Parameters
        ----------
        X : array-like of float32 or float64, shape (n_samples, n_features), any layout, or sparse
        y : array-like of labels, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), or None
            A weight counts like that many repetitions of the row.

        Raises
        ------
        ValueError : bad shapes, NaN or infinity, fewer than two classes, unsupported parameters.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` was not enough, or ``learning_rate`` made the descent diverge (the
            last finite weights are kept).
        """
        self._validate_params()
        inverse_c = self._checked_penalty()
        X = check_features(self, X, y=y, reset=True, accept_sparse=self._takes_sparse())
        classes, targets = encode_labels(check_labels(y, X), X.dtype)
        if len(classes) < 2:
            raise ValueError(
                "LogisticRegression needs samples of at least 2 classes in the data, but the data contains "
                f"only one class: {classes[0]!r}"
            )
        weights = self._row_weights(sample_weight, X, classes, targets)
        outputs = 1 if len(classes) == 2 else len(classes)
        with scikit_learn_errors(self, X=X, sample_weight=weights):
            coef, intercept, steps, status, curve = self._solve(X, targets, weights, outputs, inverse_c)
        self.classes_ = classes
        self.coef_ = coef.astype(X.dtype)
        self.intercept_ = intercept.astype(X.dtype)
        self.n_iter_ = np.array([steps], dtype=np.int32)
        self.loss_curve_ = curve
        self._report(status)
        return self

    def _solve(self, X: Array, targets: Array, weights: Array | None, outputs: int, l2: float) -> Any:
        loss = "logistic" if outputs == 1 else "softmax"
        start = self._start(outputs, X.shape[1])
        share = l1_share(self)
        if share > 0:
            return solve_l1(
                self, X, targets, weights, outputs=outputs, inverse_c=l2, share=share, start=start
            )
        if issparse(X):
            return fit_sparse_rows(
                X,
                targets,
                weights,
                loss=loss,
                outputs=outputs,
                l2=l2,
                fit_intercept=self.fit_intercept,
                solver=self.solver,
                tol=self.tol,
                max_iter=self.max_iter,
                start=start,
                learning_rate=self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
            )
        if self._by_batches():
            return descend_by_batches(
                X,
                targets,
                weights,
                loss=loss,
                outputs=outputs,
                l2=l2,
                fit_intercept=self.fit_intercept,
                solver=self.solver,
                learning_rate=self.learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                batch_size=self.batch_size,
                max_iter=self.max_iter,
                tol=self.tol,
                random_state=self.random_state,
                start=start,
            )
        return _core.linear_fit(
            X,
            targets,
            weights,
            loss,
            outputs,
            bool(self.fit_intercept),
            l2,
            self.solver,
            float(self.tol),
            int(self.max_iter),
            float(self.learning_rate),
            float(self.momentum),
            bool(self.nesterov),
            start,
        )

    def _fit_folds(self, X: Any, y: Any, sample_weight: Any, folds: Folds) -> Any:
        """Return a fitted clone for each fold from shared passes, or NotImplemented where that is not possible."""
        return fit_folds(self, X, y, sample_weight, folds)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (n_samples, n_classes), rows summing to 1."""
        return self._probabilities(X, log=False)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities, finite where those underflow."""
        return self._probabilities(X, log=True)

    def _probabilities(self, X: Any, *, log: bool) -> Array:
        scores = self._scores(X)
        probabilities: Array = _core.class_probabilities(scores, log)
        return probabilities

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        write_logistic(builder, x, self.coef_, self.intercept_, self.classes_)
        builder.output("label", "probabilities")
        return {"predict": "label", "predict_proba": "probabilities", "decision_function": "scores"}

    def _checked_penalty(self) -> float:
        """Return 1/C after refusing what this estimator does not offer."""
        share = l1_share(self)
        if share > 0:
            check_l1_solver(self, share)
        elif self.solver in _ELSEWHERE:
            raise ValueError(
                f"LogisticRegression has no solver {self.solver!r}; use {_ELSEWHERE[self.solver]!r}, which "
                f"finds the same optimum. Solvers: {', '.join(_SOLVERS)}"
            )
        if self.dual:
            raise ValueError("LogisticRegression solves the primal problem only, got dual=True")
        if self.penalty is None and self.C != 1.0:
            warnings.warn("Setting penalty=None will ignore the C and l1_ratio parameters", stacklevel=3)
        return 0.0 if self.penalty is None else 1.0 / float(self.C)

    def _row_weights(self, sample_weight: Any, X: Array, classes: Array, targets: Array) -> Array | None:
        weights = check_weights(sample_weight, X)
        if self.class_weight is not None:
            labels = classes[targets.astype(np.intp)]
            by_class = compute_class_weight(
                self.class_weight, classes=classes, y=labels, sample_weight=weights
            )
            each = by_class[targets.astype(np.intp)]
            weights = each if weights is None else weights * each
        return None if weights is None else np.asarray(weights, dtype=X.dtype)

    def _start(self, outputs: int, features: int) -> list[float]:
        if not self.warm_start or getattr(self, "coef_", np.empty(0)).shape != (outputs, features):
            return []
        return [*self.coef_.astype(np.float64).ravel().tolist(), *self.intercept_.astype(np.float64).tolist()]

    def _report(self, status: str) -> None:
        if status == "diverged" and self.solver in ("gd", "adam", "sgd"):
            warn_not_converged(
                self,
                f"{self.solver} diverged with learning_rate={self.learning_rate}; the last finite weights "
                "are kept. Lower learning_rate or scale the data.",
            )
        elif status == "diverged":
            warn_not_converged(self, f"{self.solver} met values out of range; scale the data.")
        elif status == "max_iter":
            warn_not_converged(
                self,
                f"{self.solver} stopped after {int(self.n_iter_[0])} steps (max_iter={self.max_iter}) before "
                f"reaching tol={self.tol}. Increase max_iter or scale the data.",
            )
