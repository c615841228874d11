"""MLPRegressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d, validate_data

from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._export import Roles
from maas_engine.metrics import r2_score
from maas_engine.neural_network._base import FLOAT_TYPES, BaseMLP
from maas_engine.neural_network._outputs import write_values
from maas_engine.neural_network._rows import Rows

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron for regression, of one target or several.

    Minimises half the squared error (or half the Poisson deviance) plus ``alpha / 2`` times the sum of squared
    weights over the rows of the batch. Parameters are those of :class:`MLPClassifier`, without ``class_weight``, and

    loss : {'squared_error', 'poisson'}, default='squared_error'
        'poisson' predicts exp(score), for y >= 0.

    Early stopping goes by R². As in scikit-learn the squared error of several targets is reported as their mean and
    descended as their sum.

    Attributes
    ----------
    coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_, \
    n_layers_, n_outputs_, n_features_in_, feature_names_in_ : as :class:`MLPClassifier`
    out_activation_ : 'identity', or 'exp' for 'poisson'

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(hidden_layer_sizes=(16,), solver="lbfgs", max_iter=2000, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags

    def _check_target(self, X: Any, y: Any, *, first: bool, incremental: bool) -> tuple[Any, Array, int]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=True,
            dtype=FLOAT_TYPES,
            reset=first,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = np.asarray(y)
        if y.dtype not in (np.float32, np.float64):
            y = y.astype(np.float64)
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"expected y >= 0 for loss='poisson', got {y.min():g}")
        return X, y, 1 if y.ndim == 1 else y.shape[1]

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _loss_options(self) -> dict[str, Any]:
        outputs = float(self.n_outputs_)
        if self.loss == "poisson":
            return {"name": "poisson", "from_logits": True, "scale": outputs, "mean_by_weight": True}
        if self.solver == "lbfgs":  # whose line search needs the loss that it descends
            return {"name": "mse", "scale": 0.5 * outputs, "mean_by_weight": True}
        return {"name": "mse", "scale": 0.5, "gradient_scale": outputs, "mean_by_weight": True}

    def _reported_loss(self, rows: Rows, train: Array | None) -> Callable[[float], float]:
        if self.loss == "poisson":  # the engine leaves out the terms of y alone
            used = slice(None) if train is None else train
            y = rows.y[used].reshape(-1, self.n_outputs_).astype(np.float64)
            weight = None if rows.weight is None else rows.weight[used]
            own = float(np.average((xlogy(y, y) - y).sum(axis=1), weights=weight))
            return lambda loss: loss + own
        if self.solver == "lbfgs":  # the mean over the targets is reported
            total = float(rows.X.shape[0] if rows.weight is None else rows.weight.sum())
            penalty = 0.5 * self.alpha / total * sum(float(np.vdot(coef, coef)) for coef in self.coefs_)
            return lambda loss: (loss - penalty) / self.n_outputs_ + penalty
        return float

    def _write_answers(
        self, builder: GraphBuilder, x: str, coefs: Sequence[Array], intercepts: Sequence[Array]
    ) -> Roles:
        link = "Exp" if self.out_activation_ == "exp" else ""
        return write_values(builder, x, self.activation, coefs, intercepts, link)

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        return self._write_answers(builder, x, self.coefs_, self.intercepts_)

    def _score_answers(self, y: Array, answers: Array, weight: Array | None) -> float:
        if not np.isfinite(answers).all():
            return np.nan
        return float(r2_score(y, answers, sample_weight=weight))

    @available_if(BaseMLP._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Run one epoch over these rows from the last weights; arguments and errors as ``fit``."""
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Array:
        """Predict the targets of each row, shape (n_samples,) or (n_samples, n_outputs).

        Parameters
        ----------
        X : array-like or sparse, shape (n_samples, n_features)

        Returns
        -------
        ndarray, float32 where X and the weights are, else float64
        """
        return self._answer("predict", X)
