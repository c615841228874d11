"""What every linear estimator shares: input checks without copies, weights, warnings and prediction.

Finiteness is checked by the engine inside its first pass over the data (``_core`` raises
:class:`maas_engine.errors.NotFinite`), so the checks here never read the rows of ``X``.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    compute_sample_weight,
    get_tags,
)
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from maas_engine import _core, _threadpoolctl, errors
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._export import ExportMixin, Roles, write_decisions, write_regressor

Array = NDArray[Any]

FLOAT_TYPES = (np.float64, np.float32)


_threadpoolctl.register()


def check_features(
    estimator: Any, X: Any, *, reset: bool, y: Any = "no_validation", accept_sparse: bool = False
) -> Any:
    """Return ``X`` as a float32 or float64 array of any layout, without copying one that already is.

    Parameters
    ----------
    estimator : the calling estimator; ``n_features_in_`` and ``feature_names_in_`` are set (``reset=True``)
        or compared (``reset=False``) on it.
    X : array-like, shape (n_samples, n_features)
    reset : True in ``fit``, False in ``predict`` and later ``partial_fit`` calls.
    y : pass it in ``fit`` so that a missing target is refused in scikit-learn's words.
    accept_sparse : whether a sparse ``X`` is returned as CSR without duplicates (see :func:`csr_parts`) or
        refused.

    Raises
    ------
    ValueError, TypeError : wrong shape, empty, complex, sparse, not numeric, other number of features.
        NaN and infinity are left to the engine.
    """
    checked = validate_data(
        estimator,
        X,
        y=None if y is None else "no_validation",
        reset=reset,
        accept_sparse="csr" if accept_sparse else False,
        dtype=FLOAT_TYPES,
        ensure_all_finite=False,
    )
    if issparse(checked):
        if not checked.has_canonical_format:
            checked = checked.copy()  # the caller's matrix stays as it is
            checked.sum_duplicates()
        return checked
    # Strides that are not whole items (a field of a packed record array) are the one layout not taken as is.
    if any(stride % checked.itemsize for stride in checked.strides):
        checked = checked.copy()
    return np.asarray(checked)


def csr_parts(X: Any) -> tuple[Array, Array, Array, int]:
    """Return what ``_core`` takes of a CSR matrix: values, int32 columns, int64 starts, number of columns.

    Raises
    ------
    ValueError : more than 2³¹ − 1 columns.
    """
    if X.shape[1] > np.iinfo(np.int32).max:
        raise ValueError(f"expected at most 2**31 - 1 columns of a sparse X, got {X.shape[1]}")
    used = int(X.indptr[-1])  # scipy allows room for more behind
    return (
        np.require(X.data[:used], requirements=["C", "A"]),
        np.require(X.indices[:used], dtype=np.int32, requirements=["C", "A"]),
        np.require(X.indptr, dtype=np.int64, requirements=["C", "A"]),
        int(X.shape[1]),
    )


def check_regression_target(estimator: Any, y: Any, X: Array, *, multi_output: bool) -> Array:
    """Return ``y`` in the type of ``X``, shape (n_samples,) or, for ``multi_output``, also (n_samples, k)."""
    if multi_output:
        y = check_array(
            y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y", estimator=estimator
        )
    else:
        y = column_or_1d(y, warn=True)
        if np.iscomplexobj(y):
            raise ValueError(f"Complex data not supported\n{y}\n")
    check_consistent_length(X, y)
    return np.asarray(y, dtype=X.dtype)


def check_weights(sample_weight: Any, X: Array) -> NDArray[np.float64] | None:
    """Return the weights as contiguous float64, shape (n_samples,), or None where all rows count 1.

    Raises
    ------
    ValueError : wrong shape, negative, not finite, or no weight above zero.
    """
    if sample_weight is None:
        return None
    checked: NDArray[np.float64] = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    return checked


def class_and_sample_weights(
    class_weight: Any, sample_weight: NDArray[np.float64] | None, y: Array
) -> NDArray[np.float64] | None:
    """Multiply each row's weight by its class's; ``y`` holds the labels as the user gave them."""
    if class_weight is None:
        return sample_weight
    weights: NDArray[np.float64] = compute_sample_weight(class_weight, y)
    return weights if sample_weight is None else weights * sample_weight


@contextlib.contextmanager
def scikit_learn_errors(estimator: Any, **arrays: Array | None) -> Iterator[None]:
    """Turn the engine's ``NotFinite`` into scikit-learn's message about the guilty array.

    ``arrays`` are what the engine was given, by scikit-learn's names: ``X=X, y=y, sample_weight=w``.
    """
    try:
        yield
    except errors.NotFinite:
        for name, values in arrays.items():
            if values is not None:
                assert_all_finite(values, input_name=name, estimator_name=type(estimator).__name__)
        raise  # all finite: an overflow inside the engine, reported in its own words


def warn_not_converged(estimator: Any, what: str) -> None:
    """Warn that a solver stopped early; ``what`` says why and what to change."""
    warnings.warn(f"{type(estimator).__name__}: {what}", ConvergenceWarning, stacklevel=3)


def linear_predict(X: Any, coef: Array, intercept: Any) -> Array:
    """Return ``X @ coef.T + intercept``: row i has the same bits alone or in any batch.

    Parameters
    ----------
    X : float32 or float64, shape (n_samples, n_features), dense or CSR
    coef : shape (n_features,) or (n_outputs, n_features)
    intercept : scalar, or shape (n_outputs,)

    Returns
    -------
    ndarray of the wider type of ``X`` and ``coef``, shape (n_samples,) or (n_samples, n_outputs)
    """
    dtype = np.result_type(X.dtype, coef)
    weights = np.ascontiguousarray(np.atleast_2d(np.asarray(coef, dtype=dtype)))
    bias = np.zeros(len(weights), dtype=dtype) + np.asarray(intercept, dtype=dtype)
    if issparse(X):
        scores: Array = _core.sparse_predict(*csr_parts(X.astype(dtype, copy=False)), weights, bias)
    else:
        scores = _core.linear_predict(np.asarray(X, dtype=dtype), weights, bias)
    return scores[:, 0] if np.ndim(coef) == 1 else scores


class LinearMixin(ExportMixin):
    """Scores of a fitted linear model; needs ``coef_`` and ``intercept_``."""

    intercept_: Any

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        X = check_features(
            self, X, reset=False, accept_sparse=issparse(X) and get_tags(self).input_tags.sparse
        )
        scores = linear_predict(X, self.coef_, self.intercept_)
        # Reading the scores (n values) stands for reading X: a NaN or infinity there shows here. A zero
        # coefficient times infinity is NaN too. Only a guilty or overflowing score is worth the full check.
        if not np.isfinite(scores.sum()):
            assert_all_finite(X, input_name="X", estimator_name=type(self).__name__)
        return scores


class LinearRegressorMixin(LinearMixin):
    """``predict`` of linear regressors."""

    def predict(self, X: Any) -> Array:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_targets)
        """
        return self._scores(X)

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        return write_regressor(builder, x, self.coef_, self.intercept_)


class LinearClassifierMixin(LinearMixin):
    """``decision_function`` and ``predict`` of linear classifiers; needs ``classes_``.

    A binary model has ``coef_`` of shape (1, n_features); its scores are flat, positive for ``classes_[1]``.
    """

    classes_: Array

    def decision_function(self, X: Any) -> Array:
        """Return the signed distance (in units of the margin) of each row to each class's hyperplane.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,) for two classes, else (n_samples, n_classes)
        """
        scores = self._scores(X)
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """Return the most likely class label of each row, shape (n_samples,)."""
        scores = self.decision_function(X)
        indices = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.take(self.classes_, indices, axis=0)

    def _write(self, builder: GraphBuilder, x: str) -> Roles:
        write_decisions(builder, x, self.coef_, self.intercept_, self.classes_)
        builder.output("label", "scores")
        return {"predict": "label", "decision_function": "scores"}
