"""SGDClassifier and SGDRegressor: stochastic gradient descent, one row a step, in the compiled engine."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted

from maas_engine import _core
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._base import (
    LinearClassifierMixin,
    LinearRegressorMixin,
    check_features,
    check_regression_target,
    check_weights,
)
from maas_engine.linear_model._export import Roles, write_decisions, write_one_vs_rest
from maas_engine.linear_model._labels import check_labels, encode_labels, known_labels
from maas_engine.linear_model._sgd_base import BaseSGD

Array = NDArray[Any]
Weights = NDArray[np.float64]

REGRESSION_LOSSES = {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}
CLASSIFICATION_LOSSES = {"hinge", "squared_hinge", "perceptron", "log_loss", "modified_huber"}


class SGDClassifier(LinearClassifierMixin, ClassifierMixin, BaseSGD):
    """Linear classifier trained by stochastic gradient descent, one row a step.

    Minimises the mean of ``loss(y, x . w + b)`` plus ``alpha`` times the penalty. More than two classes are
    learned one against the rest, as parallel tasks. Parameters, defaults and update rule are scikit-learn's
    (1.9); features should be scaled to about unit variance.

    Parameters
    ----------
    loss : {'hinge', 'log_loss', 'modified_huber', 'squared_hinge', 'perceptron', 'squared_error', 'huber', \
            'epsilon_insensitive', 'squared_epsilon_insensitive'}, default='hinge'
    penalty : {'l2', 'l1', 'elasticnet'} or None, default='l2'
    alpha : float, default=0.0001
        Strength of the penalty; also sets the rate of ``learning_rate='optimal'``.
    l1_ratio : float in [0, 1], default=0.15
        Share of the L1 penalty in 'elasticnet'.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most epochs of ``fit``.
    tol : float or None, default=1e-3
        Stop when the mean objective (or the validation score) has not improved by ``tol`` for
        ``n_iter_no_change`` epochs in a row. None: run all epochs.
    shuffle : bool, default=True
        Take the rows in a new random order in each epoch; in large data runs of up to 16 neighbouring rows
        are dealt out, 64 runs at a time (docs/solvers.md).
    verbose : int, default=0
        Print the objective of each epoch after training.
    epsilon : float, default=0.1
        Of the Huber and epsilon-insensitive losses.
    n_jobs : ignored; :func:`maas_engine.set_num_threads` decides.
    random_state : int, RandomState or None, default=None
    learning_rate : {'constant', 'optimal', 'invscaling', 'adaptive', 'pa1', 'pa2'}, default='optimal'
    eta0 : float, default=0.01
        First learning rate ('pa1', 'pa2': the aggressiveness C).
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    early_stopping : bool, default=False
        Stop by the accuracy on a stratified ``validation_fraction`` of the rows instead of the objective.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=5
    class_weight : dict, 'balanced' or None, default=None
    warm_start : bool, default=False
    average : bool or int, default=False
        Use the weights averaged over all steps, or over those from this number on.

    Attributes
    ----------
    coef_ : float32 or float64 as X, shape (1, n_features) for two classes, else (n_classes, n_features)
    intercept_ : shape (1,) or (n_classes,)
    classes_ : sorted labels
    n_iter_ : epochs run, the most over the classes
    t_ : number of steps taken, plus one
    loss_curve_ : list of float, mean objective of each epoch, each row's taken before its step
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **BaseSGD._parameter_constraints,
        "loss": [StrOptions(CLASSIFICATION_LOSSES | REGRESSION_LOSSES)],
        "n_jobs": [Integral, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }
    _classifies = True

    def __init__(
        self,
        loss: str = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: bool | int = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    def _class_weights(self, y: Array) -> list[tuple[float, float]]:
        """Return (weight of the rest, weight of the class) for each task."""
        if self.class_weight is None:
            weights = np.ones(len(self.classes_))
        else:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if len(self.classes_) == 2:
            return [(float(weights[0]), float(weights[1]))]
        return [(1.0, float(weight)) for weight in weights]

    def _n_tasks(self) -> int:
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(f"The number of classes has to be greater than one; got {n_classes} class")
        return 1 if n_classes == 2 else n_classes

    def _store(self, weights: Weights, dtype: Any) -> SGDClassifier:
        self.coef_ = weights[:, :-1].astype(dtype)
        self.intercept_ = weights[:, -1].astype(dtype)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> SGDClassifier:
        """Train from the start, or from ``coef_init``, or with ``warm_start`` from the last weights.

        Parameters
        ----------
        X : array-like or sparse, float32 or float64 taken as they are, shape (n_samples, n_features)
            Sparse rows move the intercept by 0.01 of a step, as scikit-learn's do.
        y : labels, shape (n_samples,)
        coef_init : shape (n_features,) or (n_classes, n_features), optional
        intercept_init : shape (1,) or (n_classes,), optional
        sample_weight : shape (n_samples,), optional
            Multiplies the step of each row.

        Raises
        ------
        ValueError : bad shapes, labels or parameters, NaN or infinity, one class only.
        """
        self._check_combinations()
        X = check_features(self, X, reset=True, y=y, accept_sparse=True)
        y = check_labels(y, X)
        self.classes_, codes = encode_labels(y)
        n_tasks = self._n_tasks()
        sample_weight = check_weights(sample_weight, X)
        weights = self._begin(n_tasks, X.shape[1], coef_init, intercept_init)
        weights = self._learn(X, codes, sample_weight, self._class_weights(y), weights, partial=False)
        return self._store(weights, X.dtype)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> SGDClassifier:
        """Run one epoch over these rows from the last weights.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
        y : labels, shape (n_samples,); each among ``classes``, not all need occur
        classes : all labels there will be; needed in the first call only
        sample_weight : shape (n_samples,), optional

        Raises
        ------
        ValueError : as ``fit``; ``classes`` missing or changed; an unknown label.
        """
        first = not hasattr(self, "classes_")
        if first:
            self._check_combinations(partial=True)
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight 'balanced' is not supported for partial_fit. Use "
                    "compute_class_weight('balanced', classes=classes, y=y) on a large enough sample and "
                    "pass the result as the class_weight parameter."
                )
        X = check_features(self, X, reset=first, y=y, accept_sparse=True)
        _check_partial_fit_first_call(self, classes)
        codes = known_labels(check_labels(y, X), self.classes_)
        n_tasks = self._n_tasks()
        sample_weight = check_weights(sample_weight, X)
        weights = self._resume(n_tasks, X.shape[1], first=not hasattr(self, "coef_"))
        weights = self._learn(X, codes, sample_weight, self._class_weights(y), weights, partial=True)
        return self._store(weights, X.dtype)

    def _has_probabilities(self) -> bool:
        if self.loss not in ("log_loss", "modified_huber"):
            raise AttributeError(f"probability estimates are not available for loss={self.loss!r}")
        return True

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, for ``loss='log_loss'`` and ``'modified_huber'``.

        The logistic function of the scores, or (clip(score, -1, 1) + 1) / 2 (T. Zhang, "Solving large scale
        linear prediction problems using SGD", 2004); more than two classes are normalised to sum 1.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        scores = np.asarray(self.decision_function(X))
        if self.loss == "log_loss":  # each class against the rest: every score is a margin of its own
            margins = np.ascontiguousarray(scores).reshape(-1, 1)
            positive: Array = _core.class_probabilities(margins, False)[:, 1].reshape(scores.shape)
        else:
            positive = (np.clip(scores, -1, 1) + 1) / 2
        if positive.ndim == 1:
            return np.stack([1 - positive, positive], axis=1)
        total = _core.matmul(np.ascontiguousarray(positive), np.ones((positive.shape[1], 1), positive.dtype))
        # No class at all: every class alike.
        alike: Array = np.where(total > 0, positive, 1.0) / np.where(total > 0, total, positive.shape[1])
        return alike

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of :meth:`predict_proba`, shape (n_samples, n_classes)."""
        logarithms: Array = _core.logarithms(np.ascontiguousarray(self.predict_proba(X)))
        return logarithms

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        if self.loss not in ("log_loss", "modified_huber"):
            return super()._write(builder, x)
        columns = write_decisions(builder, x, self.coef_, self.intercept_, self.classes_)
        write_one_vs_rest(builder, columns, self.coef_.dtype, len(self.coef_), self.loss)
        builder.output("label", "probabilities")
        return {"predict": "label", "predict_proba": "probabilities", "decision_function": "scores"}


class SGDRegressor(LinearRegressorMixin, RegressorMixin, BaseSGD):
    """Linear regression trained by stochastic gradient descent, one row a step.

    Minimises the mean of ``loss(y, x . w + b)`` plus ``alpha`` times the penalty, by scikit-learn's (1.9)
    update rule. Parameters are those of :class:`SGDClassifier`, without ``n_jobs`` and ``class_weight``;
    defaults differ for ``loss`` ('squared_error'; also 'huber', 'epsilon_insensitive',
    'squared_epsilon_insensitive'), ``learning_rate`` ('invscaling') and ``power_t`` (0.25). Early stopping
    goes by R² on the validation rows.

    Attributes
    ----------
    coef_ : float32 or float64 as X, shape (n_features,)
    intercept_ : shape (1,)
    n_iter_, t_, loss_curve_ : as :class:`SGDClassifier`
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **BaseSGD._parameter_constraints,
        "loss": [StrOptions(REGRESSION_LOSSES)],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    def _run(self, X: Array, y: Any, sample_weight: Any, weights: Weights, *, partial: bool) -> SGDRegressor:
        target = np.asarray(y, dtype=np.float64)
        weights = self._learn(
            X, target, check_weights(sample_weight, X), [(1.0, 1.0)], weights, partial=partial
        )
        self.coef_ = weights[0, :-1].astype(X.dtype)
        self.intercept_ = weights[:, -1].astype(X.dtype)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> SGDRegressor:
        """Train from the start, or from ``coef_init``, or with ``warm_start`` from the last weights.

        Parameters
        ----------
        X : array-like or sparse, float32 or float64 taken as they are, shape (n_samples, n_features)
            Sparse rows move the intercept by 0.01 of a step, as scikit-learn's do.
        y : shape (n_samples,)
        coef_init : shape (n_features,), optional
        intercept_init : shape (1,), optional
        sample_weight : shape (n_samples,), optional
            Multiplies the step of each row.

        Raises
        ------
        ValueError : bad shapes or parameters, NaN or infinity.
        """
        self._check_combinations()
        X = check_features(self, X, reset=True, y=y, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=False)
        weights = self._begin(1, X.shape[1], coef_init, intercept_init)
        return self._run(X, y, sample_weight, weights, partial=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> SGDRegressor:
        """Run one epoch over these rows from the last weights; arguments as ``fit``."""
        first = not hasattr(self, "coef_")
        if first:
            self._check_combinations(partial=True)
        X = check_features(self, X, reset=first, y=y, accept_sparse=True)
        y = check_regression_target(self, y, X, multi_output=False)
        weights = self._resume(1, X.shape[1], first=first)
        return self._run(X, y, sample_weight, weights, partial=True)
