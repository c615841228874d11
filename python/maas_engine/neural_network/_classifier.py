"""MLPClassifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._base import class_and_sample_weights
from maas_engine.linear_model._export import Roles, label_table
from maas_engine.linear_model._labels import encode_labels, known_labels
from maas_engine.neural_network._base import FLOAT_TYPES, BaseMLP
from maas_engine.neural_network._outputs import write_classes, write_label_set

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron for classification: two classes, several, or sets of labels.

    Minimises the log loss, for sets of labels its sum over them, plus ``alpha / 2`` times the sum of squared weights
    over the rows of the batch. Parameters, defaults and steps are scikit-learn's (1.9), down to the random numbers:
    with the same ``random_state`` weights start, rows are held out and batches are drawn as there.
    ``dropout``, ``class_weight`` and the other activations and solvers are ours.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; empty for none.
    activation : {'identity', 'logistic', 'tanh', 'relu'} or one of ours, default='relu'
        Of the hidden layers. Ours, as Keras defines them: 'leaky_relu' (slope 0.2), 'relu6', 'elu', 'selu', 'gelu',
        'gelu_tanh', 'silu', 'hard_silu', 'mish', 'softplus', 'softsign', 'hard_sigmoid'.
    solver : {'lbfgs', 'sgd', 'adam', 'adamw', 'rmsprop', 'adagrad'} or Optimizer, default='adam'
        An optimizer of ``maas_engine.nn.optimizers`` brings its own learning rate or schedule. It is given here and
        not by a parameter of its own, which could contradict this one. 'rmsprop' and 'adagrad' have Keras's defaults
        but for ``learning_rate_init``, 'adamw' the betas and ``epsilon`` too.
    alpha : float, default=0.0001
    batch_size : int or 'auto', default='auto'
        'auto' is min(200, rows). 'lbfgs' takes all rows.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Of 'sgd': invscaling divides by (rows seen + 1)^``power_t``, adaptive by 5 whenever progress stops.
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
        Most epochs; of 'lbfgs' iterations.
    shuffle : bool, default=True
    random_state : int, RandomState or None, default=None
    tol : float, default=1e-4
        Progress has stopped when the loss (or the validation score) has not improved by ``tol`` for
        ``n_iter_no_change`` epochs in a row. Of 'lbfgs': the largest gradient at the end.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
    momentum : float, default=0.9, and nesterovs_momentum : bool, default=True
        Of 'sgd'.
    early_stopping : bool, default=False
        Go by the accuracy on ``validation_fraction`` of the rows, and return to the weights that were best.
    validation_fraction : float, default=0.1
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of 'adam'.
    n_iter_no_change : int, default=10
    max_fun : int, default=15000
        Most gradients of 'lbfgs'.
    dropout : float or one a hidden layer, default=0.0
        Share of a hidden layer's outputs that is zero in each step. The losses reported are those with dropout.
    class_weight : dict, 'balanced' or None, default=None
        Multiplies the rows' weights.

    Attributes
    ----------
    classes_ : sorted labels; for sets of labels their positions
    coefs_, intercepts_ : list of read-only arrays, one a layer, in float32 or float64 as X of the first fit
    loss_ : float, of the last epoch, each row's taken before its step
    best_loss_ : float, or None with early stopping
    loss_curve_ : list of float, one an epoch (not 'lbfgs')
    validation_scores_, best_validation_score_ : with early stopping, else None
    n_iter_ : int, epochs run
    t_ : int, rows seen
    n_layers_, n_outputs_ : int
    out_activation_ : 'logistic' for two classes and sets of labels, else 'softmax'
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **BaseMLP._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    classes_: Array

    def __init__(
        self,
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
        class_weight: Any = None,
    ) -> None:
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
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # --- targets ------------------------------------------------------------------------------

    def _check_target(self, X: Any, y: Any, *, first: bool, incremental: bool) -> tuple[Any, Array, int]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=FLOAT_TYPES, reset=first
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y.toarray() if issparse(y) else y, warn=True)
        check_classification_targets(y)
        known = hasattr(self, "classes_") and (self.warm_start or incremental)
        if y.ndim == 2:
            return X, *self._check_label_sets(y, known=known)
        if known:
            self._expect_known(y)
            codes = known_labels(y, self.classes_)
        else:
            self.classes_, codes = encode_labels(y)
        self._label_sets = False
        if len(self.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(self.classes_)} class"
            )
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        return X, codes.astype(np.bool_ if outputs == 1 else np.int32), outputs

    def _check_label_sets(self, y: Any, *, known: bool) -> tuple[Array, int]:
        kind = type_of_target(y)
        if not kind.startswith("multilabel"):
            raise ValueError(
                "Multioutput target data is not supported: expected y of shape (n_samples,), or (n_samples, n_labels) "
                f"of 0 and 1, got {kind}"
            )
        if known and hasattr(self, "coefs_") and y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"expected y to have a column for each of {self.n_outputs_} labels, got {y.shape[1]}"
            )
        self.classes_ = np.arange(y.shape[1])
        self._label_sets = True
        y = y.toarray() if issparse(y) else np.asarray(y)
        return y == y.max(initial=1), y.shape[1]

    def _expect_known(self, y: Array) -> None:
        classes = unique_labels(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _row_weights(self, y: Any, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return weight
        y = y.toarray() if issparse(y) else np.asarray(y)
        return class_and_sample_weights(self.class_weight, weight, y.ravel() if not self._label_sets else y)

    # --- the network --------------------------------------------------------------------------

    def _out_activation(self) -> str:
        return "softmax" if not self._label_sets and len(self.classes_) > 2 else "logistic"

    def _loss_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"from_logits": True, "mean_by_weight": True}
        if self.out_activation_ == "softmax":
            return {"name": "sparse_categorical_crossentropy", **options}
        return {"name": "binary_crossentropy", "scale": float(self.n_outputs_), **options}

    def _write_answers(
        self, builder: GraphBuilder, x: str, coefs: Sequence[Array], intercepts: Sequence[Array]
    ) -> Roles:
        return self._write_with(builder, x, coefs, intercepts, np.arange(len(self.classes_)))

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        return self._write_with(builder, x, self.coefs_, self.intercepts_, label_table(self.classes_))

    def _write_with(
        self,
        builder: GraphBuilder,
        x: str,
        coefs: Sequence[Array],
        intercepts: Sequence[Array],
        classes: Array,
    ) -> Roles:
        if self._label_sets:
            return write_label_set(builder, x, self.activation, coefs, intercepts)
        return write_classes(builder, x, self.activation, coefs, intercepts, classes)

    def _score_answers(self, y: Array, answers: Array, weight: Array | None) -> float:
        right = answers == y
        return float(np.average(right.all(axis=1) if right.ndim == 2 else right, weights=weight))

    # --- the user's methods -------------------------------------------------------------------

    @available_if(BaseMLP._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Run one epoch over these rows from the last weights.

        Parameters
        ----------
        X : array-like or sparse, shape (n_samples, n_features)
        y : labels, shape (n_samples,), each among ``classes``; or (n_samples, n_labels) of 0 and 1
        sample_weight : shape (n_samples,), optional
        classes : all labels there will be; needed in the first call only, where sets of labels count for their columns

        Raises
        ------
        ValueError : as ``fit``; ``classes`` missing or changed; an unknown label.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. Use compute_class_weight('balanced', "
                "classes=classes, y=y) on a large enough sample and pass the result as the class_weight parameter."
            )
        if not (hasattr(self, "coefs_") and self._label_sets):
            _check_partial_fit_first_call(self, classes)
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row, shape (n_samples,); of sets of labels (n_samples, n_labels).

        Parameters
        ----------
        X : array-like or sparse, shape (n_samples, n_features)
        """
        answers = self._answer("predict", X)
        return answers if self._label_sets else np.take(self.classes_, answers, axis=0)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of ``classes_``, shape (n_samples, n_classes).

        Parameters
        ----------
        X : array-like or sparse, shape (n_samples, n_features)

        Returns
        -------
        ndarray, float32 where X and the weights are, else float64. Rows sum to 1, but for sets of labels.
        """
        return self._answer("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of ``predict_proba``, -inf where that is zero."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))
