"""Logistic fits that share their passes over the rows: folds and penalties of one problem."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import clone

from maas_engine import _core
from maas_engine.linear_model._base import Array, check_features, scikit_learn_errors
from maas_engine.linear_model._folds import Folds, fold_numbers
from maas_engine.linear_model._labels import check_labels, encode_labels
from maas_engine.linear_model._logistic_l1 import l1_share

FUSED_SOLVERS = ("lbfgs", "newton-cholesky")


def row_indices(indices: Any, n_samples: int) -> NDArray[np.intp]:
    """Return what a splitter yields, row numbers or a mask, as row numbers.

    Raises
    ------
    ValueError : numbers of no rows.
    """
    checked = np.asarray(indices)
    if checked.dtype == bool:
        checked = np.flatnonzero(checked)
    if checked.ndim != 1 or (checked.size and not -n_samples <= checked.min() <= checked.max() < n_samples):
        raise ValueError(f"expected the splits to hold row numbers below {n_samples}")
    return checked.astype(np.intp, copy=False)


class StackedFits(NamedTuple):
    """Models on all rows (slot 0) and of each fold (slot 1 + k), for each penalty."""

    coef: Array  # slots × penalties × outputs × features, the type of X
    intercept: Array  # slots × penalties × outputs
    n_iter: NDArray[np.int32]  # slots × penalties
    status: list[str]  # slots · penalties


def fit_stacked(
    X: Array,
    targets: Array,
    weights: Array | None,
    fold_of_row: NDArray[np.int32] | None,
    folds: int,
    *,
    outputs: int,
    fit_intercept: bool,
    inverse_cs: Any,
    tol: float,
    max_iter: int,
) -> StackedFits:
    """Fit the L2-penalised models of all folds and penalties, and those on all rows, together.

    Parameters
    ----------
    targets, weights : the type of ``X``, shape (n_samples,); class numbers, and weights or None
    fold_of_row : which of ``folds`` tests a row, or -1; None where ``folds`` is 0
    """
    if fold_of_row is None:
        fold_of_row = np.full(len(targets), -1, dtype=np.int32)
    coef, intercept, n_iter, status = _core.logistic_cv_fit(
        X,
        targets,
        weights,
        fold_of_row,
        folds,
        outputs,
        bool(fit_intercept),
        [float(l2) for l2 in inverse_cs],
        float(tol),
        int(max_iter),
    )
    return StackedFits(
        coef.astype(X.dtype, copy=False), intercept.astype(X.dtype, copy=False), n_iter, status
    )


def fit_folds(estimator: Any, X: Any, y: Any, sample_weight: Any, folds: Folds) -> Any:
    """Return a fitted clone of a LogisticRegression for each fold, or NotImplemented where fits share nothing.

    They share their passes for dense rows, the L2 penalty or none, the full-batch second-order solvers, and
    splits that test each row once at most and train on all others.
    """
    estimator._validate_params()
    fused = (
        estimator.solver in FUSED_SOLVERS
        and l1_share(estimator) == 0
        and estimator.class_weight != "balanced"
        and not estimator.warm_start
        and not issparse(X)
    )
    if not fused or not folds:
        return NotImplemented
    inverse_c = estimator._checked_penalty()
    base = clone(estimator)
    X = check_features(base, X, y=y, reset=True)
    classes, targets = encode_labels(check_labels(y, X), X.dtype)
    fold_of_row = fold_numbers(folds, len(targets))
    if fold_of_row is None or not _all_classes_in_training(folds, targets, len(classes)):
        return NotImplemented
    weights = estimator._row_weights(sample_weight, X, classes, targets)
    with scikit_learn_errors(estimator, X=X, sample_weight=weights):
        fits = fit_stacked(
            X,
            targets,
            weights,
            fold_of_row,
            len(folds),
            outputs=1 if len(classes) == 2 else len(classes),
            fit_intercept=estimator.fit_intercept,
            inverse_cs=[inverse_c],
            tol=estimator.tol,
            max_iter=estimator.max_iter,
        )
    fitted = []
    for k in range(1, len(folds) + 1):
        model = clone(estimator)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(base, name):
                setattr(model, name, getattr(base, name))
        model.classes_ = classes
        model.coef_, model.intercept_, model.n_iter_ = fits.coef[k, 0], fits.intercept[k, 0], fits.n_iter[k]
        model._report(fits.status[k])
        fitted.append(model)
    return fitted


def _all_classes_in_training(folds: Folds, targets: Array, classes: int) -> bool:
    """Whether each fold trains on rows of all classes (of two at least), as separate fits would see them."""
    total = np.bincount(targets.astype(np.intp), minlength=classes)
    tested = (
        np.bincount(targets[row_indices(test, len(targets))].astype(np.intp), minlength=classes)
        for _, test in folds
    )
    return classes > 1 and all(bool(np.all(total > counts)) for counts in tested)
