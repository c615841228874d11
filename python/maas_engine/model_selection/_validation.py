"""cross_validate, cross_val_score and cross_val_predict: scikit-learn's, with the folds fitted together."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn import model_selection
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.model_selection._validation import _aggregate_score_dicts, _normalize_score_results, _score
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils._metadata_requests import _routing_enabled

from maas_engine.linear_model._folds import Folds, rows_of
from maas_engine.model_selection._scorers import engine_scorer

# Methods whose columns are classes: scikit-learn orders them by the labels of all rows.
_BY_CLASS = ("decision_function", "predict_proba", "predict_log_proba")


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: Any = np.nan,
) -> dict[str, Any]:
    """Fit and score an estimator on the folds of a cross-validation.

    An estimator that offers it (LinearRegression and Ridge by normal equations, Lasso, ElasticNet, …) fits all
    folds from shared passes over the rows, the coefficients within 1e-8 of separate fits; any other, a
    Pipeline, splits that are not a partition and fits that fail go to scikit-learn's function, one fit a
    fold.

    Parameters
    ----------
    estimator, X, y, groups, cv, verbose, params, pre_dispatch, return_train_score, return_estimator,
    return_indices, error_score : as in ``sklearn.model_selection.cross_validate``
    scoring : as there; names are computed by ``maas_engine.metrics`` where it has them
    n_jobs : as there, for fits that are not shared; the engine has threads of its own
        (``maas_engine.set_num_threads``)

    Returns
    -------
    dict : ``test_score`` (or ``test_<name>``), ``fit_time``, ``score_time`` in seconds, arrays of one value a
        fold; ``train_…``, ``estimator`` and ``indices`` on request. The fit time of a shared fit is divided
        equally among the folds.
    """
    scoring = engine_scorer(scoring)
    if _may_share(estimator, params):
        X, y = indexable(X, y)
        folds = _splits(estimator, X, y, groups, cv)
        cv, groups = folds, None
        start = time.perf_counter()
        fitted = _fit_together(estimator, X, y, params, folds)
        if fitted is not None:
            each = (time.perf_counter() - start) / len(folds)
            scorer = check_scoring(estimator, scoring=scoring, raise_exc=error_score == "raise")
            results = _score_folds(fitted, X, y, folds, scorer, return_train_score, error_score)
            results["fit_time"] = np.full(len(folds), each)
            return _report(results, fitted, folds, return_train_score, return_estimator, return_indices)
    separate: dict[str, Any] = model_selection.cross_validate(
        estimator,
        X,
        y,
        groups=groups,
        scoring=scoring,
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        return_train_score=return_train_score,
        return_estimator=return_estimator,
        return_indices=return_indices,
        error_score=error_score,
    )
    return separate


def cross_val_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    error_score: Any = np.nan,
) -> Any:
    """Return the test scores of :func:`cross_validate` for one score, shape (n_folds,)."""
    scorer = check_scoring(estimator, scoring=engine_scorer(scoring))
    results = cross_validate(
        estimator,
        X,
        y,
        groups=groups,
        scoring={"score": scorer},
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        error_score=error_score,
    )
    return results["test_score"]


def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    method: str = "predict",
) -> Any:
    """Predict each row by the model of the fold that tests it; folds are fitted as in :func:`cross_validate`.

    Parameters and result as in ``sklearn.model_selection.cross_val_predict``.
    """
    if _may_share(estimator, params) and hasattr(estimator, method):
        X, y = indexable(X, y)
        folds = _splits(estimator, X, y, groups, cv)
        cv, groups = folds, None
        tested = np.concatenate([test for _, test in folds]) if folds else np.empty(0, dtype=np.intp)
        if np.array_equal(np.sort(tested), np.arange(len(indexable(X)[0]))):
            fitted = _fit_together(estimator, X, y, params, folds)
            if fitted is not None and _same_columns(fitted, y, method):
                parts = [
                    getattr(m, method)(_take(X, test)) for m, (_, test) in zip(fitted, folds, strict=True)
                ]
                predictions = np.empty((len(tested), *parts[0].shape[1:]), dtype=np.result_type(*parts))
                predictions[tested] = np.concatenate(parts)
                return predictions
    return model_selection.cross_val_predict(
        estimator,
        X,
        y,
        groups=groups,
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        method=method,
    )


def _may_share(estimator: Any, params: dict[str, Any] | None) -> bool:
    only_weights = set(params or {}) <= {"sample_weight"}
    return hasattr(estimator, "_fit_folds") and only_weights and not _routing_enabled()


def _splits(estimator: Any, X: Any, y: Any, groups: Any, cv: Any) -> list[tuple[Any, Any]]:
    return list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y, groups))


def _fit_together(
    estimator: Any, X: Any, y: Any, params: dict[str, Any] | None, folds: Folds
) -> list[Any] | None:
    """Return one fitted clone a fold, or None where each fold needs a fit of its own (also to fail there)."""
    if not folds or y is None:
        return None
    try:
        fitted = clone(estimator)._fit_folds(X, y, (params or {}).get("sample_weight"), folds)
    except (ValueError, TypeError, ArithmeticError):
        return None
    return None if fitted is NotImplemented else list(fitted)


def _same_columns(fitted: list[Any], y: Any, method: str) -> bool:
    if method not in _BY_CLASS:
        return True
    labels = np.unique(y)
    return all(np.array_equal(getattr(model, "classes_", ()), labels) for model in fitted)


def _take(data: Any, indices: Any) -> Any:
    """Return rows of ``data``, without a copy where they are neighbours in an array."""
    if isinstance(data, np.ndarray) and len(indices):
        return data[rows_of(np.asarray(indices))]
    return _safe_indexing(data, indices)


def _score_folds(
    fitted: list[Any], X: Any, y: Any, folds: Folds, scorer: Any, train_scores: bool, error_score: Any
) -> dict[str, Any]:
    results = []
    for model, (train, test) in zip(fitted, folds, strict=True):
        start = time.perf_counter()
        result = {"test_scores": _score(model, _take(X, test), _take(y, test), scorer, {}, error_score)}
        result["score_time"] = time.perf_counter() - start
        if train_scores:
            rows = _take(X, train), _take(y, train)
            result["train_scores"] = _score(model, *rows, scorer, {}, error_score)
        results.append(result)
    return dict(_aggregate_score_dicts(results))


def _report(
    results: dict[str, Any],
    fitted: list[Any],
    folds: Folds,
    train_scores: bool,
    return_estimator: bool,
    return_indices: bool,
) -> dict[str, Any]:
    report = {"fit_time": results["fit_time"], "score_time": results["score_time"]}
    if return_estimator:
        report["estimator"] = fitted
    if return_indices:
        train, test = zip(*folds, strict=True)
        report["indices"] = {"train": train, "test": test}
    tested = _normalize_score_results(results["test_scores"])
    trained = _normalize_score_results(results["train_scores"]) if train_scores else {}
    for name, scores in tested.items():
        report[f"test_{name}"] = scores
        if train_scores:
            report[f"train_{name}"] = trained[name]
    return report
